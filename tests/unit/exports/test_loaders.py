"""Exported label files, opened by the programs that our users open them with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from app.arrays import MaskArray
from app.protocol.run_lengths import iou
from tests.helpers.export_readers import (
    blob,
    made,
    pixels_of,
    ring_and_islands,
    selection,
    unzipped,
    without_hairlines,
)
from tests.helpers.label_readers import (
    TrainingSet,
    coco_file,
    labelme_file,
    labelme_file_of,
    labelme_masks,
    supervision_coco,
    supervision_yolo,
    torchvision_pictures,
    ultralytics_data_sets,
)
from tests.helpers.strange_names import STRANGE_NAMES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),  # LabelMe leaves the picture open
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # COCO's tools and NumPy 2
]

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
    unpack(folder, *masks, names=names, name="photo.jpg")
    return folder


@pytest.mark.parametrize("mask_hw", ALL, ids=list(MASKS))
def test_a_yolo_data_set_gives_a_mask_back(tmp_path: Path, mask_hw: MaskArray) -> None:
    classes, found = supervision_yolo(yolo(tmp_path, mask_hw, names=["cup"]))
    [detections] = found.values()
    assert (classes, detections.class_id.tolist()) == (["cup"], [0])
    assert iou(without_hairlines(detections.mask[0], mask_hw), mask_hw) >= 0.98


def test_a_yolo_data_set_tells_its_objects_apart(tmp_path: Path) -> None:
    halves = [np.zeros(SIZE_HW, np.bool_) for _ in range(2)]
    halves[0][20:60, 20:80], halves[1][50:100, 100:190] = True, True
    classes, found = supervision_yolo(yolo(tmp_path, *halves, names=["cup", "dog"]))
    [detections] = found.values()
    assert [classes[number] for number in detections.class_id] == ["cup", "dog"]
    assert [iou(mask, half) >= 0.98 for mask, half in zip(detections.mask, halves, strict=True)] == [True, True]


# Many exports in one folder, of pictures with names that nobody here chose.


SMALL_HW = (40, 60)
SMALL_MASKS = {name: blob(*SMALL_HW, seed) for seed, name in enumerate(STRANGE_NAMES)}


@pytest.fixture(scope="module")
def strange_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a picture under every strange name, and its label files as they were downloaded."""
    folder = tmp_path_factory.mktemp("strange")
    for name, mask_hw in SMALL_MASKS.items():
        save_picture(folder / name, SMALL_HW)
        for kind in ("coco", "labelme"):
            file = made(kind, selection(mask_hw, names=["cup"], name=name))
            (folder / file.name).write_bytes(file.data)
    return folder


def save_picture(path: Path, size_hw: tuple[int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pil.fromarray(pixels_of(*size_hw)).save(path, "PNG" if path.suffix == ".png" else "JPEG")


def unpack(folder: Path, *masks: MaskArray, names: list[str], name: str) -> None:
    """Unzip a YOLO export into a data set, and put the picture where it belongs."""
    for member, data in unzipped(made("yolo", selection(*masks, names=names, name=name)).data).items():
        (folder / member).parent.mkdir(parents=True, exist_ok=True)
        (folder / member).write_bytes(data)
    save_picture(folder / "images/train" / name, masks[0].shape)


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=ascii)
def test_labelme_finds_the_labels_by_the_picture_and_the_picture_by_the_labels(
    strange_pictures: Path, name: str
) -> None:
    file = labelme_file_of(strange_pictures / name)
    assert file.image_path == name
    assert file.image_data
    assert iou(labelme_masks(file, SMALL_HW)[1], SMALL_MASKS[name]) >= 0.95


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=ascii)
def test_coco_readers_find_the_picture(strange_pictures: Path, name: str) -> None:
    labels = strange_pictures / f"{name.rpartition('.')[0]}.coco.json"
    coco = coco_file(labels)
    assert np.array_equal(coco.annToMask(coco.loadAnns(coco.getAnnIds())[0]), SMALL_MASKS[name])
    [(picture, [annotation])] = torchvision_pictures(strange_pictures, labels)
    assert (picture.size, annotation["area"]) == (SMALL_HW[::-1], SMALL_MASKS[name].sum())
    [(found, detections)] = supervision_coco(strange_pictures, labels).items()
    assert found == name
    assert np.array_equal(detections.mask[0], SMALL_MASKS[name])


YAML_TRAPS = [
    *("yes", "null", "1e3", "0x10", ": ", "#", "- a", "'", '"', "\\n", "*a", "&a !b", "{x: 1}", "[", "%", "@", "`"),
    *("two  words", "\u00e9 e\u0301 \U0001f41e", "\u0645\u06cc\u200c\u062e\u0648", "~", "=", "<<", "2026-01-01"),
]
"""Names that YAML would take for something else, or break on, where they weren't quoted."""
CLASSES = [name.strip() for name in YAML_TRAPS]


@pytest.fixture(scope="module")
def yolo_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return data sets: many pictures under strange names, one with many classes, and one without any."""
    folder = tmp_path_factory.mktemp("yolo")
    for name, mask_hw in SMALL_MASKS.items():
        unpack(folder / "names", mask_hw, names=["cup"], name=name)
    masks = [*(blob(*SIZE_HW, seed) for seed, _ in enumerate(YAML_TRAPS[1:])), ring_and_islands()]
    masks[3] &= False
    unpack(folder / "classes", masks[3], names=["thing"], name="nothing to see.png")
    unpack(folder / "classes", *masks, names=YAML_TRAPS, name="many.png")
    unpack(folder / "none", masks[3], names=["thing"], name="nothing to see.png")
    (folder / "none/data.yaml").write_bytes(unzipped(made("yolo", selection()).data)["data.yaml"])
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def training_sets(yolo_folders: dict[str, Path]) -> dict[str, TrainingSet]:
    return dict(zip(yolo_folders, ultralytics_data_sets(*yolo_folders.values()), strict=True))


def test_supervision_finds_the_labels_of_every_picture(yolo_folders: dict[str, Path]) -> None:
    _, found = supervision_yolo(yolo_folders["names"])
    assert set(found) == set(STRANGE_NAMES)
    agreed = {
        name: iou(without_hairlines(found[name].mask[0], mask_hw), mask_hw) for name, mask_hw in SMALL_MASKS.items()
    }
    assert min(agreed.values()) >= 0.95, agreed


def test_a_training_finds_the_labels_of_every_picture(training_sets: dict[str, TrainingSet]) -> None:
    found = training_sets["names"].masks
    assert set(found) == set(STRANGE_NAMES)
    agreed = {name: iou(without_hairlines(found[name][0], mask_hw), mask_hw) for name, mask_hw in SMALL_MASKS.items()}
    assert min(agreed.values()) >= 0.95, agreed


def test_a_training_sees_every_class_by_its_name_and_holes_as_holes(training_sets: dict[str, TrainingSet]) -> None:
    found = training_sets["classes"]
    assert found.classes == CLASSES
    assert set(found.objects["many.png"]) == set(range(len(CLASSES))) - {3}
    [last] = [
        mask_hw
        for number, mask_hw in zip(found.objects["many.png"], found.masks["many.png"], strict=True)
        if number == len(CLASSES) - 1
    ]
    assert iou(without_hairlines(last, ring_and_islands()), ring_and_islands()) >= 0.98
    assert found.objects["nothing to see.png"] == []


def test_a_training_takes_a_picture_without_objects(training_sets: dict[str, TrainingSet]) -> None:
    assert training_sets["none"].classes == ["object"]
    assert training_sets["none"].objects == {"nothing to see.png": []}


def test_supervision_sees_every_class_by_its_name(yolo_folders: dict[str, Path]) -> None:
    classes, detections = supervision_yolo(yolo_folders["classes"])
    assert classes == CLASSES
    assert set(detections["many.png"].class_id) == set(range(len(CLASSES))) - {3}
