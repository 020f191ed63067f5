"""A folder of files that several processes write, read and sweep at once, without knowing of one another.

Decision: no lock and no index. Context: the processes may run on several machines and end at any moment, and locks of
network file systems are not to be relied on. Choice: a file gets its name when it is whole, the time of its last use is
its own modification time, and who sweeps leaves what another process has taken away already. Price: each sweep lists
the folder, and two that sweep at the same moment do the same work.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Final

NAME: Final = re.compile(r"[0-9A-Za-z_-]{16,64}")
"""What a file may be called: hashes and tokens. Anything else, such as a path, names no file."""
PART: Final = ".part"
"""How a file's name ends until it is whole."""
PART_AGE_S: Final = 600.0
"""After so long without a write, a part belongs to a process that has ended."""
CLOCK: Final = ".clock"
"""A file that a sweep touches to learn the time by the clock that all the others' times are from."""


@dataclass(frozen=True)
class Bounds:
    """How much a folder keeps; where there is more, the least recently used files go."""

    max_bytes: int
    max_files: int
    max_age_s: float


class BoundedFolder:
    """Files by their names, each written once as a whole."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        """Know the folder; `prepare` makes it.

        Args:
            path: the folder, which nothing else uses.
            bounds: how much it keeps.
        """
        self.path, self._bounds = path, bounds

    def prepare(self) -> None:
        """Make the folder, closed to other users, and see that files can be written into it.

        It is not made again when it goes: what is left of a disk that went away would be a place of this machine alone.

        Raises:
            OSError: the folder can't be made or written to.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._now_s()

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file, in the place of one of that name.

        Raises:
            ValueError: no file may be called so.
            OSError: the folder takes no file; nothing of it stays.
        """
        if NAME.fullmatch(name) is None:
            raise ValueError(f"expected a hash or a token as a file's name, got {name!r}")
        part = self.path / f".{name}.{token_hex(8)}{PART}"
        try:
            with open(part, "xb", opener=private) as file:
                for piece in pieces:
                    file.write(piece)
            part.replace(self.path / name)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def open(self, name: str) -> BinaryIO | None:
        """Return a file to be read and closed by the caller, also if it is swept meanwhile; None where there is none.

        Raises:
            OSError: the folder or the file can't be read.
        """
        if NAME.fullmatch(name) is None:
            return None
        path = self.path / name
        try:
            file = path.open("rb")
        except FileNotFoundError:
            if not self.path.is_dir():
                raise
            return None
        with contextlib.suppress(OSError):  # a folder that is only read still serves
            os.utime(path)
        return file

    def remove(self, name: str) -> None:
        """Take a file away, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Take away what is too old or too much; the newest file stays however large it is.

        Raises:
            OSError: the folder can't be read or changed.
        """
        now_s, count, nbytes = self._now_s(), 0, 0
        for entry, found in sorted(self._files(), key=lambda each: (each[1].st_mtime, each[0].name), reverse=True):
            age_s = now_s - found.st_mtime
            if entry.name.endswith(PART):
                is_kept = age_s <= PART_AGE_S
            else:
                count, nbytes = count + 1, nbytes + found.st_size
                fits = count == 1 or (count <= self._bounds.max_files and nbytes <= self._bounds.max_bytes)
                is_kept = fits and age_s <= self._bounds.max_age_s
            if not is_kept:
                Path(entry.path).unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
        with os.scandir(self.path) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # another process has swept it
                    if (NAME.fullmatch(entry.name) or entry.name.endswith(PART)) and entry.is_file():
                        yield entry, entry.stat()

    def _now_s(self) -> float:
        """Return the time by the clock of the folder's own file system, which may be another machine's."""
        clock = self.path / CLOCK
        clock.touch(mode=0o600)
        return clock.stat().st_mtime


def private(path: str, flags: int) -> int:
    """Open a file that nobody but its user may read."""
    return os.open(path, flags, 0o600)
