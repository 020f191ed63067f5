"""A clip's file on disk, without a name: nothing of it outlives whoever has it."""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import IO, Final

from app.clips.kinds import EXPECTED
from app.clips.names import file_id_of
from app.errors import ImageTooLargeError, Reason, UnsupportedImageError

PIECE_BYTES: Final = 2**20
"""How much of a file is in memory while it is copied."""


class ClipFile:
    """The bytes that came of a clip. It is closed with the last reference to it.

    Attributes:
        file_id: its name, by its hash; that of the whole clip.
        nbytes: how many there are, at least one.
    """

    def __init__(self, file: IO[bytes], digest: str, nbytes: int) -> None:
        """Take over a file; see `of`.

        Args:
            file: open for reading.
            digest: the SHA-256 of its bytes, in hexadecimal.
            nbytes: how many there are.
        """
        self._file, self.file_id, self.nbytes = file, file_id_of(digest), nbytes
        weakref.finalize(self, file.close)

    @classmethod
    def of(cls, pieces: Iterable[bytes], max_bytes: int) -> ClipFile:
        """Write a file, piece by piece. Blocks on the disk; call it in a worker thread.

        Args:
            pieces: its bytes in their order.
            max_bytes: how many there may be.

        Raises:
            ImageTooLargeError: there are more.
            UnsupportedImageError: there are none.
            OSError: the disk takes them not.
        """
        digest, nbytes = hashlib.sha256(), 0
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the last reference to it
        try:
            for piece in pieces:
                nbytes += len(piece)
                if nbytes > max_bytes:
                    raise too_many_bytes(max_bytes)
                digest.update(piece)
                file.write(piece)
            if not nbytes:
                raise UnsupportedImageError(Reason("kind_empty", EXPECTED + ", got an empty file"))
            file.flush()
        except BaseException:
            file.close()
            raise
        return cls(file, digest.hexdigest(), nbytes)

    @classmethod
    def of_bytes(cls, data: bytes) -> ClipFile:
        """Write a file of bytes that are in memory anyway; raises as `of`."""
        return cls.of([data], len(data))

    def close(self) -> None:
        """Let go of it, whoever still refers to it."""
        self._file.close()

    def fileno(self) -> int:
        """Return its descriptor, whose place is shared: read it by `os.pread`."""
        return self._file.fileno()

    def mapped(self) -> mmap.mmap:
        """Return its bytes as they lie on the disk; the caller closes them."""
        return mmap.mmap(self.fileno(), 0, access=mmap.ACCESS_READ)

    def pieces(self) -> Iterator[bytes]:
        """Give its bytes, a piece in memory at a time; several threads may."""
        for offset in range(0, self.nbytes, PIECE_BYTES):
            yield os.pread(self.fileno(), PIECE_BYTES, offset)


def too_many_bytes(max_bytes: int) -> ImageTooLargeError:
    """Return what is said of a clip with more bytes than it may have."""
    text = "a clip may have {most} bytes, got more; save it smaller, or cut what isn't needed"
    return ImageTooLargeError(Reason("clip_bytes", text, most=max_bytes))
