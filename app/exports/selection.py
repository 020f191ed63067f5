"""What is exported: a picture, some of its objects, and how to get at their pixels. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray
from app.protocol.values import ExportOptions
from app.session.classes import ClassList
from app.session.objects import SessionObject
from app.session.values import OpenImage

PixelArray = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB, or (H, W, 4) with alpha where the picture is transparent; upright, at its native size."""


@dataclass(frozen=True)
class ExportObject:
    """An object and its mask.

    Attributes:
        item: the object with its name, colour and prompt.
        score: the model's own predicted IoU of the mask.
        draw: returns the mask, (H, W) bool at the picture's native size. Called once, when it is needed: the masks
            of all objects of a large picture don't fit in memory together.
        tolerance_px: how far its polygons may stray from it; None for as close as the eye needs.
    """

    item: SessionObject
    score: float
    draw: Callable[[], MaskArray]
    tolerance_px: float | None = None


@dataclass(frozen=True)
class Selection:
    """What goes into one file.

    Attributes:
        image: id and native size of the picture.
        name: the picture's file name as the client gave it, or None; not to be trusted.
        model: name of the model that made the masks.
        objects: in the order in which they were made; the last lies on top.
        pixels: returns the picture, only where a format shows it; the caller's own to change.
        classes: the ordered list, those without an object here too.
        options: how the file is made.
    """

    image: OpenImage
    name: str | None
    model: str
    objects: tuple[ExportObject, ...]
    pixels: Callable[[], PixelArray]
    classes: ClassList = field(default_factory=ClassList)
    options: ExportOptions = field(default_factory=ExportOptions)

    def color_of(self, shown: ExportObject) -> int:
        """Return the colour in which an object is shown, an index into the palette."""
        return self.classes.color_of(shown.item)


def within_tolerance(selection: Selection) -> Selection:
    """Return a selection whose polygons stray from their masks as far as its options allow."""
    tolerance_px = selection.options.tolerance
    return replace(selection, objects=tuple(replace(each, tolerance_px=tolerance_px) for each in selection.objects))
