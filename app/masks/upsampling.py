"""From logits to the masks that are sent: a preview on the logit grid, an object's mask at the size of the image.

SAM 2.1 thresholds at 0 after bilinear upsampling to the image. So does `object_mask`, but only where the mask is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.arrays import Logits, MaskArray
from app.protocol.fields import WindowXyxy
from app.protocol.messages import MAX_MASK_SIDE, Mask
from app.protocol.run_lengths import encode_mask

BAND_PIXELS: Final = 2**18
"""Pixels that are blended at a time: 1 MB of float32, which stays in a core's cache."""


class Taps(NamedTuple):
    """Where the pixels of one axis lie between the cells of a smaller or larger grid.

    Attributes:
        low: (N,) index of the cell before each pixel's centre.
        high: (N,) index of the cell after it; the same at the edges.
        weight: (N,) float32 in [0, 1), the share of `high`.
    """

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    weight: NDArray[np.float32]

    def part(self, keep: slice) -> Taps:
        """Return the taps of some of the pixels."""
        return Taps(self.low[keep], self.high[keep], self.weight[keep])


def preview_mask(logits: Logits, size_hw: tuple[int, int], score: float) -> Mask:
    """Return a candidate's mask on the logit grid, for hovering.

    Args:
        logits: (h, w) float32.
        size_hw: height and width of the image, for the area.
        score: the model's own predicted IoU.
    """
    mask_hw = logits > 0
    return encode_mask(mask_hw, score=score, area=area_px(mask_hw, size_hw))


def object_mask(logits: Logits, size_hw: tuple[int, int], score: float, max_side: int = MAX_MASK_SIDE) -> Mask:
    """Return a candidate's mask at the size of the image, or at `max_side` on the long side where that is smaller.

    Args:
        logits: (h, w) float32.
        size_hw: height and width of the image.
        score: the model's own predicted IoU.
        max_side: largest side of the mask's grid.
    """
    mask_hw = upsampled_mask(logits, grid_of(size_hw, max_side))
    return encode_mask(mask_hw, score=score, area=area_px(mask_hw, size_hw))


def grid_of(size_hw: tuple[int, int], max_side: int = MAX_MASK_SIDE) -> tuple[int, int]:
    """Return height and width of an image, scaled down until the long side is at most `max_side`."""
    scale = min(1.0, max_side / max(size_hw))
    return max(1, round(size_hw[0] * scale)), max(1, round(size_hw[1] * scale))


def area_px(mask_hw: MaskArray, size_hw: tuple[int, int]) -> int:
    """Return the area of a mask in pixels of the image that its grid spans."""
    return round(int(np.count_nonzero(mask_hw)) * size_hw[0] * size_hw[1] / mask_hw.size)


def upsampled_mask(logits: Logits, grid_hw: tuple[int, int]) -> MaskArray:
    """Return where logits are above 0 once they are spread bilinearly over a grid, (H, W) bool.

    Equal to `interpolate(logits, grid_hw, mode="bilinear", align_corners=False) > 0` of torch, computed only inside
    the box of the pixels that have a cell above 0 beside them.

    Args:
        logits: (h, w) float32.
        grid_hw: H and W.
    """
    mask_hw = np.zeros(grid_hw, np.bool_)
    rows_inside: MaskArray = np.any(logits > 0, axis=1)
    columns_inside: MaskArray = np.any(logits > 0, axis=0)
    rows = taps(logits.shape[0], grid_hw[0])
    columns = taps(logits.shape[1], grid_hw[1])
    down, across = span(rows, rows_inside), span(columns, columns_inside)
    wide = np.ascontiguousarray(blend(logits.T, columns.part(across)).T)  # rows side by side in memory
    for band in bands(down, wide.shape[1]):
        mask_hw[band, across] = blend(wide, rows.part(band)) > 0
    return mask_hw


def drawn_in(logits: Logits, window: WindowXyxy, size_hw: tuple[int, int]) -> MaskArray:
    """Return where the logits of a part of an image are above 0, (H, W) bool at the size of the image.

    Args:
        logits: (h, w) float32.
        window: the part.
        size_hw: height and width of the image.
    """
    x0, y0, x1, y1 = window
    part = upsampled_mask(logits, (y1 - y0, x1 - x0))
    if part.shape == size_hw:
        return part
    mask_hw = np.zeros(size_hw, np.bool_)
    mask_hw[y0:y1, x0:x1] = part
    return mask_hw


def bands(rows: slice, width: int) -> Iterator[slice]:
    """Yield the rows in pieces of about `BAND_PIXELS`, so that a picture of any size takes little memory at a time."""
    height = max(1, BAND_PIXELS // max(1, width))
    for top in range(rows.start, rows.stop, height):
        yield slice(top, min(top + height, rows.stop))


def taps(cells: int, pixels: int) -> Taps:
    """Return how an axis of `cells` cells is spread over `pixels` pixels that span the same length."""
    step = np.float32(cells / pixels)
    centre = ((np.arange(pixels, dtype=np.float32) + np.float32(0.5)) * step - np.float32(0.5)).clip(0, cells - 1)
    low = centre.astype(np.intp)
    return Taps(low, np.minimum(low + 1, cells - 1), centre - low.astype(np.float32))


def span(axis: Taps, inside: MaskArray) -> slice:
    """Return the range of pixels that have a marked cell beside them, empty where there is none."""
    beside = np.flatnonzero(inside[axis.low] | inside[axis.high])
    return slice(int(beside[0]), int(beside[-1]) + 1) if beside.size else slice(0, 0)


def blend(cells: Logits, axis: Taps) -> Logits:
    """Return the rows between the rows of `cells`, (N, w) float32."""
    weight = axis.weight[:, None]
    low = cells[axis.low]
    low *= 1 - weight
    high = cells[axis.high]
    high *= weight
    low += high
    return low
