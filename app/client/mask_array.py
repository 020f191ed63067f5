"""A mask of the wire as an array of the picture's size, and back. The only module of the client that needs NumPy."""

from __future__ import annotations

import numpy as np

from app.arrays import MaskArray
from app.errors import BadMessageError
from app.protocol.counts import counts_of
from app.protocol.frames import over_picture
from app.protocol.messages import Mask
from app.protocol.recipe import MaskStep
from app.protocol.run_lengths import decode_mask


def at_size(mask: Mask, size_hw: tuple[int, int]) -> MaskArray:
    """Return a mask as an (H, W) bool array.

    Args:
        mask: as it travels, on a grid of its own that spans the whole picture, or a window of it.
        size_hw: height and width wanted; zeros for those of the grid.

    Raises:
        BadMessageError: the mask's box leaves its grid, or its runs don't fill the box.
    """
    return over_picture(mask, size_hw) if size_hw != (0, 0) else decode_mask(mask)


def mask_step(mask_hw: MaskArray) -> MaskStep:
    """Return a mask, (H, W) bool, as an object begins with it. Needs pycocotools.

    Raises:
        BadMessageError: it has another shape.
    """
    mask_hw = np.asarray(mask_hw, bool)
    if mask_hw.ndim != 2:
        raise BadMessageError(f"expected a mask as (H, W), got {mask_hw.shape}; take one channel of it")
    height, width = mask_hw.shape
    return MaskStep(size=(height, width), counts=counts_of(mask_hw))
