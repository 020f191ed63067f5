"""What the bundled model's masks weigh on a real socket, on the bundled photos, wherever one clicks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import median

import pytest

from app.bench.wire import CLICKS, WireSizes, measure_wire

PHOTOS = sorted((Path(__file__).parents[2] / "static" / "samples").glob("*.jpg"))


@pytest.fixture(scope="module")
def sizes(live_server: str) -> WireSizes:
    return asyncio.run(measure_wire(live_server, PHOTOS))


def test_every_hover_and_click_is_weighed(sizes: WireSizes) -> None:
    assert {len(each) for each in (sizes.preview, sizes.refining, sizes.click, sizes.correction)} == {CLICKS}


def test_a_preview_of_three_candidates_has_at_most_1200_bytes(sizes: WireSizes) -> None:
    assert median(sizes.preview) <= 1200


def test_a_preview_of_one_mask_has_at_most_450_bytes(sizes: WireSizes) -> None:
    assert median(sizes.refining) <= 450


def test_a_click_is_answered_in_at_most_2450_bytes(sizes: WireSizes) -> None:
    assert median(sizes.click) <= 2450
    assert median(sizes.correction) <= 2450


def test_masks_are_more_than_two_hundred_times_smaller_than_a_byte_per_pixel(sizes: WireSizes) -> None:
    assert median(sizes.saved) > 0.995


def test_coding_a_mask_is_a_hundred_times_faster_than_a_loop_over_pixels(sizes: WireSizes) -> None:
    assert sizes.speedup >= 100
