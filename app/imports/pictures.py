"""Masks as pictures: grey for one object, indexed or coloured for several."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from app.arrays import MaskArray
from app.errors import BadMessageError, Reason
from app.imports.names import stem
from app.imports.values import LabelCollector
from app.session.values import OpenImage

FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
HALF: Final = 127
OPAQUE: Final = 255
NUMBERED: Final = re.compile(r"^\d{3}-(.+)$")
"""What we call the PNG of one of several objects: its number and its class."""


@dataclass(frozen=True)
class NumberedMask:
    """A mask as numbers.

    Attributes:
        hw: (H, W) of any whole type, the number of each pixel's object, or `ground` where there is none.
        called: what a number is called where it is told; `{}` stands for it.
        ground: the number of no object.
    """

    hw: NDArray[Any]
    called: str
    ground: int = 0


def read_mask(
    data: bytes, found: LabelCollector, file_name: str, name_of: Callable[[MaskArray], str] = lambda mask_hw: ""
) -> None:
    """Take in a mask, or those of several objects.

    Args:
        data: a picture of the open picture's size. Indexed colours, flat colours and numbers are an object each, 0 or
            black is none; of another one what is bright is the object, of a transparent one what is opaque.
        found: where they go; of more objects than there is room for only the number is told.
        file_name: of a mask that was exported, it tells the class.
        name_of: the class of one of its objects, of its mask, (H, W) bool; nothing where that isn't known.

    Raises:
        BadMessageError: it can't be read, or is of another size.
    """
    numbers = numbers_of(opened(data, found.image), found.limits.max_objects)
    named = NUMBERED.match(stem(file_name))
    values = np.unique(numbers.hw)
    objects = values[values != numbers.ground]
    # One mask is held at a time, and no more are tried than a picture takes: sixteen bits tell 65535 apart.
    tried = objects[: 0 if found.is_full else found.limits.max_objects]
    for value in tried.tolist():
        mask_hw = numbers.hw == value
        found.mask(numbers.called.format(value), mask_hw, named[1] if named else name_of(mask_hw))
    found.beyond(len(objects) - len(tried))


def opened(data: bytes, image: OpenImage) -> Pil.Image:
    """Return a mask's picture, decoded; raises as `read_mask`."""
    try:
        picture = Pil.open(io.BytesIO(data), formats=FORMATS)
        if picture.size != (image.width, image.height):
            raise BadMessageError(
                Reason(
                    "mask_size",
                    "expected a mask of {width} x {height} pixels, got {got_width} x {got_height}; scale it",
                    width=image.width,
                    height=image.height,
                    got_width=picture.width,
                    got_height=picture.height,
                )
            )
        picture.load()
        return picture
    except (OSError, SyntaxError, ValueError, Pil.DecompressionBombError) as error:
        raise BadMessageError(
            Reason("mask_unread", "the mask can't be read ({cause})", cause=str(error)[:100])
        ) from error


def rgb_of(picture: Pil.Image) -> NDArray[np.uint32]:
    """Return the colour of each pixel as 0xRRGGBB, (H, W)."""
    return as_numbers(np.asarray(picture.convert("RGB")))


def as_numbers(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the colour of each pixel as 0xRRGGBB, (H, W), of (H, W, 3 or more) RGB."""
    red, green, blue = (pixels[..., at].astype(np.uint32) for at in range(3))
    colors: NDArray[np.uint32] = red << np.uint32(16) | green << np.uint32(8) | blue
    return colors


def numbers_of(picture: Pil.Image, most: int) -> NumberedMask:
    """Return a mask's picture as numbers; `most` objects make a picture of numbers too dark to be seen."""
    if picture.mode == "P":
        return NumberedMask(np.asarray(picture), "number {}", ground_of(picture))
    if picture.mode in ("I;16", "I"):
        return NumberedMask(np.asarray(picture), "number {}")
    if picture.has_transparency_data:
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        if alpha.min() < OPAQUE:
            return NumberedMask((alpha > HALF).astype(np.uint8), "what is opaque")
    if picture.format != "JPEG" and picture.mode in ("RGB", "RGBA"):
        colors = colors_of(np.asarray(picture), most)
        if colors is not None:
            return NumberedMask(colors, "colour #{:06x}")
    grey = np.asarray(picture.convert("L"))
    values = np.unique(grey)
    if len(values[values != 0]) > 1 and values.max() <= most:
        return NumberedMask(grey, "number {}")
    return NumberedMask((grey > (HALF if values.max() > HALF else 0)).astype(np.uint8), "the mask")


def ground_of(picture: Pil.Image) -> int:
    """Return which index of a palette is no object: 0, but what is transparent, or black where 0 isn't.

    Programs that choose the palette themselves put its colours in whatever order.
    """
    palette, clear = picture.getpalette("RGB") or [], picture.info.get("transparency")
    used = np.bincount(np.asarray(picture).ravel(), minlength=1).nonzero()[0].tolist()
    if isinstance(clear, int) and clear in used:
        return clear
    if not any(palette[:3]):
        return 0
    return next((index for index in used if not any(palette[3 * index : 3 * index + 3])), 0)


def colors_of(pixels: NDArray[np.uint8], most: int) -> NDArray[np.uint32] | None:
    """Return the colour of each pixel as a number, (H, W), 0 for black; None where the colours tell no objects apart.

    They do where they are flat and few. The edge of a mask that was drawn in one colour has shades of it; a shade of an
    edge fills no two by two pixels.

    Args:
        pixels: (H, W, 3 or more) RGB.
        most: objects of a picture.
    """
    if (pixels[..., :1] == pixels[..., 1:3]).all():
        return None
    colors = as_numbers(pixels)
    corner = colors[:-1, :-1]
    alike = (corner == colors[1:, :-1]) & (corner == colors[:-1, 1:]) & (corner == colors[1:, 1:])
    flat = np.unique(corner[alike])
    if not 0 < len(flat) <= most + 1:
        return None
    return colors if len(np.unique(colors)) <= 2 * len(flat) else None
