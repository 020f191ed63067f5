"""What was done to a mask by hand, laid over whatever mask the model makes: strokes, and changes of its shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.arrays import MaskArray
from app.masks.morphology import morphed
from app.masks.strokes import stroke_mask
from app.protocol.recipe import MorphStep, StrokeStep


class Painted(NamedTuple):
    """What strokes have decided.

    Attributes:
        known: (H, W) bool, the pixels under any stroke.
        on: (H, W) bool, those of them whose last stroke paints.
    """

    known: MaskArray
    on: MaskArray

    def over(self, mask_hw: MaskArray) -> MaskArray:
        """Return a mask with what was painted, (H, W) bool."""
        changed: MaskArray = (mask_hw & ~self.known) | self.on
        return changed


def finished(mask_hw: MaskArray, layers: Sequence[StrokeStep | MorphStep], size_hw: tuple[int, int]) -> MaskArray:
    """Return a mask as it is once all was done to it, (H, W) bool; painted pixels are final.

    Args:
        mask_hw: (H, W) bool on a grid over the picture; not changed.
        layers: what was done, in order, in pixels of the picture.
        size_hw: height and width of the picture.
    """
    painted = Painted(np.zeros(mask_hw.shape, np.bool_), np.zeros(mask_hw.shape, np.bool_))
    scale = float(np.sqrt(mask_hw.size / (size_hw[0] * size_hw[1])))
    for layer in layers:
        if isinstance(layer, StrokeStep):
            stroke = stroke_mask(layer.path, layer.radius, size_hw, mask_hw.shape)
            painted = Painted(painted.known | stroke, (painted.on | stroke) if layer.label else painted.on & ~stroke)
        else:
            mask_hw = morphed(painted.over(mask_hw), layer.operation, layer.size, scale)
    return painted.over(mask_hw) if layers else mask_hw
