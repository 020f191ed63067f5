"""Prompts to the tokens of SAM 2.1, and into batches of equal shape."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.contract import Prompt
from app.engine.sam2.prompts import batches, stacked_mask_logits, tokens

POINT = Prompt(points_xy=((100.0, 50.0),), labels=(1,))
OTHER_POINT = Prompt(points_xy=((0.0, 0.0),), labels=(0,))
BOX = Prompt(box_xyxy=(0.0, 25.0, 100.0, 50.0))
REFINED = Prompt(POINT.points_xy, POINT.labels, mask_logits=np.zeros((4, 4), np.float32))
SINGLE = Prompt(POINT.points_xy, POINT.labels, multimask=False)


def test_points_are_scaled_to_the_square_of_the_model() -> None:
    found = tokens([POINT], (100, 400), 1024)
    assert found.coords_xy.tolist() == [[[256.0, 512.0]]]
    assert found.labels.tolist() == [[1]]


def test_a_box_comes_before_the_points_as_two_labelled_corners() -> None:
    found = tokens([Prompt(POINT.points_xy, (0,), BOX.box_xyxy)], (100, 400), 1024)
    assert found.coords_xy.tolist() == [[[0.0, 256.0], [256.0, 512.0], [256.0, 512.0]]]
    assert found.labels.tolist() == [[2, 3, 0]]


def test_prompts_of_equal_shape_share_a_batch() -> None:
    assert batches([POINT, BOX, REFINED, SINGLE, OTHER_POINT], 16) == [[0, 4], [1], [2], [3]]


def test_a_batch_has_a_limit() -> None:
    assert batches([POINT] * 5, 2) == [[0, 1], [2, 3], [4]]


def test_logits_to_refine_are_stacked() -> None:
    stacked = stacked_mask_logits([REFINED, REFINED], (4, 4))
    assert stacked is not None
    assert stacked.shape == (2, 1, 4, 4)


def test_prompts_without_logits_to_refine_have_none() -> None:
    assert stacked_mask_logits([POINT], (4, 4)) is None


def test_logits_of_another_grid_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must be 256 x 256, the logit grid of this model, got \(4, 4\)"):
        stacked_mask_logits([REFINED], (256, 256))
