from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.arrays import MaskArray
from app.exports.outlines import area_of, parts_of
from app.exports.polygons import joined, keyholed, on_edges, simple_parts
from app.protocol.run_lengths import iou
from tests.helpers.export_readers import blob, coco_polygons_mask, labelme_mask
from tests.helpers.thorough import examples

masks = arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def mask_of(*rows: str) -> MaskArray:
    return np.array([[char == "#" for char in row] for row in rows])


def test_an_empty_mask_has_no_parts() -> None:
    assert parts_of(np.zeros((3, 4), np.bool_)) == []
    assert simple_parts(np.zeros((3, 4), np.bool_)) == []


def test_a_pixel_is_a_square() -> None:
    [part] = map(on_edges, parts_of(mask_of("...", "..#")))
    assert sorted(part.outer.tolist()) == [[2, 1], [2, 2], [3, 1], [3, 2]]
    assert part.holes == ()


def test_a_hole_belongs_to_the_part_around_it() -> None:
    small, large = parts_of(mask_of("###.....", "#.#.####", "###.#..#", "....####")), None
    assert large is None
    assert [(area_of(np.rint(part.outer)), len(part.holes)) for part in small] == [(9, 1), (12, 1)]


def test_pixels_that_touch_by_a_corner_are_two_parts() -> None:
    assert len(parts_of(mask_of("#.", ".#"))) == 2


@given(masks)
@settings(max_examples=examples(100, 3000))
def test_outlines_enclose_as_much_as_the_mask(mask_hw: MaskArray) -> None:
    rings = [ring for part in map(on_edges, parts_of(mask_hw)) for ring in (part.outer, *part.holes)]
    assert sum(map(area_of, rings)) == mask_hw.sum()


@given(masks)
@settings(max_examples=examples(100, 3000))
def test_coco_gets_a_small_mask_back_to_the_pixel(mask_hw: MaskArray) -> None:
    edges = [keyholed(on_edges(part)).ravel().tolist() for part in simple_parts(mask_hw)]
    if edges:
        assert np.array_equal(coco_polygons_mask(edges, mask_hw.shape), mask_hw)


def test_a_cut_that_begins_in_the_middle_of_another_takes_no_pixel() -> None:
    mask_hw = np.ones((10, 8), np.bool_)
    mask_hw[[6, 8, 8], [3, 1, 3]] = False  # the way to the third hole begins on the one between the first two
    [part] = simple_parts(mask_hw)
    edges = [keyholed(on_edges(part)).ravel().tolist()]
    assert np.array_equal(coco_polygons_mask(edges, mask_hw.shape), mask_hw)


@given(masks)
@settings(max_examples=examples(100, 3000))
def test_readers_who_cut_to_whole_pixels_get_a_small_mask_back_but_for_the_cuts(mask_hw: MaskArray) -> None:
    parts = simple_parts(mask_hw)
    cuts = sum(len(part.holes) for part in parts)
    canvas, drawn = np.zeros(mask_hw.shape, np.uint8), np.zeros_like(mask_hw)
    for part in parts:
        cv2.fillPoly(canvas, [keyholed(part).astype(np.int32)], 1)
        drawn |= labelme_mask(keyholed(part).tolist(), mask_hw.shape)
    assert np.count_nonzero(drawn != mask_hw) <= 2 * cuts
    assert np.count_nonzero((canvas > 0) != mask_hw) <= 2 * cuts


@pytest.mark.parametrize("mask_hw", [blob(600, 800, 0), blob(600, 800, 1, share=0.9)], ids=["parts", "holes"])
def test_fewer_corners_still_agree_with_the_mask(mask_hw: MaskArray) -> None:
    parts = simple_parts(mask_hw)
    edges = [keyholed(on_edges(part)).ravel().tolist() for part in parts]
    assert iou(coco_polygons_mask(edges, mask_hw.shape), mask_hw) >= 0.98
    corners = sum(len(part.outer) + sum(map(len, part.holes)) for part in parts)
    exact = sum(len(part.outer) + sum(map(len, part.holes)) for part in parts_of(mask_hw))
    assert corners < exact / 2


def test_a_part_keeps_its_place() -> None:
    mask_hw = np.zeros((400, 500), np.bool_)
    mask_hw[350:390, 440:490] = True
    [part] = map(on_edges, simple_parts(mask_hw))
    assert (part.outer.min(axis=0).tolist(), part.outer.max(axis=0).tolist()) == ([440, 350], [490, 390])


def test_a_keyhole_is_one_ring_of_the_area_between() -> None:
    [part] = map(on_edges, parts_of(mask_of("####", "#..#", "####")))
    assert area_of(keyholed(part)) == 10


@given(masks.filter(lambda mask_hw: bool(mask_hw.any())), st.booleans())
@settings(max_examples=100)
def test_one_ring_around_all_parts_encloses_as_much_as_they_do_however_many(mask_hw: MaskArray, are_many: bool) -> None:
    parts = parts_of(mask_hw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.exports.polygons.MAX_MEASURED", 0 if are_many else 256)
        ring = joined(parts)
    rings = [ring for part in parts for ring in (part.outer, *part.holes)]
    assert area_of(ring) == pytest.approx(sum(map(area_of, rings)))
    assert {*map(tuple, np.concatenate(rings).tolist())} <= {*map(tuple, ring.tolist())}
