"""Taking a checkpoint from a file: the right file or none."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from filelock import FileLock

from app.errors import ModelUnavailableError
from app.weights import download
from app.weights.checkpoints import file_sha256
from app.weights.importing import adopt, recognised
from app.weights.manifest import Manifest, ModelEntry, load_manifest

CONTENT = b"weights of tiny"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "stick" / "download (1).pt"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def entry(source: Path) -> ModelEntry:
    return msgspec.structs.replace(
        load_manifest().entry("tiny"), file="model.pt", bytes=len(CONTENT), sha256=file_sha256(source)
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoints folder that isn't there yet."""
    return tmp_path / "checkpoints"


def ignore(done: int, total: int) -> None:
    """Let a copy go on."""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


def test_the_file_is_copied_under_its_own_name(entry: ModelEntry, source: Path, folder: Path) -> None:
    path = adopt(entry, source, folder, progress=ignore)
    assert (path, path.read_bytes()) == (folder / "model.pt", CONTENT)
    assert names_in(folder) == ["model.pt"]
    assert source.exists()


def test_progress_grows_to_the_whole(entry: ModelEntry, source: Path, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    adopt(entry, source, folder, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_what_is_there_already_is_left_alone(entry: ModelEntry, source: Path, folder: Path) -> None:
    adopt(entry, source, folder, progress=ignore)
    before = (folder / "model.pt").stat()
    adopt(entry, source, folder, progress=ignore)
    assert adopt(entry, folder / "model.pt", folder, progress=ignore) == folder / "model.pt"
    assert (folder / "model.pt").stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"weights of TINY", "its sha256 is .*, expected"),
        (b"weights", "has 7 bytes where .* has 15"),
        (None, "no file"),
    ],
    ids=["altered", "cut", "missing"],
)
def test_any_other_file_is_refused_and_nothing_is_left(
    entry: ModelEntry, source: Path, folder: Path, content: bytes | None, text: str
) -> None:
    if content is None:
        source.unlink()
    else:
        source.write_bytes(content)
    with pytest.raises(ModelUnavailableError, match=text):
        adopt(entry, source, folder, progress=ignore)
    assert names_in(folder) == []


def test_what_a_download_left_is_kept_when_the_file_is_refused(entry: ModelEntry, source: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "model.pt.part").write_bytes(CONTENT[:4])
    source.write_bytes(b"weights of TINY")
    with pytest.raises(ModelUnavailableError):
        adopt(entry, source, folder, progress=ignore)
    assert names_in(folder) == ["model.pt.part"]


def test_a_disk_without_room_is_told_before_anything_is_copied(
    entry: ModelEntry, source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(ModelUnavailableError, match="make room"):
        adopt(entry, source, folder, progress=ignore)
    assert names_in(folder) == []


def test_while_another_process_brings_the_file_this_one_waits(
    entry: ModelEntry, source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "LOCK_POLL_S", 0.01)
    folder.mkdir()
    with FileLock(folder / ".model.pt.lock"), pytest.raises(ModelUnavailableError, match="another process"):
        adopt(entry, source, folder, progress=ignore, lock_timeout_s=0.03)


def test_a_folder_that_cannot_be_made_is_named(entry: ModelEntry, source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelUnavailableError, match=r"can't be copied to .*file"):
        adopt(entry, source, tmp_path / "file" / "checkpoints", progress=ignore)


def test_a_file_is_recognised_by_its_size(entry: ModelEntry, source: Path) -> None:
    assert recognised(Manifest((load_manifest().entry("large"), entry)), source) is entry


def test_weights_of_ones_own_are_told_how_they_run(source: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=re.escape(f"serve --model NAME --checkpoint {source} (NAME:")):
        recognised(load_manifest(), source)


@pytest.mark.parametrize("content", [b"weights of MINE", b"fine-tuned weights"], ids=["same size", "another size"])
def test_fine_tuned_weights_of_a_model_are_told_how_they_run(
    entry: ModelEntry, source: Path, folder: Path, content: bytes
) -> None:
    source.write_bytes(content)
    cure = f"run them with: serve --model {entry.name} --checkpoint {source}"
    with pytest.raises(ModelUnavailableError, match=re.escape(cure) + "$"):
        adopt(entry, source, folder, progress=ignore)
