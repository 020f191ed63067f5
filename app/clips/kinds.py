"""What a clip's file is, by its first bytes. Only the parser of the format that a file begins like ever runs."""

from __future__ import annotations

from typing import Final, Literal

from app.errors import Reason, UnsupportedImageError

ClipKind = Literal["mov", "matroska", "GIF", "WEBP", "PNG", "ZIP"]
"""FFmpeg's name of a container, Pillow's of an animation, or a ZIP of pictures."""
VIDEOS: Final[tuple[ClipKind, ...]] = ("mov", "matroska")
EXPECTED: Final = "expected an MP4, MOV or WebM video, an animated GIF, WebP or PNG, or a ZIP of frames"
QUICKTIME: Final = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
"""How the first box of an MP4 or MOV may be called."""
STILLS: Final = {b"avif", b"heic", b"heix", b"mif1"}
"""Brands of pictures that are built like MP4."""


def kind_of(data: bytes) -> ClipKind:
    """Return what a clip's file is.

    Raises:
        UnsupportedImageError: it is no clip that is read.
    """
    if data[4:8] in QUICKTIME and data[8:12] not in STILLS:
        return "mov"
    starts: tuple[tuple[bytes, ClipKind], ...] = (
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"PK\x03\x04", "ZIP"),
    )
    for start, kind in starts:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if not data:
        raise UnsupportedImageError(Reason("kind_empty", EXPECTED + ", got an empty file"))
    raise UnsupportedImageError(Reason("clip_kind", EXPECTED + ", got something else"))


def is_clip(data: bytes) -> bool:
    """Return whether a file begins like a clip; of one frame it may still turn out to be a picture."""
    try:
        return bool(kind_of(data))
    except UnsupportedImageError:
        return False
