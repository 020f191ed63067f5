"""Specks and holes up to a given area go, everything else stays."""

from __future__ import annotations

import numpy as np

from app.engine.cleaning import cleaned
from app.engine.contract import Logits


def body() -> Logits:
    """A 20 x 20 body of logits 5 on a ground of -5."""
    logits = np.full((64, 64), -5, np.float32)
    logits[20:40, 20:40] = 5
    return logits


def test_a_speck_goes_and_the_body_stays() -> None:
    logits = body()
    logits[5:7, 5:7] = 3
    assert np.array_equal(cleaned(logits, 4) > 0, body() > 0)


def test_a_hole_is_filled() -> None:
    logits = body()
    logits[30:32, 30:32] = -3
    assert np.array_equal(cleaned(logits, 4) > 0, body() > 0)


def test_a_larger_patch_and_a_larger_hole_stay() -> None:
    logits = body()
    logits[5:8, 5:7] = 3
    logits[30:33, 30:32] = -3
    assert np.array_equal(cleaned(logits, 5), logits)


def test_the_only_patch_stays_however_small_it_is() -> None:
    logits = np.full((64, 64), -5, np.float32)
    logits[10, 10] = 1
    assert np.array_equal(cleaned(logits, 100), logits)


def test_an_empty_mask_stays_empty() -> None:
    assert not (cleaned(np.full((8, 8), -1, np.float32), 10) > 0).any()


def test_a_full_mask_stays_full() -> None:
    assert (cleaned(np.full((8, 8), 1, np.float32), 10) > 0).all()


def test_what_came_in_is_not_changed() -> None:
    logits = body()
    logits[5, 5] = 3
    before = logits.copy()
    cleaned(logits, 4)
    assert np.array_equal(logits, before)
