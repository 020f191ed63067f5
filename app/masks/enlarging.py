"""Masks that travel on a smaller grid than their picture, at the picture's own size again."""

from __future__ import annotations

import numpy as np
from PIL import Image as Pil

from app.arrays import MaskArray
from app.protocol.run_lengths import decode_mask, encode_mask
from app.protocol.values import Mask

HALF = 128


def enlarged(mask: Mask, size_hw: tuple[int, int]) -> MaskArray:
    """Return a mask of a whole picture at another size, (H, W) bool, its outline smooth where that is larger."""
    return at_size(decode_mask(mask), size_hw)


def kept_small(mask_hw: MaskArray, grid_hw: tuple[int, int], score: float) -> Mask:
    """Return a mask on a grid that it may travel on."""
    return encode_mask(at_size(mask_hw, grid_hw), score=score)


def at_size(mask_hw: MaskArray, size_hw: tuple[int, int]) -> MaskArray:
    """Return a mask at another size, (H, W) bool."""
    if mask_hw.shape == size_hw:
        return mask_hw
    grey = Pil.fromarray(mask_hw.astype(np.uint8) * np.uint8(255)).resize(size_hw[::-1], Pil.Resampling.BILINEAR)
    found: MaskArray = np.asarray(grey) >= HALF
    return found
