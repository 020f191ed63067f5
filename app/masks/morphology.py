"""Changes of a mask's shape: holes filled, specks removed, the edge smoothed, moved out or in."""

from __future__ import annotations

from typing import Final, assert_never

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageFilter

from app.arrays import MaskArray
from app.masks.patches import labelled
from app.protocol.fields import Morphology
from app.protocol.run_lengths import box_of

DEFAULT_PX: Final = 2.0
"""How far an edge is moved or smoothed where nobody says."""
MAX_PX: Final = 64.0
"""How far at most: by then a mask is another one, and the time that it takes grows with it."""


def morphed(mask_hw: MaskArray, operation: Morphology, size: float | None, scale: float = 1.0) -> MaskArray:
    """Return a mask of another shape, (H, W) bool.

    Args:
        mask_hw: (H, W) bool; not changed.
        operation: what is done to it.
        size: as in `MorphStep`, in pixels of the picture.
        scale: pixels of the grid for one of the picture.
    """
    area = None if size is None else size * scale**2
    distance = min(MAX_PX, DEFAULT_PX if size is None else size) * scale
    if operation == "fill_holes":
        return without_holes(mask_hw, area)
    if operation == "remove_specks":
        return without_small_parts(mask_hw, area)
    if operation == "smooth":
        return smooth(mask_hw, distance)
    if operation == "grow":
        return grown(mask_hw, distance)
    if operation == "shrink":
        return shrunk(mask_hw, distance)
    assert_never(operation)


def without_holes(mask_hw: MaskArray, max_area: float | None) -> MaskArray:
    """Return a mask without holes of up to an area in pixels; None fills every hole."""
    ground, count = labelled(np.pad(~mask_hw, 1, constant_values=True))
    areas = np.bincount(ground.ravel(), minlength=count + 1)
    fills = np.ones(count + 1, np.bool_) if max_area is None else areas <= max_area
    fills[[0, ground[0, 0]]] = False  # the mask itself, and what lies around it
    filled: MaskArray = mask_hw | fills[ground[1:-1, 1:-1]]
    return filled


def without_small_parts(mask_hw: MaskArray, max_area: float | None) -> MaskArray:
    """Return a mask without parts of up to an area in pixels, but its largest; None keeps the largest alone."""
    parts, count = labelled(mask_hw, by_corners=True)
    if count < 2:
        return mask_hw
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    stays = np.zeros(count + 1, np.bool_) if max_area is None else areas > max_area
    stays[0], stays[1 + int(areas[1:].argmax())] = False, True
    kept: MaskArray = stays[parts]
    return kept


def smooth(mask_hw: MaskArray, radius: float) -> MaskArray:
    """Return a mask with its edge smoothed: pixels around which, weighed by a bell of this width, most is the mask."""
    around = boxed(mask_hw, int(np.ceil(3 * radius)) + 1)
    if around is None:
        return mask_hw
    grey = Pil.fromarray(np.pad(mask_hw, MARGIN, mode="edge")[around].astype(np.uint8) * np.uint8(255))
    blurred = np.asarray(grey.filter(ImageFilter.GaussianBlur(radius)))
    return put_back(mask_hw, around, blurred > 127)


MARGIN: Final = 1 + int(3 * MAX_PX)
"""Pixels that are added around a mask, so that what reaches the picture's side goes on behind it."""


def boxed(mask_hw: MaskArray, reach: int) -> tuple[slice, slice] | None:
    """Return the box of a mask and so far around it, on the mask widened by `MARGIN`; None where the mask is empty."""
    x0, y0, x1, y1 = box_of(mask_hw)
    if x1 == 0:
        return None
    reach = min(reach, MARGIN)
    return slice(y0 + MARGIN - reach, y1 + MARGIN + reach), slice(x0 + MARGIN - reach, x1 + MARGIN + reach)


def put_back(mask_hw: MaskArray, around: tuple[slice, slice], changed: MaskArray) -> MaskArray:
    """Return a mask with its box replaced by what it was changed to."""
    wide = np.zeros((mask_hw.shape[0] + 2 * MARGIN, mask_hw.shape[1] + 2 * MARGIN), np.bool_)
    wide[around] = changed
    return wide[MARGIN:-MARGIN, MARGIN:-MARGIN].copy()


def grown(mask_hw: MaskArray, distance: float) -> MaskArray:
    """Return every pixel whose middle lies within a distance in pixels of that of one of the mask."""
    around = boxed(mask_hw, int(distance) + 1)
    if around is None:
        return mask_hw
    return put_back(mask_hw, around, near(np.pad(mask_hw, MARGIN)[around], distance))


def shrunk(mask_hw: MaskArray, distance: float) -> MaskArray:
    """Return every pixel that lies farther than a distance in pixels from all that isn't the mask.

    Beyond the picture's sides the mask goes on as it is there: an object that the picture cuts keeps its cut.
    """
    around = boxed(mask_hw, int(distance) + 1)
    if around is None:
        return mask_hw
    inside = np.pad(mask_hw, MARGIN, mode="edge")[around]
    return put_back(mask_hw, around, inside & ~near(~inside, distance))


def near(mask_hw: MaskArray, distance: float) -> MaskArray:
    """Return which pixels lie within a distance of the mask, (H, W) bool; what lies outside is no mask."""
    reach = int(distance)
    rows = rows_to(mask_hw, reach)
    result: MaskArray = rows == 0
    for step in range(1, reach + 1):
        within = rows <= int(np.sqrt(distance**2 - step**2))
        result[:, step:] |= within[:, :-step]
        result[:, :-step] |= within[:, step:]
    result |= rows <= reach
    return result


def rows_to(mask_hw: MaskArray, reach: int) -> NDArray[np.uint8]:
    """Return how many rows above or below the next pixel of the mask lies, (H, W) uint8; more than `reach` is one more.

    Args:
        mask_hw: (H, W) bool.
        reach: up to 254.
    """
    rows = np.where(mask_hw, 0, reach + 1).astype(np.uint8)
    for step in range(1, reach + 1):
        found = (rows[:-1] == step - 1) & (rows[1:] > step)
        rows[1:][found] = step
        found = (rows[1:] == step - 1) & (rows[:-1] > step)
        rows[:-1][found] = step
    return rows
