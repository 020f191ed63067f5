"""Takes specks and pinholes out of a mask before it is shown.

SAM 2 does the same to masks of at most a given area (`max_sprinkle_area`, `max_hole_area` of its predictor), but only
with its CUDA extension; here scipy labels the few cells of the logit grid. What is fed back to the model is not
touched.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from app.engine.contract import Logits
from app.protocol.masks import MaskArray, box_of

EIGHT_NEIGHBOURS: Final = np.ones((3, 3), np.int8)
FOUR_NEIGHBOURS: Final = None
"""scipy's default: a diagonal gap does not join two holes."""
SET_TO: Final = 1.0
"""Logit of a filled hole, and minus that of a removed speck: across the threshold, near enough for a soft edge."""


def without_specks(logits: Logits, share: float) -> Logits:
    """Return logits without patches and holes of up to a share of the picture; every mask that is shown is of these.

    Args:
        logits: (h, w) float32; not changed.
        share: of the picture's area; 0 changes nothing.
    """
    return cleaned(logits, round(share * logits.size))


def cleaned(logits: Logits, max_cells: int) -> Logits:
    """Return logits without foreground patches and background holes of at most `max_cells`; the largest patch stays.

    Only the mask's own box is looked at, and one cell around it; what reaches out of it is no hole.

    Args:
        logits: (h, w) float32; not changed.
        max_cells: cells of the logit grid; 0 changes nothing.
    """
    part = around(logits > 0)
    if max_cells == 0 or part is None:
        return logits
    shown = logits[part]
    inside = shown > 0
    specks = small_patches(inside, EIGHT_NEIGHBOURS, max_cells)
    holes = small_patches(~(inside & ~specks), FOUR_NEIGHBOURS, max_cells, beside=margin(part, logits.shape)) & ~inside
    if not (specks.any() or holes.any()):
        return logits
    changed: Logits = logits.copy()
    changed[part] = np.where(specks, -SET_TO, np.where(holes, SET_TO, shown))
    return changed


def smoothed(logits: Logits) -> Logits:
    """Return +1 or -1 for every cell (h, w), as most of the cell and its four neighbours are above 0 or not.

    A rim that is ragged by single cells becomes straight, and its run lengths few.
    """
    inside = np.pad((logits > 0).astype(np.int8), 1, mode="edge")
    votes = inside[1:-1, 1:-1] + inside[:-2, 1:-1] + inside[2:, 1:-1] + inside[1:-1, :-2] + inside[1:-1, 2:]
    result: Logits = np.where(votes > 2, np.float32(SET_TO), np.float32(-SET_TO))
    return result


def around(mask_hw: MaskArray) -> tuple[slice, slice] | None:
    """Return the mask's box and one cell around it where the grid has one, or None where the mask is empty."""
    x0, y0, x1, y1 = box_of(mask_hw)
    if x1 == 0:
        return None
    return slice(max(0, y0 - 1), y1 + 1), slice(max(0, x0 - 1), x1 + 1)


def margin(part: tuple[slice, slice], size_hw: tuple[int, ...]) -> MaskArray:
    """Return which cells of a part of the grid lie on a side behind which the grid goes on, (h, w) bool."""
    (top, bottom), (left, right) = (
        (axis.start, min(axis.stop, size)) for axis, size in zip(part, size_hw, strict=True)
    )
    cells = np.zeros((bottom - top, right - left), np.bool_)
    cells[:1] |= top > 0
    cells[-1:] |= bottom < size_hw[0]
    cells[:, :1] |= left > 0
    cells[:, -1:] |= right < size_hw[1]
    return cells


def small_patches(
    mask_hw: MaskArray, neighbours: NDArray[np.int8] | None, max_cells: int, *, beside: MaskArray | None = None
) -> MaskArray:
    """Return which cells lie in connected patches of at most `max_cells`, (h, w) bool.

    Args:
        mask_hw: (h, w) bool.
        neighbours: which cells hang together.
        max_cells: largest patch that counts as small.
        beside: (h, w) bool, patches with such a cell stay; None, or where there is none, the largest patch stays.
    """
    labels, count = ndimage.label(mask_hw, neighbours)
    if not count:
        return np.zeros(mask_hw.shape, np.bool_)
    areas = np.bincount(labels.ravel())
    small = areas <= max_cells
    small[0] = False  # what is no patch at all
    stay = [1 + int(areas[1:].argmax())] if beside is None or not beside.any() else labels[beside]
    small[stay] = False
    if not small.any():
        return np.zeros(mask_hw.shape, np.bool_)
    result: MaskArray = small[labels]
    return result
