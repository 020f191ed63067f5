"""Masks of windows on the grids of other windows, or of the whole picture, in NumPy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray
from app.protocol.fields import WindowXyxy
from app.protocol.run_lengths import decode_mask
from app.protocol.values import Mask
from app.protocol.windows import whole


def over_picture(mask: Mask, size_hw: tuple[int, int]) -> MaskArray:
    """Return a mask over the whole picture, (H, W) bool at the picture's size, whatever window it is of.

    Args:
        mask: on any grid; each pixel takes the nearest of it.
        size_hw: height and width of the picture.
    """
    return in_frame(decode_mask(mask), mask.window or whole(size_hw), whole(size_hw), size_hw)


def in_frame(mask_hw: MaskArray, own: WindowXyxy, frame: WindowXyxy, grid_hw: tuple[int, int]) -> MaskArray:
    """Return a mask over one window on a grid over another, (H, W) bool; nothing where the first has none.

    Args:
        mask_hw: (h, w) bool on a grid over `own`.
        own: in pixels of the picture.
        frame: the same.
        grid_hw: H and W.
    """
    if own == frame and mask_hw.shape == grid_hw:
        return mask_hw
    rows, down = nearest(mask_hw.shape[0], (own[1], own[3]), grid_hw[0], (frame[1], frame[3]))
    columns, across = nearest(mask_hw.shape[1], (own[0], own[2]), grid_hw[1], (frame[0], frame[2]))
    framed: MaskArray = np.zeros(grid_hw, np.bool_)
    framed[down, across] = mask_hw[np.ix_(rows, columns)]
    return framed


def nearest(cells: int, own: tuple[int, int], pixels: int, frame: tuple[int, int]) -> tuple[NDArray[np.intp], slice]:
    """Return the cell that each pixel of a stretch takes, and which of the pixels lie in the cells' own stretch."""
    middles = frame[0] + (np.arange(pixels) + 0.5) * (frame[1] - frame[0]) / pixels
    inside = np.flatnonzero((middles >= own[0]) & (middles < own[1]))
    if not inside.size:
        return np.zeros(0, np.intp), slice(0, 0)
    taken = ((middles[inside] - own[0]) * cells / (own[1] - own[0])).astype(np.intp)
    return np.minimum(taken, cells - 1), slice(int(inside[0]), int(inside[-1]) + 1)
