"""From the four masks that SAM 2.1 computes to the ones that answer a prompt. NumPy only."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import Logits
from app.engine.contract import Candidates
from app.errors import EngineFailedError

MAX_LOGIT: Final = 32.0
STABILITY_DELTA: Final = 0.05
MIN_STABILITY: Final = 0.98
"""Both as in sam2's `build_sam2` (dynamic_multimask_stability_delta and _thresh)."""


def stability(logits: Logits) -> float:
    """Return how little a mask changes when its threshold moves by `STABILITY_DELTA`, as an IoU; 1 for an empty one."""
    smaller, larger = np.count_nonzero(logits > STABILITY_DELTA), np.count_nonzero(logits > -STABILITY_DELTA)
    return smaller / larger if larger else 1.0


def kept_masks(logits: Logits, scores: NDArray[np.float32], *, multimask: bool) -> slice:
    """Return which masks answer a prompt: the three candidates, or one.

    The single mask gives way to the best of the candidates where it is unstable: SAM 2.1's rule.

    Args:
        logits: (4, h, w) float32, the single mask first; or (3, h, w), the candidates alone.
        scores: (4,) or (3,) predicted IoU.
        multimask: True asks for the three candidates, False for one mask, which needs all four.

    Raises:
        EngineFailedError: a score is not a number.
    """
    if not np.isfinite(scores).all():
        raise EngineFailedError("the model gave a score that is not a number; try the cpu device")
    if multimask:
        return slice(-3, None)
    best = 0 if stability(logits[0]) >= MIN_STABILITY else 1 + int(scores[1:].argmax())
    return slice(best, best + 1)


def clipped(logits: Logits, scores: NDArray[np.float32]) -> Candidates:
    """Return masks (K, h, w) and their scores (K,) as candidates."""
    return Candidates(logits.clip(-MAX_LOGIT, MAX_LOGIT).astype(np.float32), scores.astype(np.float32))


def selected(logits: Logits, scores: NDArray[np.float32], *, multimask: bool) -> Candidates:
    """Return a prompt's answer; see `kept_masks`."""
    kept = kept_masks(logits, scores, multimask=multimask)
    return clipped(logits[kept], scores[kept])
