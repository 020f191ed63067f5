from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.service.bounded_folder import PART, PART_AGE_S, BoundedFolder, Bounds

NAMES = [f"{number:032x}" for number in range(5)]
ROOMY = Bounds(max_bytes=10**6, max_files=100, max_age_s=3600.0)


def folder_at(path: Path, bounds: Bounds = ROOMY) -> BoundedFolder:
    folder = BoundedFolder(path / "files", bounds)
    folder.prepare()
    return folder


def read(folder: BoundedFolder, name: str) -> bytes | None:
    file = folder.open(name)
    if file is None:
        return None
    with file:
        return file.read()


def aged(folder: BoundedFolder, name: str, age_s: float) -> None:
    """Let a file have been used so long ago."""
    path = folder.path / name
    at = path.stat().st_mtime - age_s
    os.utime(path, (at, at))


def filled(folder: BoundedFolder, count: int, size: int = 10) -> list[str]:
    """Fill a folder, the oldest file first; return the names."""
    for number, name in enumerate(NAMES[:count]):
        folder.write(name, [b"x" * size])
        aged(folder, name, 100.0 - number)
    return NAMES[:count]


def names(folder: BoundedFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir() if not path.name.startswith("."))


def test_what_was_written_is_read_by_whoever_has_the_folder(tmp_path: Path) -> None:
    folder_at(tmp_path).write(NAMES[0], [b"one ", b"whole"])
    assert read(folder_at(tmp_path), NAMES[0]) == b"one whole"
    assert read(folder_at(tmp_path), NAMES[1]) is None


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    folder.write(NAMES[0], [b"mine"])
    assert stat.S_IMODE((folder.path / NAMES[0]).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["../secret", "..", ".clock", "a/b", "", "x" * 65, "/etc/passwd", "\0" * 20])
def test_a_name_that_is_none_reaches_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    folder = folder_at(tmp_path)
    assert folder.open(name) is None
    with pytest.raises(ValueError, match="expected a hash"):
        folder.write(name, [b"x"])


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)

    def cut() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        folder.write(NAMES[0], cut())
    assert [path.name for path in folder.path.iterdir()] == [".clock"]


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    folder = folder_at(tmp_path, Bounds(max_bytes=25, max_files=100, max_age_s=3600.0))
    first, second, third = filled(folder, 3)
    assert read(folder, first)  # which is a use
    folder.sweep()
    assert names(folder) == sorted([first, third])
    assert read(folder, second) is None


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_bytes_are_kept_up_to_the_bound(tmp_path: Path, more: int) -> None:
    folder = folder_at(tmp_path, Bounds(max_bytes=30 - more, max_files=100, max_age_s=3600.0))
    filled(folder, 3)
    folder.sweep()
    assert len(names(folder)) == (2 if more > 0 else 3)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_files_are_kept_up_to_the_bound(tmp_path: Path, count: int) -> None:
    folder = folder_at(tmp_path, Bounds(max_bytes=10**6, max_files=3, max_age_s=3600.0))
    filled(folder, count)
    folder.sweep()
    assert len(names(folder)) == min(count, 3)


def test_a_file_that_nobody_asks_for_gets_too_old(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    for name, age_s in zip(NAMES, (3500.0, 3700.0), strict=False):
        folder.write(name, [b"x"])
        aged(folder, name, age_s)
    folder.sweep()
    assert names(folder) == [NAMES[0]]


def test_the_newest_file_stays_however_large(tmp_path: Path) -> None:
    folder = folder_at(tmp_path, Bounds(max_bytes=5, max_files=100, max_age_s=3600.0))
    filled(folder, 2)
    folder.sweep()
    assert names(folder) == [NAMES[1]]


def test_what_a_killed_process_left_goes_and_what_one_writes_now_stays(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    left, now = (f".{name}.0123{PART}" for name in NAMES[:2])
    for part in (left, now):
        (folder.path / part).write_bytes(b"half")
    aged(folder, left, PART_AGE_S + 60)
    folder.sweep()
    assert {path.name for path in folder.path.iterdir()} == {".clock", now}


def test_a_file_that_is_read_is_read_to_its_end_though_it_is_swept(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    folder.write(NAMES[0], [b"to the end"])
    with folder.open(NAMES[0]) or pytest.fail("it is there") as file:
        folder.remove(NAMES[0])
        assert file.read() == b"to the end"


def test_many_write_read_and_sweep_at_once_and_nobody_sees_half_a_file(tmp_path: Path) -> None:
    bounds = Bounds(max_bytes=3 * 10**5, max_files=3, max_age_s=3600.0)

    def work(turn: int) -> set[int]:
        folder, seen = BoundedFolder(tmp_path / "files", bounds), set()
        for step in range(12):
            name = NAMES[(turn + step) % len(NAMES)]
            folder.write(name, [b"x" * 50_000, b"y" * 50_000])
            folder.sweep()
            seen.add(len(read(folder, name) or b""))
        return seen

    folder_at(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        assert set().union(*pool.map(work, range(4))) <= {0, 100_000}
    assert not list((tmp_path / "files").glob(f"*{PART}"))


def test_a_folder_that_has_gone_is_told_and_not_made_again(tmp_path: Path) -> None:
    folder = folder_at(tmp_path)
    folder.path.rename(tmp_path / "elsewhere")
    works: list[Callable[[], object]] = [
        lambda: folder.open(NAMES[0]),
        lambda: folder.write(NAMES[0], [b"x"]),
        folder.sweep,
    ]
    for work in works:
        with pytest.raises(FileNotFoundError):
            work()
    assert not folder.path.exists()
