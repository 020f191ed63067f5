from __future__ import annotations

import numpy as np
import pytest

from app.protocol.run_lengths import scale_mask


@pytest.mark.parametrize("size_hw", [(256, 256), (480, 640), (1, 1), (7, 3), (100, 2000)])
def test_a_scaled_mask_has_the_size_asked_for(size_hw: tuple[int, int]) -> None:
    assert scale_mask(np.ones((256, 256), dtype=np.bool_), size_hw).shape == size_hw


def test_a_scaled_mask_keeps_its_halves() -> None:
    left = np.tile(np.arange(256) < 128, (256, 1))
    scaled = scale_mask(left, (480, 640))
    assert scaled[:, :320].all()
    assert not scaled[:, 320:].any()


def test_scaling_up_and_down_again_changes_nothing() -> None:
    mask_hw = np.random.default_rng(0).random((32, 48)) < 0.5
    np.testing.assert_array_equal(scale_mask(scale_mask(mask_hw, (96, 144)), (32, 48)), mask_hw)
