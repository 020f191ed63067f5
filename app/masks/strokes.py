"""The pixels under a stroke of a round brush.

Decision: exact, by rows. Context: a stroke is drawn again whenever its object is, by recipes on other machines too, so
that it must be the same to the pixel; libraries draw thick lines each in its own way, which changes with their release.
Choice: a pixel is under the brush where its middle lies within the radius of the path; in each row a straight piece of
the path covers one stretch, whose ends are computed. Price: these lines are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray

TINY: Final = 1e-9
"""Pixels; a piece no longer is a point, and one that rises no more is level: divisions by less may overflow."""


def stroke_mask(
    path_xy: Sequence[tuple[float, float]], radius: float, size_hw: tuple[int, int], grid_hw: tuple[int, int]
) -> MaskArray:
    """Return the pixels whose middle lies within a radius of a path, (H, W) bool on a grid over the picture.

    Args:
        path_xy: `(x, y)` of at least one place, in pixels of the picture.
        radius: in pixels of the picture.
        size_hw: height and width of the picture.
        grid_hw: H and W.
    """
    height, width = grid_hw
    places = np.array(path_xy, np.float64).reshape(-1, 2)
    across = width / size_hw[1]
    # Rows are those of the grid; lengths stay those of the picture, so that a brush is round on any grid.
    starts = places[:-1] if len(places) > 1 else places
    ends = places[1:] if len(places) > 1 else places
    down = height / size_hw[0]
    first = np.ceil((np.minimum(starts[:, 1], ends[:, 1]) - radius) * down - 0.5).clip(0, height).astype(np.int64)
    last = np.floor((np.maximum(starts[:, 1], ends[:, 1]) + radius) * down - 0.5).clip(-1, height - 1).astype(np.int64)
    counts = (last - first + 1).clip(0)
    piece = np.repeat(np.arange(len(starts)), counts)
    row = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts) + first[piece]
    low, high = stretch(starts[piece], ends[piece], (row + 0.5) / down, radius)
    begin = np.ceil(low * across - 0.5).clip(0, width).astype(np.int64)
    end = (np.floor(high * across - 0.5).clip(-1, width - 1) + 1).astype(np.int64)
    # Each stretch counts up where it begins and down where it ends; where the count isn't 0, the brush was.
    covered = begin < end
    top, bottom = (int(row.min()), int(row.max()) + 1) if len(row) else (0, 0)
    line = (row[covered] - top) * (width + 1)
    pixels = (bottom - top) * (width + 1)
    edges = np.bincount(line + begin[covered], minlength=pixels) - np.bincount(line + end[covered], minlength=pixels)
    mask_hw: MaskArray = np.zeros(grid_hw, np.bool_)
    mask_hw[top:bottom] = np.cumsum(edges.reshape(bottom - top, width + 1), axis=1)[:, :-1] > 0
    return mask_hw


def stretch(
    starts: NDArray[np.float64], ends: NDArray[np.float64], y: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first and last x at height y within a radius of each piece of a path; first after last where none is.

    Args:
        starts: (N, 2) `(x, y)` of one end of each of N straight pieces.
        ends: (N, 2) the same of the other end.
        y: (N,) a height for each.
        radius: in the same unit.
    """
    low, high = np.full(len(y), np.inf), np.full(len(y), -np.inf)
    for x, level in ((starts[:, 0], starts[:, 1]), (ends[:, 0], ends[:, 1])):  # the discs at both ends
        square = radius**2 - (y - level) ** 2
        half = np.sqrt(square, out=np.full(len(y), -np.inf), where=square >= 0)
        np.minimum(low, x - half, out=low)
        np.maximum(high, x + half, out=high)
    # Between the ends, the piece is as wide as the brush: two sides that run beside it.
    along = ends - starts
    length = np.hypot(along[:, 0], along[:, 1])
    aside = np.stack([-along[:, 1], along[:, 0]], axis=1) * (radius / np.where(length > TINY, length, 1))[:, None]
    rise = along[:, 1]
    for begin in (starts + aside, starts - aside):
        share = np.divide(y - begin[:, 1], rise, out=np.full(len(y), -1.0), where=np.abs(rise) > TINY)
        crosses = (share >= 0) & (share <= 1)
        x = begin[:, 0] + share * along[:, 0]
        np.minimum(low, x, out=low, where=crosses)
        np.maximum(high, x, out=high, where=crosses)
    return low, high
