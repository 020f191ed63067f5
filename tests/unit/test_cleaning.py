"""Specks and holes up to a given area go, everything else stays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from app.engine.cleaning import cleaned, smoothed
from app.engine.contract import Logits
from app.protocol.masks import MaskArray


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


def test_the_ground_around_a_small_mask_is_no_hole() -> None:
    logits = np.full((64, 64), -5, np.float32)
    logits[10:12, 10:12] = 1
    assert np.array_equal(cleaned(logits, 100), logits)


def test_a_dent_at_the_corner_of_a_mask_is_no_hole() -> None:
    logits = body()
    logits[20:22, 20:22] = -5
    assert np.array_equal(cleaned(logits, 10), logits)


def test_a_hole_at_the_edge_of_the_picture_is_filled() -> None:
    logits = np.full((64, 64), -5, np.float32)
    logits[:20, :20] = 5
    filled = logits.copy()
    logits[0:2, 8:10] = -3
    assert np.array_equal(cleaned(logits, 4) > 0, filled > 0)


def test_a_hole_of_a_mask_that_spans_the_picture_is_filled() -> None:
    logits = np.full((64, 64), 5, np.float32)
    logits[30:60, 10:50] = -5
    expected = logits > 0
    logits[5:7, 5:7] = -1
    assert np.array_equal(cleaned(logits, 4) > 0, expected)


@given(arrays(np.bool_, (24, 24)), st.integers(1, 40))
def test_no_speck_that_is_small_is_left_beside_the_largest_patch(mask_hw: MaskArray, max_cells: int) -> None:
    shown = cleaned(np.where(mask_hw, 1, -1).astype(np.float32), max_cells) > 0
    labels, count = ndimage.label(shown, np.ones((3, 3)))
    areas = np.sort(np.bincount(labels.ravel())[1:])
    assert count == 0 or (areas[:-1] > max_cells).all()


def test_what_came_in_is_not_changed() -> None:
    logits = body()
    logits[5, 5] = 3
    before = logits.copy()
    cleaned(logits, 4)
    assert np.array_equal(logits, before)


def test_a_rim_that_is_ragged_by_single_cells_becomes_straight() -> None:
    straight = np.zeros((8, 12), np.bool_)
    straight[:, 6:] = True
    ragged = straight.copy()
    ragged[2::3, 5] = True
    assert ((smoothed(np.where(ragged, 3.0, -3.0).astype(np.float32)) > 0) == straight).all()


@given(arrays(np.bool_, (7, 9)))
def test_smoothing_takes_the_side_of_most_of_a_cell_and_its_neighbours(mask_hw: MaskArray) -> None:
    cross = ndimage.generate_binary_structure(2, 1).astype(np.int8)
    votes = ndimage.convolve(mask_hw.astype(np.int8), cross, mode="nearest")
    assert ((smoothed(np.where(mask_hw, 2.0, -2.0).astype(np.float32)) > 0) == (votes > 2)).all()
