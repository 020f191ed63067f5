"""Specks and holes up to a given area go, everything else stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from app.arrays import Logits, MaskArray
from app.masks import cleaning
from app.masks.cleaning import clicked_cells, smoothed, without_specks
from app.masks.upsampling import upsampled_mask

CELL_PX = 10
"""Pixels of the picture in a cell of the grid."""


def cleaned(logits: Logits, max_cells: int, *points: tuple[float, float, int]) -> Logits:
    """Return logits without specks; points are `(x, y, label)` in cells."""
    pixels = [(x * CELL_PX, y * CELL_PX, label) for x, y, label in points]
    size_hw = (logits.shape[0] * CELL_PX, logits.shape[1] * CELL_PX)
    return cleaning.cleaned(logits, max_cells, clicked_cells(logits, pixels, size_hw))


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


def test_a_patch_under_a_point_on_the_object_stays_and_the_others_go() -> None:
    logits = body()
    logits[5:7, 5:7] = logits[5:7, 50:52] = 3
    expected = body() > 0
    expected[5:7, 5:7] = True
    assert np.array_equal(cleaned(logits, 4, (30, 30, 1), (6, 6, 1)) > 0, expected)


def test_a_hole_under_a_point_off_the_object_stays_and_the_others_are_filled() -> None:
    logits = body()
    logits[25:27, 25:27] = logits[30:32, 30:32] = -3
    expected = body() > 0
    expected[25:27, 25:27] = False
    assert np.array_equal(cleaned(logits, 4, (30, 22, 1), (26, 26, 0)) > 0, expected)


def test_a_larger_speck_goes_where_only_a_smaller_one_was_clicked() -> None:
    logits = np.full((64, 64), -5, np.float32)
    logits[10, 10] = 3
    logits[20:22, 20:22] = 3
    assert np.array_equal(np.argwhere(cleaned(logits, 10, (10.5, 10.5, 1)) > 0), [[10, 10]])


def test_the_hole_that_was_clicked_stays_in_a_mask_of_the_whole_picture() -> None:
    logits = np.full((64, 64), 5, np.float32)
    logits[10, 10] = -3
    logits[20:22, 20:22] = -3
    assert np.array_equal(np.argwhere(cleaned(logits, 10, (10.5, 10.5, 0)) <= 0), [[10, 10]])


@pytest.mark.parametrize(("x", "y"), [(5, 5.5), (6, 5.5), (5.5, 5), (5.5, 6), (5, 5), (6, 6), (5.0999, 5.9)], ids=str)
def test_a_point_on_the_line_between_two_cells_lies_on_both(x: float, y: float) -> None:
    speck, hole = body(), body()
    speck[5, 5] = 1
    hole[25, 25] = -1
    assert cleaned(speck, 4, (30, 30, 1), (x, y, 1))[5, 5] == 1
    assert cleaned(hole, 4, (x + 20, y + 20, 0))[25, 25] == -1


def test_a_point_beside_a_patch_or_hole_does_not_keep_it() -> None:
    logits = body()
    logits[5, 5] = 3
    logits[25, 25] = -3
    assert np.array_equal(cleaned(logits, 4, (7.5, 5.5, 1), (27.5, 25.5, 0)) > 0, body() > 0)
    assert np.array_equal(cleaned(logits, 4, (6.9, 5.5, 1), (26.9, 25.5, 0)) > 0, body() > 0)


def test_a_point_of_the_other_label_keeps_nothing() -> None:
    logits = body()
    logits[5, 5] = 3
    logits[25, 25] = -3
    assert np.array_equal(cleaned(logits, 4, (5.5, 5.5, 0), (25.5, 25.5, 1)) > 0, body() > 0)


def test_what_a_point_keeps_is_told_by_the_drawn_mask_too() -> None:
    logits = np.full((64, 64), -1, np.float32)
    logits[20:40, 20:40] = logits[5, 5] = 8
    drawn = upsampled_mask(logits, (640, 640))
    assert drawn[55, 62]  # a strong cell reaches over its own edge
    kept = cleaned(logits, 4, (30, 30, 1), (6.2, 5.5, 1))
    assert upsampled_mask(kept, (640, 640))[55, 62]
    assert upsampled_mask(cleaned(logits, 4, (30, 30, 1), (6.9, 5.5, 1)), (640, 640))[:100].sum() == 0


@given(
    arrays(np.float32, (12, 16), elements=st.integers(-9, 9).map(lambda tenths: tenths / 10)),
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=5),
    st.floats(0, 1),
)
def test_the_pixel_under_a_point_is_as_the_model_has_it_where_that_agrees(
    logits: Logits, size_hw: tuple[int, int], shares: list[tuple[float, float, int]], speck_share: float
) -> None:
    height, width = size_hw
    points = [(x * width, y * height, label) for x, y, label in shares]
    raw, shown = (
        upsampled_mask(each, size_hw) for each in (logits, without_specks(logits, speck_share, points, size_hw))
    )
    for x, y, label in points:
        pixel = min(int(y), height - 1), min(int(x), width - 1)
        if raw[pixel] == bool(label):
            assert shown[pixel] == raw[pixel]


def test_a_rim_that_is_ragged_by_single_cells_becomes_straight() -> None:
    straight = np.zeros((8, 12), np.bool_)
    straight[:, 6:] = True
    ragged = straight.copy()
    ragged[2::3, 5] = True
    assert ((smooth(ragged) > 0) == straight).all()


@given(arrays(np.bool_, (7, 9)))
def test_smoothing_takes_the_side_of_most_of_a_cell_and_its_neighbours(mask_hw: MaskArray) -> None:
    cross = ndimage.generate_binary_structure(2, 1).astype(np.int8)
    votes = ndimage.convolve(mask_hw.astype(np.int8), cross, mode="nearest")
    assert ((smooth(mask_hw) > 0) == (votes > 2)).all()


def test_smoothing_leaves_what_was_clicked() -> None:
    lone = np.zeros((9, 9), np.bool_)
    lone[4, 4:6] = True
    assert np.array_equal(smooth(lone, (4.5, 4.5, 1)) > 0, lone)
    assert np.array_equal(smooth(~lone, (4.5, 4.5, 0)) > 0, ~lone)
    assert not (smooth(lone, (1.5, 1.5, 1)) > 0).any()


def smooth(mask_hw: MaskArray, *points: tuple[float, float, int]) -> Logits:
    logits = np.where(mask_hw, 3.0, -3.0).astype(np.float32)
    return smoothed(logits, clicked_cells(logits, points, mask_hw.shape))
