"""The things of a picture: which answers at a grid's points are worth showing."""

from __future__ import annotations

import numpy as np
import pytest

from app.arrays import Logits
from app.masks.regions import (
    GRID,
    ROUGH_IOU,
    WINDOW_GRID,
    Ask,
    Gates,
    RegionCollector,
    gates_of,
    grid_points,
    rough_mask,
    stability_of,
    windows_of,
)
from app.protocol.codec import encode, fitting
from app.protocol.frames import over_picture
from app.protocol.messages import Regions
from app.protocol.run_lengths import decode_mask, iou, scale_mask

SIZE_HW = (480, 640)
GATES = Gates(0.5, 0.8)


def square(side: int, at: tuple[int, int] = (10, 10), *, edge: float = 8.0) -> Logits:
    """Return (64, 64) logits of a square, `edge` on it and -8 off it."""
    logits = np.full((64, 64), -8.0, np.float32)
    logits[at[0] : at[0] + side, at[1] : at[1] + side] = edge
    return logits


def collected(*found: tuple[Logits, float]) -> RegionCollector:
    regions = RegionCollector(SIZE_HW, GATES, 0.0)
    for logits, score in found:
        regions.add(logits[None], np.array([score], np.float32))
    return regions


def scores(regions: RegionCollector) -> list[float]:
    return [round(region.mask.score, 2) for region in regions.best_first]


def test_the_grid_has_each_of_its_points_once_and_the_coarse_ones_first() -> None:
    points = grid_points(SIZE_HW)
    assert len(set(points)) == GRID**2
    for count in (16, 16 + 64):
        rows = {y for _, y in points[:count]}
        gaps = np.diff(sorted(rows))
        assert gaps.max() <= SIZE_HW[0] / 4  # nothing larger than a gap is missed
    assert all(0 < x < SIZE_HW[1] and 0 < y < SIZE_HW[0] for x, y in points)


def test_a_region_is_the_mask_with_the_click_that_gives_it() -> None:
    regions = RegionCollector(SIZE_HW, GATES, 0.0)
    ask = regions.ask
    assert ask is not None
    regions.add(np.stack([square(20), square(20)]), np.array([0.2, 0.9], np.float32))
    [region] = regions.best_first
    assert (Ask(region.x, region.y), region.candidate) == (ask, 1)
    assert np.array_equal(scale_mask(decode_mask(region.mask), (64, 64)), square(20) > 0)


def test_a_region_is_told_on_the_coarsest_grid_that_still_shows_it() -> None:
    large, small, thin = square(40, (9, 9)), square(5, (31, 31)), square(1)
    thin[np.arange(60), np.arange(60)] = 8.0
    told = [rough_mask(mask > 0, SIZE_HW, 0.5) for mask in (large, small, thin)]
    assert [mask.size for mask in told] == [(32, 32), (64, 64), (64, 64)]
    for mask, logits in zip(told, (large, small, thin), strict=True):
        assert iou(scale_mask(decode_mask(mask), (64, 64)), logits > 0) >= ROUGH_IOU
        assert mask.area == np.count_nonzero(logits > 0) * SIZE_HW[0] * SIZE_HW[1] / 64**2


def test_what_the_model_is_not_sure_of_is_not_shown() -> None:
    assert scores(collected((square(20), 0.49), (square(20, (40, 40)), 0.51))) == [0.51]


def test_what_changes_with_the_threshold_is_not_shown() -> None:
    shaky = square(20)
    shaky[10:30, 30:50] = -0.5  # as large again with a threshold a little lower
    assert stability_of(square(20)) == 1.0
    assert stability_of(shaky) == 0.5
    assert scores(collected((shaky, 0.9))) == []


def test_a_speck_is_no_thing() -> None:
    assert scores(collected((square(3), 0.9))) == []
    assert scores(collected((square(4), 0.9))) == [0.9]


def test_a_thing_that_is_found_twice_is_shown_once_as_it_was_found_best() -> None:
    assert scores(collected((square(20), 0.8), (square(19), 0.9), (square(20), 0.7))) == [0.9]


def test_a_part_is_another_thing_than_its_whole() -> None:
    assert scores(collected((square(40), 0.8), (square(20), 0.9))) == [0.9, 0.8]


def test_the_best_come_first() -> None:
    things = [(square(8, (at, at)), 0.9 - at / 100) for at in (30, 0, 20, 40, 10)]
    assert scores(collected(*things)) == [0.9, 0.8, 0.7, 0.6, 0.5]


def test_another_place_comes_before_one_more_version_of_what_is_there() -> None:
    wide = square(20)
    wide[10:30, 30:40] = 8.0  # half as large again, no longer the same thing
    versions_and_another = ((square(20), 0.9), (wide, 0.8), (square(20, (40, 40)), 0.7))
    assert scores(collected(*versions_and_another)) == [0.9, 0.7, 0.8]


def test_a_message_has_the_best_of_them_and_few_bytes() -> None:
    things = [(square(4, (row, column)), 0.9 - row / 200) for row in range(0, 60, 6) for column in range(0, 60, 6)]
    found = collected(*things).best_first
    told = fitting(found)
    assert len(found) == 100
    assert told == found[: len(told)]
    assert len(found) > len(told) > 35
    assert len(encode(Regions(seq=2**40, regions=told, last=True))) <= 4096


@pytest.mark.parametrize("model", ["tiny", "small", "base_plus", "large", "mine"])
def test_a_published_model_has_the_gates_of_sam2_itself(model: str) -> None:
    assert gates_of(model) == Gates(0.8, 0.95)
    assert gates_of("nano") < gates_of(model)


SEEN = Gates(0.5, 0.8)


def in_window(mask_hw: Logits, score: float, number: int = 0) -> RegionCollector:
    """Return what is found where everything is a speck but one answer, in one of the windows."""
    regions = RegionCollector(SIZE_HW, SEEN, 0.0, windows_of("nano", SIZE_HW))
    for _ in range(GRID**2 + number * WINDOW_GRID**2):
        regions.add(square(1)[None], np.array([0.9], np.float32))
    regions.add(mask_hw[None], np.array([score], np.float32))
    return regions


def test_small_things_are_looked_for_in_windows_that_share_a_seam_by_a_model_that_is_quick() -> None:
    windows = windows_of("nano", SIZE_HW)
    assert windows == ((0, 0, 427, 320), (213, 0, 640, 320), (0, 160, 427, 480), (213, 160, 640, 480))
    assert windows_of("tiny", SIZE_HW) == windows_of("nano", (480, 180)) == ()
    regions = RegionCollector(SIZE_HW, SEEN, 0.0, windows)
    asks = []
    while (ask := regions.ask) is not None:
        asks.append(ask)
        regions.add(square(1)[None], np.array([0.9], np.float32))
    assert [ask.window for ask in asks] == [None] * GRID**2 + [each for each in windows for _ in range(WINDOW_GRID**2)]
    assert all(x0 < ask.x < x1 and y0 < ask.y < y1 for ask in asks if ask.window for x0, y0, x1, y1 in [ask.window])


def test_a_region_of_a_window_says_so_and_lies_where_it_is() -> None:
    regions = in_window(square(12), 0.9, number=3)
    [region] = regions.best_first
    assert region.mask.window == (213, 160, 640, 480)
    assert region.mask.area == pytest.approx(144 / 64**2 * 427 * 320, abs=1)
    assert 213 < region.x < 267
    seen = over_picture(region.mask, SIZE_HW)
    assert (seen[160 + 320 * 12 // 64, 213 + 427 * 12 // 64], seen[150, 200]) == (True, False)


@pytest.mark.parametrize(
    ("at", "side", "number"), [((0, 52), 12, 0), ((52, 0), 12, 0), ((0, 20), 12, 3), ((10, 10), 44, 0)]
)
def test_what_a_windows_edge_cuts_or_what_is_large_is_left_to_the_whole_picture(
    at: tuple[int, int], side: int, number: int
) -> None:
    whole_at_edge = in_window(square(12, (0, 20)), 0.9, number=0)
    assert len(whole_at_edge.best_first) == 1  # the picture ends there too
    assert in_window(square(side, at), 0.9, number=number).best_first == ()


def test_what_was_found_in_the_whole_picture_and_in_a_window_is_shown_once_as_it_was_found_best() -> None:
    for score, window in ((0.7, None), (0.9, (0, 0, 427, 320))):
        regions = RegionCollector(SIZE_HW, SEEN, 0.0, windows_of("nano", SIZE_HW))
        regions.add(square(9, (9, 9))[None], np.array([0.8], np.float32))
        for _ in range(GRID**2 - 1):
            regions.add(square(1)[None], np.array([0.9], np.float32))
        regions.add(square(14, (14, 14))[None], np.array([score], np.float32))
        assert [region.mask.window for region in regions.best_first] == [window]
