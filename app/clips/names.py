"""What clips and their frames are called: by the hash of the file, so that who has the file has the name. Pure."""

from __future__ import annotations

import re
from typing import Final

from app.errors import UnknownImageError
from app.protocol.clips import ClipPart

NUMBER: Final = r"\d{1,6}(?:\.\d{1,6})?"
CLIP_ID: Final = re.compile(rf"clip-([0-9a-f]{{32}})(?:-({NUMBER})-({NUMBER})-({NUMBER}))?")
"""The hash of the file, and begin, end and rate of a part."""
FRAME_MARK: Final = "#"


def file_id_of(digest: str) -> str:
    """Return the name of a clip's file by the SHA-256 of it in hexadecimal; it is that of the whole clip."""
    return f"clip-{digest[:32]}"


def clip_id_of(file_id: str, part: ClipPart | None) -> str:
    """Return the name of a clip, or of a part of it."""
    if part is None:
        return file_id
    return "-".join(
        [file_id, *(f"{number:.6f}".rstrip("0").rstrip(".") for number in (part.begin, part.end, part.rate))]
    )


def split_clip_id(clip_id: str) -> tuple[str, ClipPart | None]:
    """Return the name of a clip's file, and the part of it, None for the whole.

    Raises:
        UnknownImageError: no clip has such a name.
    """
    found = CLIP_ID.fullmatch(clip_id)
    if found is None:
        raise UnknownImageError("this is no name of a clip; use the one that came with its upload")
    digest, begin, end, rate = found.groups()
    part = None if begin is None else ClipPart(begin=float(begin), end=float(end), rate=float(rate))
    return f"clip-{digest}", part


def is_clip_name(image_id: str) -> bool:
    """Return whether a name is that of a clip, and not of a picture."""
    return image_id.startswith("clip-") and not is_frame(image_id)


def frame_source(clip_id: str, index: int) -> str:
    """Return the name of a frame, as of a picture of its own; `index` counts from 0."""
    return f"{clip_id}{FRAME_MARK}{index}"


def is_frame(source: str) -> bool:
    """Return whether a name is that of a clip's frame."""
    return FRAME_MARK in source


def split_source(source: str) -> tuple[str, int]:
    """Return the name of a frame's clip and its place in it.

    Raises:
        UnknownImageError: no frame has such a name.
    """
    clip_id, _, number = source.partition(FRAME_MARK)
    if not re.fullmatch(r"\d{1,6}", number):
        raise UnknownImageError("this is no name of a frame; it is CLIP_ID#INDEX, counted from 0")
    return clip_id, int(number)
