"""Files that people and attackers send: pictures as bytes, sound, odd and damaged."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image as Pil

GRAY = (200, 200, 200)


def file_of(picture: Pil.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def png(width: int = 64, height: int = 48, color: Any = GRAY, mode: str = "RGB") -> bytes:
    return file_of(Pil.new(mode, (width, height), color), "PNG")


def noise(width: int, height: int, seed: int = 0) -> Pil.Image:
    return Pil.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def png_header(width: int, height: int, color_type: int = 2) -> bytes:
    """Return a small PNG that claims to be huge: its header, and rows that are all alike."""
    head = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    rows = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with_exif(exif: bytes, width: int = 64, height: int = 48) -> bytes:
    data = png(width, height)
    return data[:33] + chunk(b"eXIf", exif) + data[33:]


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """Return a PNG with more chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def wrong_checksum(whole: bytes) -> bytes:
    """Return a chunk whose checksum is wrong."""
    return whole[:-4] + bytes(byte ^ 0xFF for byte in whole[-4:])


def png16(levels: np.ndarray[Any, Any], *, alpha: np.ndarray[Any, Any] | None = None, more: bytes = b"") -> bytes:
    """Return a PNG of 16 bit grey, with alpha if need be; both (H, W)."""
    h, w = levels.shape
    parts = levels[..., None] if alpha is None else np.stack([levels, alpha], -1)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in parts)
    head = struct.pack(">IIBBBBB", w, h, 16, 0 if alpha is None else 4, 0, 0, 0)
    body = chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
