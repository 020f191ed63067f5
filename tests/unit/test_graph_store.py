"""Compiled graphs on disk: complete or not there, and not too many."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.engine.graph_store import ENCODER, TABLE, GraphKey, GraphStore

KEY = GraphKey("tiny", "abc", "bf16", "1.0", "a CPU")


def write(store: GraphStore, key: GraphKey, text: str = "") -> None:
    with store.writing(key) as folder:
        for name in (ENCODER, TABLE):
            (folder / name).write_text(text)


@pytest.fixture
def store(tmp_path: Path) -> GraphStore:
    return GraphStore(tmp_path / "graphs")


def test_nothing_is_found_where_nothing_was_written(store: GraphStore) -> None:
    assert store.find(KEY) is None


def test_what_was_written_is_found(store: GraphStore) -> None:
    write(store, KEY)
    folder = store.find(KEY)
    assert folder is not None
    assert (folder / ENCODER).is_file()


def test_graphs_are_not_found_before_they_are_complete(store: GraphStore) -> None:
    with store.writing(KEY) as folder:
        (folder / ENCODER).touch()
        (folder / TABLE).touch()
        assert store.find(KEY) is None


def test_a_failed_conversion_leaves_nothing_behind(store: GraphStore, tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / ENCODER).touch()
        raise RuntimeError

    with pytest.raises(RuntimeError), store.writing(KEY) as folder:
        fail(folder)
    assert list((tmp_path / "graphs").iterdir()) == []


@pytest.mark.parametrize("field", ["weights_sha256", "precision", "version", "processor"])
def test_other_weights_precision_package_or_processor_need_other_graphs(store: GraphStore, field: str) -> None:
    write(store, KEY)
    assert store.find(replace(KEY, **{field: "other"})) is None


def test_of_two_processes_the_first_to_finish_wins(store: GraphStore) -> None:
    with store.writing(KEY) as folder:
        for name in (ENCODER, TABLE):
            (folder / name).write_text("slow")
        write(store, KEY, "quick")
    found = store.find(KEY)
    assert found is not None
    assert (found / ENCODER).read_text() == "quick"


def test_the_oldest_graphs_of_a_model_go_first(store: GraphStore, tmp_path: Path) -> None:
    keys = [GraphKey("tiny", weights, "bf16", "1", "c") for weights in "abc"]
    other = GraphKey("small", "a", "bf16", "1", "c")
    write(store, other)
    for age, key in enumerate(keys):
        write(store, key)
        os.utime(tmp_path / "graphs" / key.folder, (age, age))
    write(store, GraphKey("tiny", "d", "bf16", "1", "c"))
    assert [store.find(key) is not None for key in keys] == [False, False, True]
    assert store.find(other) is not None


def test_discarded_graphs_are_gone(store: GraphStore) -> None:
    write(store, KEY)
    store.discard(KEY)
    assert store.find(KEY) is None
