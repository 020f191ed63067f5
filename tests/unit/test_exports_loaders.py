"""Exported label files, opened by LabelMe's own loader and by Supervision's of YOLO data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from app.protocol.masks import MaskArray, iou
from tests.export_readers import blob, made, pixels_of, ring_and_islands, selection, unzipped
from tests.label_readers import labelme_file, labelme_masks, yolo_data_set

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # LabelMe leaves the picture open

SIZE_HW = (120, 200)
MASKS = {
    "blob": blob(*SIZE_HW, 1),
    "bits": blob(*SIZE_HW, 2, share=0.05),
    "holes": blob(*SIZE_HW, 3, share=0.9),
    "ring and islands": ring_and_islands(),
}
ALL = list(MASKS.values())
NAMES = ["cup", "cup", "dog", "\u00dc \U0001f41e"]


def with_picture(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    Pil.fromarray(pixels_of(*SIZE_HW)).save(folder / "photo.jpg")
    return folder


def opened_by_labelme(folder: Path, *masks: MaskArray, names: list[str]) -> Any:
    path = with_picture(folder) / "photo.json"
    path.write_bytes(made("labelme", selection(*masks, names=names)).data)
    return labelme_file(path)


def test_labelme_opens_a_file_and_gives_every_mask_back(tmp_path: Path) -> None:
    masks = labelme_masks(opened_by_labelme(tmp_path, *ALL, names=NAMES), SIZE_HW)
    assert list(masks) == [1, 2, 3, 4]
    assert min(iou(masks[number], mask_hw) for number, mask_hw in enumerate(ALL, 1)) >= 0.98


def test_labelme_finds_the_picture_and_the_names(tmp_path: Path) -> None:
    file = opened_by_labelme(tmp_path, *ALL, names=NAMES)
    assert file.image_path == "photo.jpg"
    named = {shape["group_id"]: shape["label"] for shape in file.shapes}
    assert named == dict(enumerate(NAMES, 1))


def test_labelme_opens_a_file_without_objects(tmp_path: Path) -> None:
    path = with_picture(tmp_path) / "photo.json"
    path.write_bytes(made("labelme", selection(ALL[0] & False)).data)
    assert labelme_file(path).shapes == []


def yolo(folder: Path, *masks: MaskArray, names: list[str]) -> Path:
    for name, data in unzipped(made("yolo", selection(*masks, names=names)).data).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with_picture(folder / "images/train")
    return folder


@pytest.mark.parametrize("mask_hw", ALL, ids=list(MASKS))
def test_a_yolo_data_set_gives_a_mask_back(tmp_path: Path, mask_hw: MaskArray) -> None:
    classes, detections = yolo_data_set(yolo(tmp_path, mask_hw, names=["cup"]))
    assert (classes, set(detections.class_id)) == (["cup"], {0})
    assert iou(np.any(detections.mask, axis=0), mask_hw) >= 0.98


def test_a_yolo_data_set_tells_its_objects_apart(tmp_path: Path) -> None:
    halves = [np.zeros(SIZE_HW, np.bool_) for _ in range(2)]
    halves[0][20:60, 20:80], halves[1][50:100, 100:190] = True, True
    classes, detections = yolo_data_set(yolo(tmp_path, *halves, names=["cup", "dog"]))
    assert [classes[number] for number in detections.class_id] == ["cup", "dog"]
    assert [iou(mask, half) >= 0.98 for mask, half in zip(detections.mask, halves, strict=True)] == [True, True]
