"""Patches of a mask are those that scipy finds, in the same order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from app.arrays import MaskArray
from app.masks.patches import labelled, widened

SQUARE = np.ones((3, 3))
"""scipy's word for pixels that hang together by their corners too."""
MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=16))


def assert_as_scipy(mask_hw: MaskArray, *, by_corners: bool) -> None:
    found, count = labelled(mask_hw, by_corners=by_corners)
    expected, expected_count = ndimage.label(mask_hw, SQUARE if by_corners else None)
    assert count == expected_count
    np.testing.assert_array_equal(found, expected)


@given(MASKS, st.booleans())
def test_any_small_mask_has_the_patches_that_scipy_finds(mask_hw: MaskArray, by_corners: bool) -> None:
    assert_as_scipy(mask_hw, by_corners=by_corners)


def snake(side: int) -> MaskArray:
    """Return one patch that winds through every second row."""
    mask_hw = np.zeros((side, side), np.bool_)
    mask_hw[::2] = True
    mask_hw[1::4, -1] = mask_hw[3::4, 0] = True
    return mask_hw


def comb(side: int) -> MaskArray:
    """Return teeth that hang together in the last row alone."""
    mask_hw = np.zeros((side, side), np.bool_)
    mask_hw[:, ::2] = mask_hw[-1] = True
    return mask_hw


@pytest.mark.parametrize("by_corners", [False, True])
@pytest.mark.parametrize(
    "mask_hw",
    [
        snake(129),
        snake(129).T,
        comb(128),
        comb(128)[::-1],
        np.indices((64, 64)).sum(0) % 2 == 0,
        np.random.default_rng(0).random((256, 256)) < 0.5,
        np.random.default_rng(0).random((256, 256)) < 0.59,
        np.ones((7, 300), np.bool_),
    ],
    ids=["snake", "standing snake", "comb", "comb upside down", "chequered", "noise", "noise that just joins", "full"],
)
def test_long_ways_round_lead_to_the_same_patch(mask_hw: MaskArray, by_corners: bool) -> None:
    assert_as_scipy(mask_hw, by_corners=by_corners)


@given(MASKS)
def test_a_mask_is_widened_by_a_pixel_on_every_side(mask_hw: MaskArray) -> None:
    np.testing.assert_array_equal(widened(mask_hw), ndimage.binary_dilation(mask_hw, SQUARE))
