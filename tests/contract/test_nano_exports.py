"""Files and recipes of masks that a real model made on photos."""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pil

from app.arrays import MaskArray
from app.engine.sam2.engine import load_torch_engine
from app.exports.selection import ExportObject, Selection
from app.protocol import messages as m
from app.protocol.run_lengths import iou
from app.service.answers import export_object, native_mask
from app.session.session import Session
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.export_readers import (
    coco_decoded,
    coco_polygons_mask,
    labelme_mask,
    labelme_shapes,
    made,
    svg_mask,
    svg_paths,
    unzipped,
    without_hairlines,
    yolo_masks,
)
from tests.helpers.recipes import SPECK_SHARE, Worker, recipe_of

SAMPLES = sorted((Path(__file__).parents[2] / "static/samples").glob("*.jpg"))
CLICKS = 6


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda path: path.stem)
def worker(request: pytest.FixtureRequest) -> Worker:
    entry = load_manifest().entry("nano")
    with Pil.open(request.param) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    return Worker(load_torch_engine(entry, BUNDLED_DIR / entry.file), pixels)


@pytest.fixture(scope="module")
def session(worker: Worker) -> Session:
    """Objects of one click, of a choice, of corrections and of a box."""
    dice, session = random.Random(0), worker.session()
    width, height = worker.image.width, worker.image.height
    for seq in range(1, 4 * CLICKS, 4):
        worker.do(session, m.Click(seq=seq, x=dice.uniform(0, width), y=dice.uniform(0, height)))
        last = max(session.objects)
        worker.do(session, m.Choose(seq=seq + 1, object=last, candidate=dice.randrange(3)))
        x, y = dice.uniform(0, width), dice.uniform(0, height)
        if last % 2:
            worker.do(session, m.Click(seq=seq + 2, x=x, y=y, label=dice.randrange(2), object=last))
        elif last % 3 == 0:
            worker.do(session, m.Box(seq=seq + 2, object=last, box=(x / 2, y / 2, (x + width) / 2, (y + height) / 2)))
    return session


def chosen(session: Session, worker: Worker) -> tuple[Selection, list[MaskArray]]:
    masks = [export_object(item, worker.image, SPECK_SHARE).draw() for item in session.objects.values()]
    objects = tuple(
        ExportObject(item, 0.5, draw=partial(np.copy, mask_hw))
        for item, mask_hw in zip(session.objects.values(), masks, strict=True)
    )
    return Selection(worker.image, "photo.jpg", "nano", objects, lambda: np.zeros((1, 1, 3), np.uint8)), masks


def test_a_recipe_is_replayed_to_the_bit(worker: Worker, session: Session) -> None:
    again = worker.again(recipe_of(session))
    assert len(session.objects) >= CLICKS - 1
    assert shown(again) == shown(session)


def shown(session: Session) -> list[tuple[object, ...]]:
    """Return what is seen and remembered of the objects; which candidates were drawn before is no part of it."""
    return [
        (item.id, item.name, item.trail, item.answer and item.answer.memory, item.shown[item.chosen])
        for item in session.objects.values()
    ]


def test_masks_come_back_from_every_format(worker: Worker, session: Session) -> None:
    selection, masks = chosen(session, worker)
    size_hw = worker.image.size_hw
    annotations = json.loads(made("coco", selection).data)["annotations"]
    shapes = labelme_shapes(made("labelme", selection).data)["shapes"]
    paths = svg_paths(made("svg", selection).data)
    grey = [np.array(Pil.open(io.BytesIO(data))) for data in unzipped(made("mask", selection).data).values()]
    for index, mask_hw in enumerate(masks):
        assert np.array_equal(coco_decoded(annotations[index]["segmentation"]), mask_hw)
        assert np.array_equal(grey[index] == 255, mask_hw)
        if mask_hw.any():
            assert iou(coco_polygons_mask(annotations[index]["polygons"], size_hw), mask_hw) >= 0.98
            assert iou(svg_mask(paths[index], size_hw), mask_hw) >= 0.98
            own = [shape["points"] for shape in shapes if shape["group_id"] == index + 1]
            assert iou(np.any([labelme_mask(points, size_hw) for points in own], axis=0), mask_hw) >= 0.98
            alone = replace(selection, objects=selection.objects[index : index + 1])
            lines = yolo_masks(unzipped(made("yolo", alone).data)["labels/train/photo.txt"].decode(), size_hw)
            drawn = np.any([line for _, line in lines], axis=0)
            assert iou(without_hairlines(drawn, mask_hw), mask_hw) >= 0.98


def test_what_was_kept_draws_what_was_shown(worker: Worker, session: Session) -> None:
    """Of a picture larger than the wire's grid, a mask is drawn from logits that were rounded."""
    for item in session.objects.values():
        answer = item.answer
        assert answer is not None
        twice_hw = 2 * worker.image.height, 2 * worker.image.width
        shown, kept = (native_mask(item, answer, size_hw, SPECK_SHARE) for size_hw in (worker.image.size_hw, twice_hw))
        assert iou(kept, np.repeat(np.repeat(shown, 2, 0), 2, 1)) >= 0.97
