"""Soft edges of cutouts: how opaque each pixel is, and its colour without what lies behind it. Pure.

Decision: a guided filter (He, Sun and Tang, 2010) of the mask by the picture, and colours by blur fusion (Forte, 2021).
Context: a mask ends between two pixels, hair and motion don't; matting libraries need a compiler at run time. Choice:
both are means over squares, some lines of NumPy, and touch nothing but a rim whose width follows the model's own grid.
Price: what the mask has missed by more than that rim stays missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray
from app.protocol.run_lengths import box_of

Plane = NDArray[np.float32]
"""(H, W) or (H, W, C) in [0, 1]."""

GRID: Final = 256
"""Cells of the model's logits along a side: an edge is known to half a cell."""
MIN_RADIUS_PX, MAX_RADIUS_PX = 2, 12
"""Of the squares whose means are taken."""
SMOOTH: Final = 1e-3
"""Variance of the picture's brightness up to which a square is smooth, and the mask in it is blurred."""
BAND_PIXELS: Final = 2**20
"""Of a large picture so many are worked on at a time."""


@dataclass(frozen=True)
class Soft:
    """Rows of a picture with a soft edge.

    Attributes:
        rows, columns: where they are.
        rgb: (h, w, 3) uint8, colours without what lies behind.
        alpha: (h, w) uint8.
    """

    rows: slice
    columns: slice
    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]


def softened(rgb: NDArray[np.uint8], mask_hw: MaskArray) -> Iterator[Soft]:
    """Yield the part of a picture that a mask and its soft edge cover, from above to below.

    Args:
        rgb: (H, W, 3) uint8.
        mask_hw: (H, W) bool.
    """
    height, width = mask_hw.shape
    radius = int(np.clip(round(max(height, width) / GRID / 2), MIN_RADIUS_PX, MAX_RADIUS_PX))
    beside = 3 * radius  # a mean of means looks so far, and one more
    x0, y0, x1, y1 = box_of(mask_hw)
    if x0 == x1:
        return
    left, right = max(0, x0 - radius), min(width, x1 + radius)
    top, bottom = max(0, y0 - radius), min(height, y1 + radius)
    step = max(1, BAND_PIXELS // (right - left))
    for row in range(top, bottom, step):
        rows, columns = slice(row, min(bottom, row + step)), slice(left, right)
        seen = slice(max(0, rows.start - beside), min(height, rows.stop + beside))
        seen_columns = slice(max(0, left - beside), min(width, right + beside))
        colors = rgb[seen, seen_columns].astype(np.float32) / np.float32(255)
        alpha = alpha_of(colors, mask_hw[seen, seen_columns], radius)
        clean = without_ground(colors, alpha, radius)
        inner = (
            slice(rows.start - seen.start, rows.stop - seen.start),
            slice(left - seen_columns.start, right - seen_columns.start),
        )
        yield Soft(rows, columns, as_bytes(clean[inner]), as_bytes(alpha[inner]))


def alpha_of(colors: Plane, mask_hw: MaskArray, radius: int) -> Plane:
    """Return how opaque each pixel is, (h, w): 1 within the mask, 0 beyond its rim, between them as the picture says.

    Args:
        colors: (h, w, 3).
        mask_hw: (h, w) bool.
        radius: of the rim, pixels.
    """
    mask = mask_hw.astype(np.float32)
    grey: Plane = colors.mean(axis=2, dtype=np.float32)
    share, mean = square_mean(mask, radius), square_mean(grey, radius)
    variance = square_mean(grey * grey, radius) - mean * mean
    shared = square_mean(grey * mask, radius) - mean * share
    slope = np.divide(shared, np.maximum(variance, 0) + SMOOTH, dtype=np.float32)
    guided = square_mean(slope, radius) * grey + square_mean((share - slope * mean).astype(np.float32), radius)
    alpha: Plane = np.clip(guided, 0, 1)
    alpha[share > 1 - 1e-4] = 1
    alpha[share < 1e-4] = 0
    return alpha


def without_ground(colors: Plane, alpha: Plane, radius: int) -> Plane:
    """Return colours, (h, w, 3), without what shines in from behind where a pixel is neither in nor out."""
    part = alpha[..., None]
    front = square_mean(colors * part, radius) / (square_mean(part, radius) + 1e-5)
    back = square_mean(colors * (1 - part), radius) / (square_mean(1 - part, radius) + 1e-5)
    fused = front + part * (colors - part * front - (1 - part) * back)
    clean: Plane = np.where((part > 0) & (part < 1), np.clip(fused, 0, 1), colors)
    return clean


def square_mean(values: Plane, radius: int) -> Plane:
    """Return the mean of the square around each pixel; beyond the border lies what is on it."""
    for axis in (0, 1):
        padding = [(0, 0)] * values.ndim
        padding[axis] = (radius + 1, radius)
        sums = np.pad(values, padding, mode="edge").cumsum(axis=axis, dtype=np.float64)
        length = values.shape[axis]
        ahead = np.take(sums, np.arange(2 * radius + 1, 2 * radius + 1 + length), axis=axis)
        values = ((ahead - np.take(sums, np.arange(length), axis=axis)) / (2 * radius + 1)).astype(np.float32)
    return values


def as_bytes(values: Plane) -> NDArray[np.uint8]:
    """Return [0, 1] as 0 to 255."""
    return np.rint(values * 255).astype(np.uint8)
