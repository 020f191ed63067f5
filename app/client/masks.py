"""A mask of the wire as a NumPy array. The only module of the client that needs NumPy."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.client.values import Mask
from app.errors import BadMessageError

MaskArray = NDArray[np.bool_]
"""(H, W) bool, True on the object."""
_LONGEST_VARINT: Final = 4


def decode_mask(mask: Mask) -> MaskArray:
    """Return the mask as an (H, W) bool array on its own grid, H and W being `mask.size`.

    Raises:
        BadMessageError: the box leaves the grid, or the runs don't fill the box.
    """
    x0, y0, x1, y1 = mask.box
    height, width = mask.size
    if not (0 <= x0 <= x1 <= width and 0 <= y0 <= y1 <= height):
        raise BadMessageError(f"expected a mask's box inside its grid of {height} x {width}, got {mask.box}")
    lengths = run_lengths(mask.runs)
    if int(lengths.sum()) != (x1 - x0) * (y1 - y0):
        raise BadMessageError(f"expected runs that fill the box {mask.box}, got runs of {int(lengths.sum())} pixels")
    mask_hw = np.zeros((height, width), dtype=np.bool_)
    mask_hw[y0:y1, x0:x1] = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(y1 - y0, x1 - x0)
    return mask_hw


def run_lengths(runs: bytes) -> NDArray[np.int64]:
    """Return (N,) int64, the LEB128 varints in some bytes.

    Raises:
        BadMessageError: the last varint is cut, or one is longer than any run can be.
    """
    digits = np.frombuffer(runs, dtype=np.uint8).astype(np.int64)
    if digits.size == 0:
        return digits
    ends = np.flatnonzero(digits < 0x80) + 1
    starts = np.concatenate(([0], ends[:-1]))
    if ends.size == 0 or ends[-1] != digits.size or (ends - starts).max() > _LONGEST_VARINT:
        raise BadMessageError(f"expected whole varints of at most {_LONGEST_VARINT} bytes in a mask's runs")
    places = np.arange(digits.size) - np.repeat(starts, ends - starts)
    lengths: NDArray[np.int64] = np.add.reduceat((digits & 0x7F) << (7 * places), starts)
    return lengths


def scale_mask(mask_hw: MaskArray, size_hw: tuple[int, int]) -> MaskArray:
    """Return the mask at another size, each pixel taking the grid's nearest.

    Args:
        mask_hw: (h, w) bool on any grid that spans the whole picture.
        size_hw: height and width wanted.
    """
    if mask_hw.shape == size_hw:
        return mask_hw
    rows, columns = (
        np.minimum((np.arange(size) + 0.5) * grid / size, grid - 1).astype(np.intp)
        for size, grid in zip(size_hw, mask_hw.shape, strict=True)
    )
    scaled: MaskArray = mask_hw[np.ix_(rows, columns)]
    return scaled
