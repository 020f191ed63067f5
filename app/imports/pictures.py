"""Masks as pictures: grey for one object, indexed or coloured for several."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image as Pil

from app.arrays import MaskArray
from app.errors import BadMessageError, Reason
from app.imports.values import LabelCollector
from app.imports.yolo import stem

FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
HALF: Final = 127
OPAQUE: Final = 255
NUMBERED: Final = re.compile(r"^\d{3}-(.+)$")
"""What we call the PNG of one of several objects: its number and its class."""


def read_mask(data: bytes, found: LabelCollector, file_name: str) -> None:
    """Take in a mask, or those of several objects.

    Args:
        data: a picture of the open picture's size. Indexed colours and numbers are an object each, 0 is none; of a grey
            or coloured one what is bright is the object, of a transparent one what is opaque.
        found: where they go.
        file_name: of a mask that was exported, it tells the class.

    Raises:
        BadMessageError: it can't be read, or is of another size.
    """
    try:
        with Pil.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.size != (found.image.width, found.image.height):
                raise BadMessageError(
                    Reason(
                        "mask_size",
                        "expected a mask of {width} x {height} pixels, got {got_width} x {got_height}; scale it",
                        width=found.image.width,
                        height=found.image.height,
                        got_width=picture.width,
                        got_height=picture.height,
                    )
                )
            masks = list(masks_in(picture, found.limits.max_objects))
    except (OSError, SyntaxError, ValueError, Pil.DecompressionBombError) as error:
        raise BadMessageError(
            Reason("mask_unread", "the mask can't be read ({cause})", cause=str(error)[:100])
        ) from error
    named = NUMBERED.match(stem(file_name))
    name = named[1] if named else ""
    for where, mask_hw in masks:
        found.mask(where, mask_hw, name)


def masks_in(picture: Pil.Image, most: int) -> Iterator[tuple[str, MaskArray]]:
    """Yield each mask of a picture, (H, W) bool, and what it is there."""
    if picture.mode in ("P", "I;16", "I"):
        numbers = np.asarray(picture)
        values = np.unique(numbers)
        for value in values[values != 0]:
            yield f"number {value}", numbers == value
        return
    if picture.has_transparency_data:
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        if alpha.min() < OPAQUE:
            yield "what is opaque", alpha > HALF
            return
    grey = np.asarray(picture.convert("L"))
    values = np.unique(grey)
    if len(values[values != 0]) > 1 and values.max() <= most:  # numbers of objects, too dark to be seen
        for value in values[values != 0]:
            yield f"number {value}", grey == value
        return
    yield "the mask", grey > (HALF if values.max() > HALF else 0)
