"""A mask drawn over its picture: tint, outline and the point that made it. Pure NumPy."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray

Rgb = tuple[int, int, int]
_TINT: Final = 0.45
"""Share of the object's colour in its pixels: it is seen, and the photo under it too."""
_COLOR: Final[Rgb] = (30, 144, 255)
_WHITE: Final[Rgb] = (255, 255, 255)


def draw_overlay(
    image_hwc: NDArray[np.uint8], mask_hw: MaskArray, point_xy: tuple[float, float], *, color: Rgb = _COLOR
) -> NDArray[np.uint8]:
    """Return a copy of the picture with the mask on it.

    Args:
        image_hwc: (H, W, 3) uint8 RGB.
        mask_hw: (H, W) bool.
        point_xy: the point clicked, in pixels of the picture.
        color: RGB of tint, outline and point.
    """
    stroke = max(1, round(max(mask_hw.shape) / 400))
    drawn: NDArray[np.uint8] = image_hwc.copy()
    drawn[mask_hw] = ((1 - _TINT) * drawn[mask_hw] + _TINT * np.array(color)).astype(np.uint8)
    drawn[outline(mask_hw, stroke)] = color
    distance = _distance(mask_hw.shape[0], mask_hw.shape[1], point_xy)
    drawn[distance <= 4 * stroke] = _WHITE
    drawn[distance <= 2.5 * stroke] = color
    return drawn


def outline(mask_hw: MaskArray, stroke: int) -> MaskArray:
    """Return (H, W) bool, the `stroke` outermost pixels of the mask; the picture's rim is no edge."""
    inner = np.pad(mask_hw, 1, mode="edge")
    for _ in range(stroke):
        middle = inner[1:-1, 1:-1]
        eroded = middle & inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
        inner = np.pad(eroded, 1, mode="edge")
    edge: MaskArray = mask_hw & ~inner[1:-1, 1:-1]
    return edge


def _distance(height: int, width: int, point_xy: tuple[float, float]) -> NDArray[np.float64]:
    """Return (H, W) float64, each pixel centre's distance to the point in pixels."""
    x, y = point_xy
    distance: NDArray[np.float64] = np.hypot(
        np.arange(width)[None, :] + 0.5 - x,
        np.arange(height)[:, None] + 0.5 - y,
    )
    return distance
