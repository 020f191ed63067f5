"""The connected patches of a mask, found from the runs of its rows.

Decision: NumPy alone. Context: scipy's `label` does the same, but brings 40 MB and half a second into every start, and
nothing else of scipy is used. Choice: some thirty lines that do it by runs, held to scipy's answers by the tests.
Price: they are ours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray

Indices = NDArray[np.intp]


def labelled(mask_hw: MaskArray, *, by_corners: bool = False) -> tuple[NDArray[np.int32], int]:
    """Return the number of the patch that each pixel belongs to, and how many patches there are.

    Args:
        mask_hw: (H, W) bool.
        by_corners: pixels that touch by a corner alone hang together too.

    Returns:
        (H, W) int32 numbers, 0 off the mask; patches count from 1 in the order of their first pixels, row by row.
    """
    height, width = mask_hw.shape
    pitch = width + 1  # a pixel off the mask ends each row, so that no run goes on into the next
    padded = np.zeros((height, pitch), np.bool_)
    padded[:, :width] = mask_hw
    edges = np.flatnonzero(np.diff(padded.ravel(), prepend=False))  # the first pixel of a run, the one after its last
    numbers, count = numbered(edges[0::2], edges[1::2], pitch, int(by_corners))
    # Stretches off and on the mask take turns, and a last one off it.
    values, lengths = np.zeros(len(edges) + 1, np.int32), np.diff(edges, prepend=0, append=padded.size)
    values[1::2] = numbers
    return np.repeat(values, lengths).reshape(height, pitch)[:, :width], count


def numbered(starts: Indices, ends: Indices, pitch: int, reach: int) -> tuple[Indices, int]:
    """Return the number of the patch that each run belongs to, and how many patches there are.

    Args:
        starts: first pixel of each run, counted through all rows.
        ends: the pixel after the last of each run.
        pitch: pixels from one row to the next.
        reach: 1 where runs that touch by a corner alone hang together, else 0.
    """
    # The neighbours of a run in the row below lie side by side in the list: from `first` to before `past`.
    first = np.searchsorted(ends, starts + pitch - reach, side="right")
    past = np.searchsorted(starts, ends + pitch + reach, side="left")
    counts = past - first
    upper = np.repeat(np.arange(len(starts)), counts)
    lower = np.arange(len(upper)) + np.repeat(first - np.cumsum(counts) + counts, counts)
    lowest = joined(len(starts), upper, lower)
    number_of_root = np.cumsum(lowest == np.arange(len(lowest)))
    return number_of_root[lowest], int(number_of_root[-1]) if len(starts) else 0


def joined(count: int, one: Indices, other: Indices) -> Indices:
    """Return the lowest of those that each of `count` things hangs together with, given the pairs that touch."""
    lowest = np.arange(count)
    while one.size:
        np.minimum.at(lowest, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(further := lowest[lowest], lowest):  # each to the end of its chain
            lowest = further
        one, other = lowest[one], lowest[other]
        apart = one != other
        one, other = one[apart], other[apart]
    return lowest


def widened(mask_hw: MaskArray) -> MaskArray:
    """Return a mask with every pixel that touches one of its own, by a side or a corner, (H, W) bool."""
    height, width = mask_hw.shape
    padded = np.pad(mask_hw, 1)
    rows = padded[:height] | padded[1:-1] | padded[2:]
    return rows[:, :width] | rows[:, 1:-1] | rows[:, 2:]
