"""What a script has in place of a file, as the bytes of one: an open file, an array, a picture of Pillow's."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from app.client.timeline import PictureSource, source_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COLOR_TYPES: Final = {1: 0, 3: 2, 4: 6}
"""PNG's number for grey, RGB and RGBA, by how many samples a pixel has."""
UP: Final = 2
"""The filter of PNG that keeps what differs from the row above: photographs pack to some two thirds."""
PACKED_AS_PNG: Final = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})
"""Modes of Pillow that a PNG holds as they are; others are made RGB."""
ADDRESSES: Final = ("http://", "https://")


class Readable(Protocol):
    """A file that is open for reading bytes."""

    def read(self) -> bytes:
        """Return the rest of it."""
        ...


class HasPixels(Protocol):
    """An array of NumPy's, or of its kin, or a picture of Pillow's."""

    @property
    def __array_interface__(self) -> dict[str, Any]: ...


PictureLike: TypeAlias = str | Path | bytes | Readable | HasPixels
"""Whatever is opened as a picture; see `picture_of`."""


def picture_of(given: object) -> PictureSource:
    """Return a picture that a caller has as a file: its path, or bytes of one.

    Args:
        given: a path; the bytes of a file; a file that is open for reading them; pixels, (H, W, 3) uint8 in RGB, (H, W)
            grey or (H, W, 4) with alpha; or a picture of Pillow's, whose pixels count as they are, not turned by EXIF.

    Raises:
        TypeError: it is none of these, or the pixels are of another shape or dtype.
        ValueError: it is an address of the web.
    """
    if isinstance(given, str) and given.lower().startswith(ADDRESSES):
        raise ValueError(f"expected a file or pixels, got the address {given}; fetch it and open the bytes")
    if hasattr(given, "getbands"):
        return png_of_pillow(given)
    if hasattr(given, "__array_interface__") or hasattr(given, "__array__"):
        import numpy as np

        return png_of_array(np.asarray(given))
    if hasattr(given, "read"):
        data = given.read()
        if not isinstance(data, bytes):
            raise TypeError("expected a file that is open for bytes, got one for text; open it with 'rb'")
        return data
    return source_of(given)


def png_of_pillow(picture: Any) -> bytes:  # noqa: ANN401 - Pillow needn't be there
    """Return the pixels of a picture of Pillow's as a PNG, with its colour profile and without its EXIF.

    Raises:
        TypeError: they are fractions, of a range that nobody knows.
    """
    if picture.mode == "F":
        raise TypeError("expected a picture of 8 or 16 bits, got one of mode F; scale it and .convert('L')")
    wanted = "I;16" if picture.mode == "I" else "RGB"
    whole = picture if picture.mode in PACKED_AS_PNG else picture.convert(wanted)
    file = BytesIO()
    own = {"icc_profile": None} if whole is not picture else {}  # which is of the samples that it had
    whole.save(file, "PNG", compress_level=1, exif=b"", **own)
    return file.getvalue()


def png_of_array(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels, (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) uint8, as a PNG.

    Raises:
        TypeError: they are of another shape or dtype, or none at all.
    """
    import numpy as np

    shape = (*pixels.shape, 1) if pixels.ndim == 2 else pixels.shape
    if pixels.dtype != np.uint8 or len(shape) != 3 or shape[2] not in COLOR_TYPES or 0 in shape:
        raise TypeError(
            f"expected pixels as (H, W, 3) uint8 in RGB, (H, W) or (H, W, 4), got {pixels.shape} {pixels.dtype}; "
            "np.moveaxis(pixels, 0, -1) puts channels last, (pixels * 255).astype(np.uint8) is for those of 0 to 1"
        )
    height, width, samples = shape
    rows = pixels.reshape(height, width * samples)
    lines = np.full((height, 1 + width * samples), UP, np.uint8)
    lines[:, 1:] = rows
    lines[1:, 1:] -= rows[:-1]
    head = struct.pack(">IIBBBBB", width, height, 8, COLOR_TYPES[samples], 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 1)
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, (b"IHDR", b"IDAT", b"IEND"), (head, body, b"")))


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
