"""Compiled graphs on disk: complete or not there, and not too many."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from app.engine.openvino.graph_store import COMPILED, ENCODER, SEAL, TABLE, GraphKey, GraphStore, check_seal
from app.errors import ModelUnavailableError

KEY = GraphKey("tiny", "abc", "bf16", "1.0", "a CPU")
JOIN_S = 30.0


def write(store: GraphStore, key: GraphKey, text: str = "") -> None:
    with store.writing(key) as folder:
        assert folder is not None
        fill(folder, text)


def fill(folder: Path, text: str = "") -> None:
    for name in (ENCODER, TABLE):
        (folder / name).write_text(text)


def folders(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.is_dir()]


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
        assert folder is not None
        fill(folder)
        assert store.find(KEY) is None


def test_a_failed_conversion_leaves_nothing_behind(store: GraphStore, tmp_path: Path) -> None:
    def fail(folder: Path | None) -> None:
        assert folder is not None
        (folder / ENCODER).touch()
        raise RuntimeError

    with pytest.raises(RuntimeError), store.writing(KEY) as folder:
        fail(folder)
    assert folders(tmp_path / "graphs") == []


def test_what_a_killed_conversion_left_is_written_anew(store: GraphStore, tmp_path: Path) -> None:
    half = tmp_path / "graphs" / KEY.folder
    (half / COMPILED).mkdir(parents=True)
    fill(half, "half")
    (half / COMPILED / "of the half.blob").touch()
    assert store.find(KEY) is None
    write(store, KEY, "whole")
    assert store.find(KEY) == half
    assert (half / ENCODER).read_text() == "whole"
    assert not (half / COMPILED).exists()
    assert folders(tmp_path / "graphs") == [half]


@pytest.mark.parametrize("name", [ENCODER, f"{COMPILED}/1.blob"])
@pytest.mark.parametrize("harm", ["altered", "cut", "missing"])
def test_damage_to_any_file_is_noticed(store: GraphStore, name: str, harm: str) -> None:
    with store.writing(KEY) as folder:
        assert folder is not None
        fill(folder, "graph")
        (folder / COMPILED).mkdir()
        (folder / COMPILED / "1.blob").write_bytes(b"0123456789")
    assert folder == store.find(KEY)
    check_seal(folder)
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-1] if harm == "cut" else data[:-1] + b"?")
    if harm == "missing":
        (folder / name).unlink()
    with pytest.raises(ModelUnavailableError, match="1.blob" if "blob" in name else ENCODER):
        check_seal(folder)


def test_a_seal_that_is_no_seal_is_damage(store: GraphStore) -> None:
    write(store, KEY)
    folder = store.find(KEY)
    assert folder is not None
    (folder / SEAL).write_text("[")
    with pytest.raises(ModelUnavailableError, match="can't be read"):
        check_seal(folder)


@pytest.mark.parametrize("field", ["weights_sha256", "precision", "version", "processor"])
def test_other_weights_precision_package_or_processor_need_other_graphs(store: GraphStore, field: str) -> None:
    write(store, KEY)
    assert store.find(replace(KEY, **{field: "other"})) is None  # type: ignore[arg-type]


def test_what_pictures_need_and_the_memory_of_a_model_are_kept_apart_and_make_no_room_for_each_other(
    tmp_path: Path,
) -> None:
    store, memory = GraphStore(tmp_path, keep=1), replace(KEY, part="memory")
    for key in (KEY, memory):
        write(store, key)
    assert store.find(KEY) not in (None, store.find(memory))


def test_of_two_that_write_the_same_graphs_the_second_waits_and_finds_them(store: GraphStore) -> None:
    came: list[Path | None] = []

    def second() -> None:
        with store.writing(KEY) as folder:
            came.append(folder)

    with store.writing(KEY) as folder:
        assert folder is not None
        waiting = threading.Thread(target=second)
        waiting.start()
        fill(folder, "first")
    waiting.join(JOIN_S)
    assert came == [None]
    assert (folder / ENCODER).read_text() == "first"


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
