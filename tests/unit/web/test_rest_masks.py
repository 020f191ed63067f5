"""Run lengths as the REST surface words them, against the plainest way to say the same."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.arrays import Logits, MaskArray
from app.engine.contract import Candidates
from app.masks.upsampling import BAND_PIXELS, upsampled_mask
from app.protocol.run_lengths import run_lengths
from app.session.values import OpenImage
from app.web.segment import segmented, written

SIDES = st.integers(1, 40)
LOGITS = arrays(np.float32, (8, 8), elements=st.sampled_from([np.float32(-4), np.float32(3)]))


def naive_counts(mask_hw: MaskArray) -> list[int]:
    """Return row-major run lengths, beginning with background, pixel by pixel."""
    counts, value = [0], False
    for pixel in mask_hw.ravel().tolist():
        if pixel == value:
            counts[-1] += 1
        else:
            counts.append(1)
            value = pixel
    return counts


def decoded(counts: list[int], size_hw: tuple[int, int]) -> MaskArray:
    values = np.arange(len(counts)) % 2 == 1
    return np.repeat(values, counts).reshape(size_hw)


@given(LOGITS, SIDES, SIDES)
def test_a_mask_comes_back_from_its_counts(logits: Logits, height: int, width: int) -> None:
    mask_hw = upsampled_mask(logits, (height, width))
    reply = segmented(logits, 0.5, (height, width))
    assert reply.rle.size == (height, width)
    assert reply.rle.counts == naive_counts(mask_hw)
    np.testing.assert_array_equal(decoded(reply.rle.counts, reply.rle.size), mask_hw)


@given(LOGITS, SIDES, SIDES)
def test_the_box_includes_its_last_pixels_and_the_area_counts(logits: Logits, height: int, width: int) -> None:
    reply = segmented(logits, 0.5, (height, width))
    rows, columns = np.nonzero(upsampled_mask(logits, (height, width)))
    assert reply.area == rows.size
    if rows.size:
        assert list(reply.bbox) == [columns.min(), rows.min(), columns.max(), rows.max()]


def test_an_empty_mask_is_one_run_and_four_zeros() -> None:
    reply = segmented(np.full((4, 4), -1, np.float32), 0.5, (20, 30))
    assert (reply.rle.counts, reply.bbox, reply.area) == ([600], (0, 0, 0, 0), 0)


def test_a_full_mask_begins_with_no_background() -> None:
    reply = segmented(np.full((4, 4), 1, np.float32), 0.5, (20, 30))
    assert (reply.rle.counts, reply.bbox, reply.area) == ([0, 600], (0, 0, 29, 19), 600)


def test_the_best_score_comes_first() -> None:
    logits = np.full((3, 4, 4), -1, np.float32)
    found = Candidates(logits, np.array([0.25, 0.75, 0.5], np.float32))
    reply = json.loads(written(found, OpenImage("id", 8, 6)))
    assert [mask["score"] for mask in reply["masks"]] == [0.75, 0.5, 0.25]
    assert reply["image_id"] == "id"


@pytest.mark.parametrize("size_hw", [(3 * BAND_PIXELS, 1), (1, 3 * BAND_PIXELS), (1025, 1025)], ids=str)
def test_a_picture_of_several_bands_has_no_seam(size_hw: tuple[int, int]) -> None:
    logits = np.random.default_rng(0).standard_normal((16, 16)).astype(np.float32)
    whole = upsampled_mask(logits, size_hw)
    turned = upsampled_mask(np.ascontiguousarray(logits.T), size_hw[::-1]).T  # its bands lie across
    assert np.count_nonzero(whole != turned) <= whole.size // 10_000  # rounding differs where a logit is all but 0


def test_run_lengths_take_no_step_of_python_for_each_pixel() -> None:
    """Two million steps would take a hundred times as long."""
    y, x = np.ogrid[:1080, :1920]
    mask_hw = np.hypot(x - 900, y - 500) + 40 * np.sin(x / 30) < 400
    steps = 0

    def count(*_: Any) -> Any:
        nonlocal steps
        steps += 1
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        counts = run_lengths(mask_hw)
    finally:
        sys.settrace(before)
    assert sum(counts) == mask_hw.size
    assert 0 < steps < mask_hw.size / 100
