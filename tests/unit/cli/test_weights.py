"""`python -m app weights`, with small files in the place of models."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from app.__main__ import main
from app.cli import weights
from app.settings import Settings
from app.weights import catalogue
from app.weights.checkpoints import file_sha256
from app.weights.manifest import Manifest, ModelEntry, load_manifest
from tests.helpers.weights_site import CONTENT, Site, served

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with served(site):
        yield site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "somewhere.pt"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def manifest(site: Site, source: Path) -> Manifest:
    """Nano as it is, a `tiny` that the site has, and a `large` that it hasn't."""
    tiny = msgspec.structs.replace(
        load_manifest().entry("tiny"), urls=(site.url,), bytes=len(CONTENT), sha256=file_sha256(source)
    )
    large = msgspec.structs.replace(load_manifest().entry("large"), urls=("http://127.0.0.1:1/large.pt",))
    return Manifest((load_manifest().entry("nano"), tiny, large))


@pytest.fixture
def run(manifest: Manifest, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs an action and gives its exit code, output and complaints."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOVERSAM_CHECKPOINTS_DIR", str(folder))
    monkeypatch.setattr(weights, "known_models", lambda _: manifest)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["weights", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def line_of(table: str, model: str) -> str:
    return next(line for line in table.splitlines() if line.startswith(model))


def tiny(manifest: Manifest) -> ModelEntry:
    return manifest.entry("tiny")


def test_list_says_which_models_are_here(run: Run, manifest: Manifest, folder: Path) -> None:
    folder.mkdir()
    code, table, _ = run("list")
    assert code == 0
    assert line_of(table, "nano").endswith("comes with the program")
    assert line_of(table, "tiny").endswith("not here")
    (folder / f"{tiny(manifest).file}.part").write_bytes(CONTENT[: len(CONTENT) // 4])
    assert line_of(run("list")[1], "tiny").endswith("25 % fetched")
    (folder / tiny(manifest).file).write_bytes(b"own")
    assert line_of(run("list")[1], "tiny").endswith("another file of that name (3 bytes)")
    (folder / tiny(manifest).file).write_bytes(CONTENT)
    assert line_of(run("list")[1], "tiny").endswith("here")


def test_fetch_brings_a_model_with_a_progress_bar(run: Run, manifest: Manifest, folder: Path) -> None:
    code, said, bar = run("fetch", "tiny")
    assert (code, said) == (0, f"tiny: {folder / tiny(manifest).file}\n")
    assert (folder / tiny(manifest).file).read_bytes() == CONTENT
    assert "100%" in bar


def test_fetch_says_why_it_could_not(run: Run, manifest: Manifest, site: Site, folder: Path) -> None:
    site.content = b"x" * len(CONTENT)
    code, _, complaint = run("fetch", "tiny")
    assert code == 3
    assert "sent a file with another hash" in complaint.splitlines()[-1]
    assert not (folder / tiny(manifest).file).exists()


def test_fetch_of_an_unknown_model_begins_nothing(run: Run, site: Site) -> None:
    code, _, complaint = run("fetch", "tiny", "huge")
    assert code == 3
    assert "choose one of nano, tiny, large" in complaint
    assert site.asked == []


def test_offline_nothing_is_fetched(run: Run, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOVERSAM_OFFLINE", "1")
    assert run("fetch", "tiny")[0] == 3
    assert site.asked == []


def test_an_interrupted_fetch_says_that_what_came_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "fetch_with_bar", interrupted)
    code, _, complaint = run("fetch", "tiny")
    assert code == 130
    assert "goes on from there" in complaint


def test_verify_hashes_what_is_here(run: Run, manifest: Manifest, folder: Path) -> None:
    folder.mkdir()
    assert run("verify")[0] == 0
    assert run("verify", "tiny")[0] == 3
    path = folder / tiny(manifest).file
    path.write_bytes(CONTENT)
    code, said, _ = run("verify", "tiny")
    assert (code, said) == (0, f"tiny: {path} is as published\n")


def test_verify_finds_a_change_that_size_and_time_do_not_show(run: Run, manifest: Manifest, folder: Path) -> None:
    folder.mkdir()
    path = folder / tiny(manifest).file
    path.write_bytes(CONTENT)
    assert run("verify")[0] == 0
    times = path.stat()
    path.write_bytes(CONTENT[:-1] + b"?")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    code, said, complaint = run("verify")
    assert code == 3
    assert "was altered" in complaint
    assert "nano" in said  # the others are looked at all the same


def test_import_takes_a_file_by_its_size(run: Run, manifest: Manifest, folder: Path, source: Path) -> None:
    code, said, _ = run("import", str(source))
    assert (code, said) == (0, f"tiny: {folder / tiny(manifest).file}\n")
    assert (folder / tiny(manifest).file).read_bytes() == CONTENT


def test_import_of_a_file_that_is_another_model_is_refused(run: Run, folder: Path, source: Path) -> None:
    code, _, complaint = run("import", str(source), "--as", "large")
    assert code == 3
    assert "where the checkpoint of large has" in complaint
    assert not folder.exists()


def test_a_wrong_setting_is_a_wrong_use(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOVERSAM_WEIGHTS_MIRRORS", "ftp://example.org")
    assert run("list")[0] == 2


def test_mirrors_are_asked_first_and_only_for_what_is_fetched() -> None:
    known = catalogue.known_models(Settings(weights_mirrors=("http://mirror/sam/", "https://other")))
    assert known.entry("tiny").urls == (
        "http://mirror/sam/sam2.1_hiera_tiny.pt",
        "https://other/sam2.1_hiera_tiny.pt",
        *load_manifest().entry("tiny").urls,
    )
    assert known.entry("nano") == load_manifest().entry("nano")
