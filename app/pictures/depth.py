"""From grey levels of 16 bits and more to 8.

Decision: levels that fill less than half of their range are stretched. Context: 12-bit cameras, thermal cameras,
X-rays and label images use a small part of 16 bits; their high byte alone is black to people and model. Choice: what
lies between the 0.1 and the 99.9 percentile is spread over black to white; everything else keeps its high byte.
Price: two frames of such a camera may be shown with different brightness.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FULL: Final = 65535.0
PERCENTILES: Final = (0.1, 99.9)
ENOUGH: Final = 0.5
"""Share of the range that need not be stretched."""
LEVELS: Final = 2**16
MAX_DRAWN: Final = 2**20
"""Levels that are drawn at random to estimate the percentiles of what can't be counted level by level."""
CHUNK: Final = 2**20
"""Pixels that are worked on at once: wider types of a whole large picture would take much memory."""


def sixteen_bits(levels: NDArray[Any], seen: NDArray[np.bool_] | None = None) -> tuple[NDArray[np.uint16], bool]:
    """Return grey levels from black to white, (H, W) uint16 from 0 to 65535, and whether they were stretched.

    Args:
        levels: (H, W) of any real type. Unsigned 16 bits range to 65535; others to the smallest of 1 (no integers),
            255 and 65535 that holds them all, else over what they hold. What isn't finite is black.
        seen: (H, W), False where a pixel is transparent and doesn't count; None where all are seen.
    """
    if levels.dtype.kind == "f":
        levels = np.nan_to_num(levels, nan=0.0, posinf=0.0, neginf=0.0)
    counted = levels.reshape(-1) if seen is None or not seen.any() else levels[seen]
    white = white_of(counted)
    low, high = used_range(counted)
    if white is not None and (low == high or high - low >= ENOUGH * white):
        return (levels if levels.dtype == np.uint16 else spread(levels, 0.0, white)), False
    if low == high:
        return np.zeros(levels.shape, np.uint16), False
    return spread(levels, low, high), True


def white_of(levels: NDArray[Any]) -> float | None:
    """Return which level is white, or None where nothing tells."""
    if levels.dtype == np.uint16:
        return FULL
    least, most = float(levels.min()), float(levels.max())
    whites = (1.0, 255.0, FULL) if levels.dtype.kind == "f" else (255.0, FULL)
    return next((white for white in whites if least >= 0 and most <= white), None)


def used_range(levels: NDArray[Any]) -> tuple[float, float]:
    """Return the lowest and highest level but for a few; of all pixels where nearly all are the same."""
    low, high = counted_range(levels) if levels.dtype == np.uint16 else drawn_range(levels)
    return (low, high) if low < high else (float(levels.min()), float(levels.max()))


def counted_range(levels: NDArray[np.uint16]) -> tuple[float, float]:
    """Return the percentiles of (N,) uint16, exactly."""
    counts = np.zeros(LEVELS, np.int64)
    for begin in range(0, levels.size, CHUNK):
        counts += np.bincount(levels[begin : begin + CHUNK], minlength=LEVELS)
    ranks = [round(share / 100 * (levels.size - 1)) for share in PERCENTILES]
    low, high = np.searchsorted(np.cumsum(counts), ranks, side="right")
    return float(low), float(high)


def drawn_range(levels: NDArray[Any]) -> tuple[float, float]:
    """Return the percentiles of (N,) levels, of a large picture from a part of them."""
    if levels.size > MAX_DRAWN:
        levels = levels[np.random.default_rng(0).integers(0, levels.size, MAX_DRAWN)]
    low, high = np.percentile(levels, PERCENTILES)
    return float(low), float(high)


def spread(levels: NDArray[Any], low: float, high: float) -> NDArray[np.uint16]:
    """Return levels with `low` as 0 and `high` as 65535."""
    out: NDArray[np.uint16] = np.empty(levels.shape, np.uint16)
    for row, line in zip(out, levels, strict=True):
        row[:] = np.rint((line.astype(np.float64) - low).clip(0, high - low) * (FULL / (high - low)))
    return out
