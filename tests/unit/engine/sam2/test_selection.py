"""Which of the four masks answers a prompt."""

from __future__ import annotations

import numpy as np
import pytest

from app.arrays import Logits
from app.engine.sam2.selection import selected, stability
from app.errors import EngineFailedError

SCORES = np.array([0.5, 0.2, 0.9, 0.4], np.float32)


def four(single: float) -> Logits:
    """Four masks of one value each; the single one first."""
    return np.stack([np.full((4, 4), value, np.float32) for value in (single, 1, 2, 3)])


def test_three_candidates_are_the_last_three_in_the_models_order() -> None:
    found = selected(four(5), SCORES, multimask=True)
    assert found.logits[:, 0, 0].tolist() == [1, 2, 3]
    assert found.scores.tolist() == pytest.approx([0.2, 0.9, 0.4])


def test_three_computed_masks_are_the_candidates() -> None:
    found = selected(four(5)[1:], SCORES[1:], multimask=True)
    assert found.logits[:, 0, 0].tolist() == [1, 2, 3]


def test_a_stable_single_mask_is_taken() -> None:
    found = selected(four(5), SCORES, multimask=False)
    assert found.logits[:, 0, 0].tolist() == [5]
    assert found.scores.tolist() == pytest.approx([0.5])


def test_an_unstable_single_mask_gives_way_to_the_best_candidate() -> None:
    found = selected(four(0.01), SCORES, multimask=False)
    assert found.logits[:, 0, 0].tolist() == [2]
    assert found.scores.tolist() == pytest.approx([0.9])


def test_an_empty_mask_is_stable() -> None:
    assert stability(np.full((4, 4), -9, np.float32)) == 1


def test_stability_is_the_iou_of_the_masks_at_both_thresholds() -> None:
    logits = np.array([[1, 1, 1, 0.01]], np.float32)
    assert stability(logits) == 0.75


def test_a_score_that_is_not_a_number_is_an_engine_failure() -> None:
    with pytest.raises(EngineFailedError, match="not a number"):
        selected(four(5), np.array([0.1, np.nan, 0.2, 0.3], np.float32), multimask=True)


def test_logits_are_clipped_to_32() -> None:
    found = selected(four(100), SCORES, multimask=False)
    assert found.logits.max() == 32
