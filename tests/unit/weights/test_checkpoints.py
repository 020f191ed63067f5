"""Which model runs, and whether its checkpoint is the published one. The files here hold a few bytes."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from app.errors import ModelUnavailableError, UnknownModelError
from app.weights import checkpoints
from app.weights.checkpoints import choose_model, locate, verified_path
from app.weights.manifest import Manifest, ModelEntry, load_manifest
from tests.helpers.checkpoint_factory import described


@pytest.fixture
def bundled_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's own folder, empty."""
    folder = tmp_path / "bundled"
    folder.mkdir()
    monkeypatch.setattr(checkpoints, "BUNDLED_DIR", folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The checkpoints folder, empty."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return folder


@pytest.fixture
def cache_file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "verified.json"


@pytest.fixture
def manifest(tmp_path: Path, bundled_dir: Path) -> Manifest:
    """The true models, with checkpoints of a few bytes."""
    sample = tmp_path / "sample"
    entries = []
    for entry in load_manifest().models:
        sample.write_bytes(content_of(entry))
        entries.append(described(entry, sample))
    return Manifest(tuple(entries))


def content_of(entry: ModelEntry) -> bytes:
    return f"weights of {entry.name}".encode()


def put(entry: ModelEntry, folder: Path) -> Path:
    path = folder / entry.file
    path.write_bytes(content_of(entry))
    return path


@pytest.mark.parametrize(
    ("present", "wanted", "can_fetch", "chosen"),
    [
        ("nano tiny", "large", True, "large"),
        ("nano tiny", "nano", True, "nano"),
        ("", "tiny", False, "tiny"),
        ("nano tiny small base_plus large", None, True, "large"),
        ("nano tiny small base_plus", None, False, "base_plus"),
        ("nano tiny small", None, False, "small"),
        ("nano tiny", None, False, "tiny"),
        ("nano", None, True, "tiny"),
        ("nano", None, False, "nano"),
        ("", None, True, "tiny"),
    ],
)
def test_the_wanted_model_or_the_largest_present_or_tiny_or_nano(
    manifest: Manifest, folder: Path, present: str, wanted: str | None, can_fetch: bool, chosen: str
) -> None:
    for name in present.split():
        put(manifest.entry(name), folder)
    assert choose_model(manifest, folder, wanted, can_fetch=can_fetch).name == chosen


def test_a_checkpoint_that_was_cut_is_not_chosen(manifest: Manifest, folder: Path) -> None:
    put(manifest.entry("tiny"), folder)
    put(manifest.entry("large"), folder).write_bytes(b"weights")
    assert choose_model(manifest, folder, None, can_fetch=False).name == "tiny"


def test_an_unknown_model_is_refused(manifest: Manifest, folder: Path) -> None:
    with pytest.raises(UnknownModelError, match="huge"):
        choose_model(manifest, folder, "huge", can_fetch=True)


def test_without_any_checkpoint_the_cure_is_named(manifest: Manifest, folder: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"sam2.1_hiera_tiny.pt.*weights fetch tiny"):
        choose_model(manifest, folder, None, can_fetch=False)


def test_the_bundled_model_is_found_whatever_the_checkpoints_folder(
    manifest: Manifest, folder: Path, bundled_dir: Path
) -> None:
    path = put(manifest.entry("nano"), bundled_dir)
    assert locate(manifest.entry("nano"), folder) == path


def test_a_published_model_is_found_in_the_checkpoints_folder_only(
    manifest: Manifest, folder: Path, bundled_dir: Path
) -> None:
    put(manifest.entry("tiny"), bundled_dir)
    assert locate(manifest.entry("tiny"), folder) is None


def test_an_intact_checkpoint_is_verified(manifest: Manifest, folder: Path, cache_file: Path) -> None:
    path = put(manifest.entry("tiny"), folder)
    assert verified_path(manifest.entry("tiny"), folder, cache_file=cache_file) == path


def test_an_intact_bundled_model_stands_in_for_a_cut_copy(
    manifest: Manifest, folder: Path, bundled_dir: Path, cache_file: Path
) -> None:
    put(manifest.entry("nano"), folder).write_bytes(b"cut")
    path = put(manifest.entry("nano"), bundled_dir)
    assert verified_path(manifest.entry("nano"), folder, cache_file=cache_file) == path


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "is missing; fetch it with .*weights fetch .*, or save https://"),
        (b"weights", "has 7 bytes where tiny has 15: it was cut short or is another file; delete it, then fetch"),
        (b"weights of TINY", "was altered: its sha256 is .* delete it, .* --checkpoint"),
    ],
    ids=["missing", "cut", "altered"],
)
def test_what_is_wrong_with_a_checkpoint_and_the_cure_are_named(
    manifest: Manifest, folder: Path, cache_file: Path, content: bytes | None, text: str
) -> None:
    if content is not None:
        put(manifest.entry("tiny"), folder).write_bytes(content)
    with pytest.raises(ModelUnavailableError, match=text):
        verified_path(manifest.entry("tiny"), folder, cache_file=cache_file)


def test_a_second_start_does_not_hash_again(
    manifest: Manifest, folder: Path, cache_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(manifest.entry("tiny"), folder)
    verified_path(manifest.entry("tiny"), folder, cache_file=cache_file)
    monkeypatch.setattr(checkpoints, "file_sha256", lambda path: pytest.fail(f"hashed {path} again"))
    verified_path(manifest.entry("tiny"), folder, cache_file=cache_file)


def test_a_file_that_changed_is_hashed_again(manifest: Manifest, folder: Path, cache_file: Path) -> None:
    path = put(manifest.entry("tiny"), folder)
    verified_path(manifest.entry("tiny"), folder, cache_file=cache_file)
    path.write_bytes(b"weights of TINY")
    os.utime(path, ns=(1, 1))
    with pytest.raises(ModelUnavailableError, match="was altered"):
        verified_path(manifest.entry("tiny"), folder, cache_file=cache_file)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": {"bytes": 1}}'])
def test_a_damaged_memory_of_hashes_is_forgotten(
    manifest: Manifest, folder: Path, cache_file: Path, content: bytes
) -> None:
    cache_file.parent.mkdir()
    cache_file.write_bytes(content)
    path = put(manifest.entry("tiny"), folder)
    assert verified_path(manifest.entry("tiny"), folder, cache_file=cache_file) == path
    assert list(msgspec.json.decode(cache_file.read_bytes())) == [str(path.resolve())]


def test_a_cache_folder_that_cannot_be_written_does_no_harm(manifest: Manifest, folder: Path, tmp_path: Path) -> None:
    path = put(manifest.entry("tiny"), folder)
    (tmp_path / "file").write_bytes(b"")
    assert verified_path(manifest.entry("tiny"), folder, cache_file=tmp_path / "file" / "verified.json") == path


def test_a_bounded_number_of_hashes_is_remembered(cache_file: Path, tmp_path: Path) -> None:
    for index in range(checkpoints.MAX_REMEMBERED + 3):
        path = tmp_path / f"{index}.pt"
        path.write_bytes(b"")
        checkpoints.remembered_sha256(path, cache_file)
    names = [Path(name).name for name in msgspec.json.decode(cache_file.read_bytes())]
    assert len(names) == checkpoints.MAX_REMEMBERED
    assert names[-1] == path.name
