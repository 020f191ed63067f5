"""Takes specks and pinholes out of a mask before it is shown.

SAM 2 does the same to masks of at most a given area (`max_sprinkle_area`, `max_hole_area` of its predictor), but only
with its CUDA extension; here NumPy does it on the few cells of the logit grid. What is fed back to the model is not
touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.arrays import Logits, MaskArray
from app.masks.patches import labelled, widened
from app.protocol.run_lengths import box_of

SET_TO: Final = 1.0
"""Logit of a filled hole, and minus that of a removed speck: across the threshold, near enough for a soft edge."""
ON_THE_LINE: Final = 1e-6
"""Cells from the line between two, within which a point lies on both."""
PointXyl: TypeAlias = tuple[float, float, int]
"""`(x, y, label)` in pixels of the upright picture; label 1 on the object, 0 off it."""


class Clicked(NamedTuple):
    """The cells of the logit grid that points of a prompt lie on.

    Attributes:
        on: (h, w) bool, those under a point on the object.
        off: (h, w) bool, those under a point off it.
    """

    on: MaskArray
    off: MaskArray


def without_specks(logits: Logits, share: float, points: Sequence[PointXyl], size_hw: tuple[int, int]) -> Logits:
    """Return logits without patches and holes of up to a share of the picture; every mask that is shown is of these.

    What was pointed at stays as the model has it, however small: a patch under a point on the object, a hole under a
    point off it.

    Args:
        logits: (h, w) float32; not changed.
        share: of the picture's area; 0 changes nothing.
        points: `(x, y, label)` of the object in pixels of the picture, label 1 on the object and 0 off it.
        size_hw: height and width of the picture.
    """
    max_cells = round(share * logits.size)
    return cleaned(logits, max_cells, clicked_cells(logits, points, size_hw)) if max_cells else logits


def cleaned(logits: Logits, max_cells: int, clicked: Clicked) -> Logits:
    """Return logits without foreground patches and background holes of at most `max_cells`.

    A patch under a point on the object stays, and so does a hole under a point off it. Where no patch was pointed at
    the largest stays, so that a mask never becomes empty. Only the mask's own box is looked at, and one cell around
    it; what reaches out of it is no hole.

    Args:
        logits: (h, w) float32; not changed.
        max_cells: cells of the logit grid; 0 changes nothing.
        clicked: the cells under the points of the prompt.
    """
    part = around(logits > 0)
    if max_cells == 0 or part is None:
        return logits
    shown = logits[part]
    inside = shown > 0
    specks = small_patches(inside, max_cells, by_corners=True, stay=clicked.on[part])
    ground = margin(part, logits.shape) | clicked.off[part]
    # A gap that is open by a corner alone doesn't join two holes.
    holes = small_patches(~(inside & ~specks), max_cells, by_corners=False, stay=ground) & ~inside
    if not (specks.any() or holes.any()):
        return logits
    changed: Logits = logits.copy()
    changed[part] = np.where(specks, -SET_TO, np.where(holes, SET_TO, shown))
    return changed


def clicked_cells(logits: Logits, points: Sequence[PointXyl], size_hw: tuple[int, int]) -> Clicked:
    """Return the cells that points lie on.

    Args:
        logits: (h, w) float32, the candidate that is to be cleaned.
        points: `(x, y, label)` in pixels of the picture, label 1 on the object and 0 off it.
        size_hw: height and width of the picture.
    """
    cells = Clicked(np.zeros(logits.shape, np.bool_), np.zeros(logits.shape, np.bool_))
    grid = np.array(logits.shape[::-1]) / size_hw[::-1]  # cells in a pixel, across and down
    last_pixel = np.array(size_hw[::-1]) - 1
    for x, y, label in points:
        marked = cells.on if label else cells.off
        point = np.array((x, y))
        for place in (point, np.minimum(np.floor(point), last_pixel) + 0.5):  # the point, and the middle of its pixel
            mark_cells(marked, place * grid, logits, above=label == 1)
    return cells


def mark_cells(marked: MaskArray, place_xy: NDArray[np.float64], logits: Logits, *, above: bool) -> None:
    """Mark the cells that belong to a place: the one that holds it, or those that meet there where it is on a line.

    A mask is drawn from logits that are spread between the middles of cells, so that a part of few cells reaches beyond
    them. Where that puts the place on the side of 0 that it is to be on, the cells that did it are marked too.

    Args:
        marked: (h, w) bool, changed in place.
        place_xy: in cells from the upper left.
        logits: (h, w) float32.
        above: the side that the place is to be on.
    """
    last = np.array(logits.shape[::-1]) - 1
    x0, y0, x1, y1 = np.concatenate([np.floor(place_xy - ON_THE_LINE), np.floor(place_xy + ON_THE_LINE)]).astype(int)
    (x0, y0), (x1, y1) = np.clip([(x0, y0), (x1, y1)], 0, last)
    marked[y0 : y1 + 1, x0 : x1 + 1] = True
    middle = place_xy - 0.5
    low = np.floor(middle)
    (x0, y0), (x1, y1) = np.clip([low, low + 1], 0, last).astype(int)
    across, down = middle - low
    upper = logits[y0, x0] * (1 - across) + logits[y0, x1] * across
    lower = logits[y1, x0] * (1 - across) + logits[y1, x1] * across
    if (upper * (1 - down) + lower * down > 0) == above:
        marked[y0 : y1 + 1, x0 : x1 + 1] = True


def smoothed(logits: Logits, clicked: Clicked) -> Logits:
    """Return +1 or -1 for every cell (h, w), as most of the cell and its four neighbours are above 0 or not.

    A rim that is ragged by single cells becomes straight, and its run lengths few. Around the points nothing changes.

    Args:
        logits: (h, w) float32; not changed.
        clicked: the cells under the points of the prompt.
    """
    inside = np.pad((logits > 0).astype(np.int8), 1, mode="edge")
    votes = inside[1:-1, 1:-1] + inside[:-2, 1:-1] + inside[2:, 1:-1] + inside[1:-1, :-2] + inside[1:-1, 2:]
    kept = widened(clicked.on | clicked.off)
    result: Logits = np.where(np.where(kept, logits > 0, votes > 2), np.float32(SET_TO), np.float32(-SET_TO))
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


def small_patches(mask_hw: MaskArray, max_cells: int, *, by_corners: bool, stay: MaskArray) -> MaskArray:
    """Return which cells lie in connected patches of at most `max_cells`, (h, w) bool.

    Args:
        mask_hw: (h, w) bool.
        max_cells: largest patch that counts as small.
        by_corners: cells that touch by a corner alone hang together too.
        stay: (h, w) bool, patches with such a cell aren't small; where there is none, the largest patch isn't.
    """
    labels, count = labelled(mask_hw, by_corners=by_corners)
    if not count:
        return np.zeros(mask_hw.shape, np.bool_)
    areas = np.bincount(labels.ravel())
    small = areas <= max_cells
    staying = labels[stay & mask_hw]
    small[staying if staying.size else 1 + int(areas[1:].argmax())] = False
    small[0] = False  # what is no patch at all
    if not small.any():
        return np.zeros(mask_hw.shape, np.bool_)
    result: MaskArray = small[labels]
    return result
