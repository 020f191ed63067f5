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
