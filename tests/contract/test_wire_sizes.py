"""What the bundled model's masks weigh on a real socket, on the bundled photos, wherever one clicks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import median

import pytest

from app.bench.wire import WireSizes, measure_wire
from app.engine.sam2.engine import load_torch_engine
from app.settings import Settings
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.server import started
from tests.helpers.thorough import examples

PHOTOS = sorted((Path(__file__).parents[2] / "static" / "samples").glob("*.jpg"))
CLICKS = examples(40, 100)


@pytest.fixture(scope="module")
def sizes() -> WireSizes:
    return asyncio.run(measured())


async def measured() -> WireSizes:
    nano = load_manifest().entry("nano")
    server = await started(Settings(offline=True), load_torch_engine(nano, BUNDLED_DIR / nano.file))  # type: ignore[arg-type]
    sizes = await measure_wire(server.url, PHOTOS, CLICKS)
    await server.stop()
    return sizes


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
