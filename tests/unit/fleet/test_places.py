"""Which workers get a GPU, and what a server that was killed leaves."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from app.fleet.cluster import FOLDER, forget_the_dead, places_for

NAMES = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("gpus", "device", "shared", "parts"),
    [
        (0, None, True, [None] * 4),
        (2, "cpu", False, [None] * 4),
        (1, None, True, [0.25] * 4),  # one machine: all on its GPU
        (2, None, True, [0.5] * 4),
        (3, None, True, [0.5] * 4),
        (8, None, True, [1.0] * 4),
        (2, None, False, [1.0, 1.0, 0.0, 0.0]),  # a cluster: GPUs first, and CPUs for when none is left
        (2, "cuda", False, [1.0] * 4),
        (8, None, False, [1.0] * 4),
    ],
)
def test_gpus_are_shared_on_one_machine_and_in_a_cluster_cpu_workers_stand_by(
    gpus: int, device: str | None, shared: bool, parts: list[float | None]
) -> None:
    assert places_for(NAMES, gpus, device, shared=shared) == dict(zip(NAMES, parts, strict=True))


def test_what_a_killed_server_left_goes_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(ended, 0)
    for name in (f"{FOLDER}{ended}-x", f"{FOLDER}{os.getpid()}-y", f"{FOLDER}notes-z", "other"):
        (tmp_path / name / "session").mkdir(parents=True)
    forget_the_dead()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{FOLDER}{os.getpid()}-y", f"{FOLDER}notes-z", "other"]
