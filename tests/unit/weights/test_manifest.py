"""The list of models."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from app.errors import ModelUnavailableError, UnknownModelError
from app.weights.manifest import BUNDLED_DIR, load_manifest


def test_the_models_are_listed_from_the_smallest_to_the_largest() -> None:
    assert [entry.name for entry in load_manifest().models] == ["nano", "tiny", "small", "base_plus", "large"]


def test_only_nano_comes_with_the_program() -> None:
    assert [entry.name for entry in load_manifest().models if entry.bundled] == ["nano"]


def test_every_model_has_an_address_or_is_bundled() -> None:
    assert all(entry.bundled != bool(entry.urls) for entry in load_manifest().models)


def test_a_published_model_is_fetched_from_where_it_was_published_under_its_own_name() -> None:
    for entry in load_manifest().models[1:]:
        assert entry.urls == (f"https://dl.fbaipublicfiles.com/segment_anything_2/092824/{entry.file}",)


def test_every_architecture_is_there() -> None:
    for entry in load_manifest().models:
        root = BUNDLED_DIR if entry.bundled else importlib.resources.files("sam2")
        assert root.joinpath(entry.config).is_file()


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match="choose one of nano, tiny, small, base_plus, large"):
        load_manifest().entry("huge")


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"models": [{"name": "tiny"}]}'])
def test_a_missing_or_damaged_list_names_the_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "manifest.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelUnavailableError, match=r"manifest.json can't be read"):
        load_manifest(path)
