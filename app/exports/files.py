"""A file in the making, never larger than allowed."""

from __future__ import annotations

import io
from dataclasses import dataclass

from app.errors import ImageTooLargeError


@dataclass(frozen=True)
class ExportFile:
    """A file for the user. `name` is fit for any file system."""

    name: str
    media_type: str
    data: bytes


class BoundedBuffer(io.BytesIO):
    """Memory to write a file into; too large a file is given up as soon as it is."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__()
        self._max_bytes = max_bytes

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Write some bytes.

        Raises:
            ImageTooLargeError: the file would have more than `max_bytes`.
        """
        check_bytes(self.tell() + len(data), self._max_bytes)
        return super().write(data)


def check_bytes(nbytes: int, max_bytes: int) -> None:
    """Refuse a file that is too large.

    Raises:
        ImageTooLargeError: it has more than `max_bytes`.
    """
    if nbytes > max_bytes:
        raise ImageTooLargeError(
            f"an exported file may have {max_bytes} bytes and this one gets larger; export fewer objects at a time, "
            "or raise HOVERSAM_MAX_EXPORT_BYTES"
        )
