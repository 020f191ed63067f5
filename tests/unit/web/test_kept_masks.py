"""Files of masks that a client has kept: no picture, no model, the same masks."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from app.arrays import MaskArray
from app.errors import BadMessageError, TooManyObjectsError, TooManyPixelsError
from app.masks.layers import finished
from app.protocol.counts import counts_of
from app.protocol.recipe import MaskStep, MorphStep, PointStep, Step, StrokeStep
from app.protocol.run_lengths import decode_mask, encode_mask, iou
from app.service.answers import native_mask
from app.service.by_hand import by_hand
from app.session.limits import SessionLimits
from app.session.objects import SessionObject
from app.session.query import Query
from app.web.kept_masks import EXAMPLE, KeptMasks, selection_of
from tests.helpers.export_readers import coco_decoded, made, unzipped

SIZE_HW = (60, 90)
FOUR = SessionLimits(max_objects=4)


def disc(height: int, width: int) -> MaskArray:
    """Return a disc in the middle of a grid, whatever its size."""
    y, x = np.mgrid[:height, :width]
    mask_hw: MaskArray = np.hypot((x + 0.5) / width * 90 - 45, (y + 0.5) / height * 60 - 30) < 20
    return mask_hw


def asked(*masks: MaskArray, size_hw: tuple[int, int] = SIZE_HW, **more: Any) -> KeptMasks:
    """Return a request as a page makes it, through JSON and back."""
    objects = [
        {"id": 7 + number, "name": "cat", "mask": encode_mask(mask_hw, score=0.5)}
        for number, mask_hw in enumerate(masks)
    ]
    picture = {"image_id": "0123", "width": size_hw[1], "height": size_hw[0], "name": "a.jpg"}
    body = {"format": "coco", "picture": picture, "objects": objects, "classes": ["dog", "cat"], **more}
    return msgspec.json.decode(msgspec.json.encode(body), type=KeptMasks)


def test_a_kept_mask_is_written_as_it_is() -> None:
    content = json.loads(made("coco", selection_of(asked(disc(*SIZE_HW)), 10_000, FOUR)).data)
    [annotation] = content["annotations"]
    assert np.array_equal(coco_decoded(annotation["segmentation"]), disc(*SIZE_HW))
    assert [category["name"] for category in content["categories"]] == ["dog", "cat"]
    assert annotation["category_id"] == 2
    assert (content["images"][0]["file_name"], content["images"][0]["width"]) == ("a.jpg", 90)


def test_a_mask_on_a_smaller_grid_is_drawn_at_the_size_of_the_picture_with_an_even_edge() -> None:
    large = (600, 900)
    [shown] = selection_of(asked(disc(*SIZE_HW), size_hw=large), 10**6, FOUR).objects
    drawn = shown.draw()
    blocks = np.kron(disc(*SIZE_HW), np.ones((10, 10), np.bool_))
    assert drawn.shape == large
    assert iou(drawn, disc(*large)) > max(0.98, iou(blocks, disc(*large)))


def test_labels_of_yolo_and_masks_are_made_of_what_was_kept() -> None:
    lines = unzipped(made("yolo", selection_of(asked(disc(*SIZE_HW)), 10_000, FOUR)).data)["labels/train/a.txt"]
    assert lines.split()[0] == b"1"
    names = unzipped(made("mask", selection_of(asked(disc(*SIZE_HW), ~disc(*SIZE_HW)), 10_000, FOUR)).data)
    assert set(names) == {"001-cat.png", "002-cat.png", "indexed.png"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (asked(disc(*SIZE_HW), size_hw=(95, 95)), BadMessageError),  # of another shape
        (asked(disc(*SIZE_HW), size_hw=(30, 45)), BadMessageError),  # larger than the picture
        (asked(disc(*SIZE_HW), classes=["dog"]), BadMessageError),  # its number would mean another class
        (asked(*[disc(*SIZE_HW)] * 5), TooManyObjectsError),
        (asked(disc(*SIZE_HW), size_hw=(600, 900)), TooManyPixelsError),
    ],
)
def test_masks_that_no_session_could_have_had_are_refused(body: KeptMasks, error: type[Exception]) -> None:
    with pytest.raises(error):
        selection_of(body, 10_000, FOUR)


def test_an_object_that_comes_twice_is_refused_and_runs_that_fill_no_box_too() -> None:
    twice = asked(disc(*SIZE_HW))
    with pytest.raises(BadMessageError, match="each object once"):
        selection_of(msgspec.structs.replace(twice, objects=twice.objects * 2), 10_000, FOUR)
    cut = msgspec.structs.replace(twice.objects[0].mask, runs=b"\x01")
    broken = msgspec.structs.replace(twice, objects=[msgspec.structs.replace(twice.objects[0], mask=cut)])
    with pytest.raises(BadMessageError, match="expected runs of"):
        selection_of(broken, 10_000, FOUR).objects[0].draw()


def test_the_documented_example_is_a_mask_of_three_pixels() -> None:
    content = json.loads(made("coco", selection_of(msgspec.convert(EXAMPLE.value, KeptMasks), 100, FOUR)).data)
    assert content["annotations"][0]["area"] == 3.0


LARGE_HW = (32, 4096)
"""Twice the grid that masks travel on."""


def fine_mask() -> MaskArray:
    """Return a mask with parts that no grid shows."""
    mask_hw = np.zeros(LARGE_HW, np.bool_)
    mask_hw[3:9, 2001:2004] = mask_hw[5, 7:4000:2] = mask_hw[20:30, 3000:3101] = True
    return mask_hw


def exported(kept: MaskArray, trail: tuple[Step, ...]) -> dict[str, Any]:
    """Return the annotation of an object of a large picture, of a mask on the grid and a trail."""
    body = asked(kept, size_hw=LARGE_HW)
    data = msgspec.structs.replace(body, objects=[msgspec.structs.replace(body.objects[0], trail=trail)])
    selection = selection_of(msgspec.json.decode(msgspec.json.encode(data), type=KeptMasks), 10**6, FOUR)
    annotation: dict[str, Any] = json.loads(made("coco", selection).data)["annotations"][0]
    return annotation


def test_a_given_mask_goes_out_as_it_came_in_also_of_a_picture_larger_than_the_grid() -> None:
    given = MaskStep(size=LARGE_HW, counts=counts_of(fine_mask()))
    annotation = exported(np.ones((16, 2048), np.bool_), (given,))
    assert np.array_equal(coco_decoded(annotation["segmentation"]), fine_mask())
    assert annotation["polygons_differ"] == 0  # outlines are exact, too
    wrong = msgspec.structs.replace(given, size=(16, 2048), counts=counts_of(np.ones((16, 2048), np.bool_)))
    with pytest.raises(BadMessageError, match="picture's size"):
        exported(np.ones((16, 2048), np.bool_), (wrong,))


STROKES = (
    StrokeStep(path=((100.0, 5.0), (180.0, 25.0)), radius=2.5),
    StrokeStep(path=((3050.0, 25.0),), radius=3.0, label=0),
)


@pytest.mark.parametrize(
    "trail",
    [
        (MaskStep(size=LARGE_HW, counts=counts_of(fine_mask())), *STROKES),
        (MaskStep(size=LARGE_HW, counts=counts_of(fine_mask())), MorphStep(operation="grow", size=1), STROKES[1]),
        STROKES,
    ],
    ids=["painted", "grown", "brushed"],
)
def test_what_was_done_by_hand_goes_out_to_the_pixel_of_a_sessions_own_file(trail: tuple[Step, ...]) -> None:
    item = SessionObject(7, "cat", 0, trail)
    answer = by_hand(Query(0, item), LARGE_HW, 0.0)
    kept = decode_mask(answer.masks[0])
    assert kept.shape == (16, 2048)
    own = native_mask(item.answered(answer), answer, LARGE_HW, 0.0)
    assert np.array_equal(coco_decoded(exported(kept, trail)["segmentation"]), own)


def test_strokes_lie_to_the_pixel_over_a_mask_that_a_model_made() -> None:
    kept = disc(16, 2048)
    drawn = coco_decoded(exported(kept, (PointStep(x=2048, y=16), *STROKES))["segmentation"])
    wanted = finished(disc(*LARGE_HW), STROKES, LARGE_HW)
    under = wanted == finished(~disc(*LARGE_HW), STROKES, LARGE_HW)
    assert np.array_equal(drawn[under], wanted[under])
    assert under.any()
