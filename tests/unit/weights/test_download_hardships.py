"""Fetching a checkpoint while the disk is full and while other processes fetch or die: the right file or none."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.errors import ModelUnavailableError
from app.weights.download import fetch
from app.weights.manifest import ModelEntry, load_manifest
from tests.helpers.checkpoint_factory import described
from tests.helpers.weights_site import CONTENT, Site, served

ROOT = Path(__file__).parent.parent.parent.parent
DEADLINE_S = 60.0
FULL = Path("/dev/full")
FETCH = """
import sys, msgspec
from pathlib import Path
from app.weights.download import fetch
from app.weights.manifest import ModelEntry
fetch(msgspec.json.decode(sys.argv[1], type=ModelEntry), Path(sys.argv[2]), progress=lambda done, total: None)
"""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with served(site):
        yield site


@pytest.fixture
def entry(site: Site, tmp_path: Path) -> ModelEntry:
    (tmp_path / "sample").write_bytes(CONTENT)
    tiny = msgspec.structs.replace(load_manifest().entry("tiny"), file="model.pt", urls=(site.url,))
    return described(tiny, tmp_path / "sample")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    return folder


def ignore(done: int, total: int) -> None:
    """Let a fetch go on."""


def fetching(entry: ModelEntry, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", FETCH, msgspec.json.encode(entry).decode(), str(folder)], cwd=ROOT)


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
def test_a_disk_that_is_full_at_the_write_is_named_and_no_file_gets_the_name(entry: ModelEntry, folder: Path) -> None:
    part = folder / "model.pt.part"
    part.symlink_to(FULL)
    with pytest.raises(ModelUnavailableError, match=r"can't be written to .*No space left.*free or permit it"):
        fetch(entry, folder, progress=ignore)
    assert not (folder / "model.pt").exists()
    part.unlink()
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT


def test_processes_that_race_fetch_once(entry: ModelEntry, site: Site, folder: Path) -> None:
    racers = [fetching(entry, folder) for _ in range(3)]
    assert [racer.wait(DEADLINE_S) for racer in racers] == [0, 0, 0]
    assert (folder / "model.pt").read_bytes() == CONTENT
    assert len(site.asked) == 1


def test_what_a_killed_process_began_is_gone_on_with(entry: ModelEntry, site: Site, folder: Path) -> None:
    site.stall = threading.Event()
    process = fetching(entry, folder)
    part, deadline = folder / "model.pt.part", time.monotonic() + DEADLINE_S
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
        assert time.monotonic() < deadline
        os.sched_yield()
    process.kill()
    process.wait(DEADLINE_S)
    site.stall.set()
    site.stall = None
    came = part.stat().st_size
    assert fetch(entry, folder, progress=ignore).read_bytes() == CONTENT
    assert site.asked == [None, f"bytes={came}-"]
