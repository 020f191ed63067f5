"""One picture, stored turned in eight ways, with each mark that says so."""

from __future__ import annotations

import zlib
from typing import Any, Final

import numpy as np
from PIL import Image as Pil

from tests.helpers.image_files import chunk, file_of, with_chunks

UNDO: Final = {
    2: Pil.Transpose.FLIP_LEFT_RIGHT,
    3: Pil.Transpose.ROTATE_180,
    4: Pil.Transpose.FLIP_TOP_BOTTOM,
    5: Pil.Transpose.TRANSPOSE,
    6: Pil.Transpose.ROTATE_90,
    7: Pil.Transpose.TRANSVERSE,
    8: Pil.Transpose.ROTATE_270,
}
TURNED_KINDS: Final = (
    "jpeg",
    "jpeg xmp",
    "png",
    "png behind the pixels",
    "png xmp",
    "png xmp packed",
    "png raw profile",
    "png raw profile packed",
    "webp",
    "webp lossy",
    "webp xmp",
    "avif",
    "tiff",
)


def quarters(width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return red, green, blue and white quarters, (H, W, 3)."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    return pixels


MARKED: Final = quarters(60, 40)


def marked_square() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return quarters(48, 48)


def exif_of(orientation: int) -> bytes:
    exif = Pil.Exif()
    exif[0x0112] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


def xmp_of(orientation: int) -> bytes:
    return b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="%d"/>' % orientation


def turned_file(orientation: int, kind: str, upright: np.ndarray[Any, np.dtype[np.uint8]] = MARKED) -> bytes:
    """Return a file that is upright by its mark alone.

    Args:
        orientation: the mark, 1 to 8.
        kind: one of `TURNED_KINDS`.
        upright: (H, W, 3), what is to be seen.
    """
    picture = Pil.fromarray(upright)
    stored = picture.transpose(UNDO[orientation]) if orientation in UNDO else picture
    exif, xmp = exif_of(orientation), xmp_of(orientation)
    container, _, mark = kind.partition(" ")
    if container == "png":
        return marked_png(file_of(stored, "PNG"), mark, exif, xmp)
    options: dict[str, Any] = {"xmp": xmp} if mark == "xmp" else {"exif": b"Exif\0\0" + exif}
    if container == "tiff":
        return file_of(stored, "TIFF", tiffinfo={274: orientation})
    if container in ("jpeg", "avif"):
        options |= {"quality": 98, "subsampling": 0 if container == "jpeg" else "4:4:4"}
    else:
        options |= {"quality": 100} if mark == "lossy" else {"lossless": True}
    return file_of(stored, container.upper(), **options)


def marked_png(plain: bytes, mark: str, exif: bytes, xmp: bytes) -> bytes:
    """Return a PNG with a mark."""
    raw = b"\nexif\n%8d\n" % len(exif) + exif.hex().encode()
    chunks = {
        "": chunk(b"eXIf", exif),
        "xmp": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp),
        "xmp packed": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp)),
        "raw profile": chunk(b"tEXt", b"Raw profile type exif\0" + raw),
        "raw profile packed": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw)),
    }
    if mark == "behind the pixels":
        return plain[:-12] + chunks[""] + plain[-12:]
    return with_chunks(plain, chunks[mark])
