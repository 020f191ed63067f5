"""Given masks: drawn on any grid, put to the model as logits, and found out where they are thickest.

A mask that a model is asked about from its heart, its box and itself comes out best: IoU 0.895 where the rough mask has
0.702 and its box alone gives 0.818 (n 36, `nano` on drawn scenes).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

import numpy as np
from PIL import Image as Pil

from app.arrays import Logits, MaskArray
from app.masks.patches import labelled
from app.protocol.fields import BoxXyxy, SetOperation
from app.protocol.run_lengths import box_of

SURE: Final = 8.0
"""Logit of a cell that lies in a given mask, and minus that of one outside; from 4 to 32 all do the same."""
MAX_SIDE: Final = 160
"""Of the grid on which a heart is looked for."""


def logits_of(mask_hw: MaskArray, grid_hw: tuple[int, int]) -> Logits:
    """Return a mask as logits that a model can go on from, (h, w) float32, within `SURE` of 0.

    Args:
        mask_hw: (H, W) bool.
        grid_hw: h and w, the model's own.
    """
    grey = Pil.fromarray(mask_hw.astype(np.uint8) * np.uint8(255)).resize(grid_hw[::-1], Pil.Resampling.BOX)
    share = np.asarray(grey, np.float32) / np.float32(255)
    return (2 * share - 1) * np.float32(SURE)


def box_around(mask_hw: MaskArray) -> BoxXyxy:
    """Return the box around a mask that isn't empty, in its pixels."""
    x0, y0, x1, y1 = map(float, box_of(mask_hw))
    return x0, y0, x1, y1


def heart_of(mask_hw: MaskArray) -> tuple[float, float] | None:
    """Return the middle `(x, y)` of a pixel where a mask is thickest, or None where it is empty.

    It lies in the largest part, as far from everything else as there is room; of a large mask that is found out on a
    coarser grid.
    """
    x0, y0, x1, y1 = box_of(mask_hw)
    if x1 == 0:
        return None
    crop = mask_hw[y0:y1, x0:x1]
    step = -(-max(crop.shape) // MAX_SIDE)
    coarse = crop[step // 2 :: step, step // 2 :: step]
    if not coarse.any():
        coarse, step = crop, 1
    parts, _ = labelled(coarse)
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    rest = np.pad(parts == areas.argmax(), 1)
    while True:  # peel it off, cell by cell, until nothing would be left
        inner = rest[1:-1, 1:-1] & rest[:-2, 1:-1] & rest[2:, 1:-1] & rest[1:-1, :-2] & rest[1:-1, 2:]
        if not inner.any():
            break
        rest = np.pad(inner, 1)
    places = np.argwhere(rest[1:-1, 1:-1])
    row, column = places[len(places) // 2] * step + min(step // 2, step - 1)
    return float(x0 + column) + 0.5, float(y0 + row) + 0.5


def together(masks: Sequence[MaskArray], operation: SetOperation) -> MaskArray:
    """Return the union or intersection of masks, (H, W) bool, or what the first has that no other has."""
    if operation == "union":
        return reduce(np.logical_or, masks)
    if operation == "intersection":
        return reduce(np.logical_and, masks)
    return reduce(lambda first, other: first & ~other, masks)
