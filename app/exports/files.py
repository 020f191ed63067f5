"""A file in the making, never larger than allowed, and in memory only as long as it is small."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Final, Protocol

from app.errors import ImageTooLargeError, Reason

IN_MEMORY_BYTES: Final = 4 * 2**20
"""Of a larger file everything is on the disk, without a name: nothing of it outlives the process."""
PIECE_BYTES: Final = 2**18
"""How much of a file is in memory while it is sent or saved."""


class BoundedBuffer:
    """Where a file is written to, and read from again; too large a file is given up as soon as it is.

    What is open is closed with the last reference to it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - closed below
        self._reading = threading.Lock()
        self.nbytes = 0
        weakref.finalize(self, self._file.close)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Write some bytes.

        Raises:
            ImageTooLargeError: the file would have more than `max_bytes`.
            OSError: the disk is full.
        """
        end = self._file.tell() + len(data)
        check_bytes(end, self._max_bytes)
        self.nbytes = max(self.nbytes, end)
        return self._file.write(data)

    def tell(self) -> int:
        """Return where the next bytes go."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go somewhere else; a ZIP's sizes are written when they are known."""
        self._file.seek(offset, whence)  # which returns nothing on Python 3.10
        return self._file.tell()

    def seekable(self) -> bool:
        """Return that `seek` works."""
        return True

    def flush(self) -> None:
        """Do nothing: who writes is who reads."""

    def read_at(self, offset: int, count: int) -> bytes:
        """Return some of what was written; several threads may."""
        with self._reading:
            self._file.seek(offset)
            return self._file.read(count)


class FileContent(Protocol):
    """Bytes that are read piece by piece.

    Attributes:
        nbytes: how many there are.
    """

    nbytes: int

    def read_at(self, offset: int, count: int) -> bytes:
        """Return some of them; several threads may."""
        ...


@dataclass(frozen=True)
class ExportFile:
    """A file for the user. `name` is fit for any file system."""

    name: str
    media_type: str
    content: FileContent

    @property
    def data(self) -> bytes:
        """All of its bytes, in memory."""
        return self.content.read_at(0, self.content.nbytes)

    def pieces(self) -> Iterator[bytes]:
        """Give all of its bytes, a piece in memory at a time."""
        for offset in range(0, self.content.nbytes, PIECE_BYTES):
            yield self.content.read_at(offset, PIECE_BYTES)

    def copy_to(self, path: Path) -> None:
        """Write it into a file, in the place of the one that is there.

        Raises:
            OSError: the file can't be written.
        """
        with path.open("wb") as file:
            file.writelines(self.pieces())


def check_bytes(nbytes: int, max_bytes: int) -> None:
    """Refuse a file that is too large.

    Raises:
        ImageTooLargeError: it has more than `max_bytes`.
    """
    if nbytes > max_bytes:
        raise ImageTooLargeError(
            Reason(
                "export_bytes",
                "an exported file may have {most} bytes and this one gets larger; export fewer objects at a time, "
                "or raise HOVERSAM_MAX_EXPORT_BYTES",
                most=max_bytes,
            )
        )
