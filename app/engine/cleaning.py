"""Takes specks and pinholes out of a mask before it is shown.

SAM 2 does the same to masks of at most a given area (`max_sprinkle_area`, `max_hole_area` of its predictor), but only
with its CUDA extension; here scipy labels the few cells of the logit grid. What is fed back to the model is not
touched.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from app.engine.contract import Logits

EIGHT_NEIGHBOURS: Final = np.ones((3, 3), np.int8)
FOUR_NEIGHBOURS: Final = None
"""scipy's default: a diagonal gap does not join two holes."""
SET_TO: Final = 1.0
"""Logit of a filled hole, and minus that of a removed speck: across the threshold, near enough for a soft edge."""


def cleaned(logits: Logits, max_cells: int) -> Logits:
    """Return logits without foreground patches and background holes of at most `max_cells`; the largest patch stays.

    Args:
        logits: (h, w) float32; not changed.
        max_cells: cells of the logit grid; 0 changes nothing.
    """
    if max_cells == 0:
        return logits
    inside = logits > 0
    specks = small_patches(inside, EIGHT_NEIGHBOURS, max_cells)
    holes = small_patches(~(inside & ~specks), FOUR_NEIGHBOURS, max_cells)
    if not (specks.any() or holes.any()):
        return logits
    changed = np.where(specks, -SET_TO, np.where(holes & (logits <= 0), SET_TO, logits))
    return changed.astype(np.float32)


def small_patches(mask_hw: NDArray[np.bool_], neighbours: NDArray[np.int8] | None, max_cells: int) -> NDArray[np.bool_]:
    """Return which cells lie in connected patches of at most `max_cells`, the largest patch aside; (h, w) bool."""
    labels, count = ndimage.label(mask_hw, neighbours)
    if count < 2:
        return np.zeros(mask_hw.shape, np.bool_)
    areas = np.bincount(labels.ravel())
    small = areas <= max_cells
    small[0] = False  # what is no patch at all
    small[1 + int(areas[1:].argmax())] = False
    result: NDArray[np.bool_] = small[labels]
    return result
