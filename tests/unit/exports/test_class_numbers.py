"""Files of several pictures with one list of classes, put together and opened as our users do."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pil

from app.exports.selection import Selection
from app.protocol.fields import ExportFormat
from app.session.classes import ClassList
from tests.helpers.export_readers import blob, made, pixels_of, selection, unzipped
from tests.helpers.label_readers import (
    coco_file,
    labelme_file,
    supervision_coco,
    supervision_yolo,
    torchvision_pictures,
    ultralytics_data_sets,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),  # LabelMe leaves the picture open
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # COCO's tools and NumPy 2
]

SIZE_HW = (60, 90)
CLASSES = ["eye", "cat", "dog", "zebra"]
PICTURES = {"one.png": ["cat", "eye"], "two.png": ["cat"], "three.png": ["dog", "cat", "dog"], "none.png": []}
"""What is on each picture, in the order in which it was made; no picture has a zebra."""
ON_THEM = {name: set(names) for name, names in PICTURES.items()}


def chosen(name: str, index: int) -> Selection:
    """Return a picture with its objects, and an id of its own."""
    masks = [blob(*SIZE_HW, 10 * index + place) for place, _ in enumerate(PICTURES[name])]
    there = selection(*masks, names=PICTURES[name], name=name)
    image = replace(there.image, image_id=f"{index:032x}", height=SIZE_HW[0], width=SIZE_HW[1])
    return replace(there, image=image, classes=ClassList().replaced(CLASSES))


def files(kind: ExportFormat) -> list[tuple[str, bytes]]:
    return [(name, made(kind, chosen(name, index)).data) for index, name in enumerate(PICTURES)]


@pytest.fixture(scope="module")
def yolo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pictures' ZIP files, unzipped into one folder one after the other."""
    folder = tmp_path_factory.mktemp("yolo")
    for name, data in files("yolo"):
        for member, content in unzipped(data).items():
            (folder / member).parent.mkdir(parents=True, exist_ok=True)
            (folder / member).write_bytes(content)
        save_picture(folder / "images/train", name)
    return folder


def save_picture(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Pil.fromarray(pixels_of(*SIZE_HW)).save(folder / name)


def test_yolos_files_are_one_data_set_whichever_was_unzipped_last(yolo_folder: Path) -> None:
    contents = {unzipped(data)["data.yaml"] for _, data in files("yolo")}
    assert contents == {(yolo_folder / "data.yaml").read_bytes()}


@pytest.mark.slow
def test_a_training_sees_the_right_classes_on_every_picture(yolo_folder: Path) -> None:
    [found] = ultralytics_data_sets(yolo_folder)
    assert found.classes == CLASSES
    assert {name: {CLASSES[number] for number in numbers} for name, numbers in found.objects.items()} == ON_THEM


@pytest.mark.slow
def test_supervision_sees_the_right_classes_on_every_picture(yolo_folder: Path) -> None:
    classes, found = supervision_yolo(yolo_folder)
    assert classes == CLASSES
    assert {name: {classes[number] for number in each.class_id} for name, each in found.items()} == ON_THEM


@pytest.fixture
def coco_folder(tmp_path: Path) -> Path:
    """The pictures, and all their COCO files put together by joining their lists."""
    contents: list[dict[str, Any]] = [json.loads(data) for _, data in files("coco")]
    assert [content["categories"] for content in contents] == [contents[0]["categories"]] * len(contents)
    joined = {key: [each for content in contents for each in content[key]] for key in ("images", "annotations")}
    (tmp_path / "all.json").write_text(json.dumps({**contents[0], **joined}))
    for name in PICTURES:
        save_picture(tmp_path, name)
    return tmp_path


def test_cocos_files_can_be_joined_as_they_are(coco_folder: Path) -> None:
    coco = coco_file(coco_folder / "all.json")
    assert {id_: each["name"] for id_, each in coco.cats.items()} == dict(enumerate(CLASSES, 1))
    assert len(coco.anns) == sum(map(len, PICTURES.values()))
    found = {
        image["file_name"]: [coco.cats[each["category_id"]]["name"] for each in coco.imgToAnns[number]]
        for number, image in coco.imgs.items()
    }
    assert found == PICTURES
    index = list(PICTURES).index("three.png")
    [first, *_] = coco.imgToAnns[next(id_ for id_, each in coco.imgs.items() if each["file_name"] == "three.png")]
    assert (coco.annToMask(first) == blob(*SIZE_HW, 10 * index)).all()


@pytest.mark.slow
def test_torchvision_and_supervision_read_the_joined_file(coco_folder: Path) -> None:
    pictures = torchvision_pictures(coco_folder, coco_folder / "all.json")
    numbers = [{each["category_id"] for each in found} for _, found in pictures]
    assert sorted(map(sorted, numbers)) == sorted(
        sorted(CLASSES.index(each) + 1 for each in on) for on in ON_THEM.values()
    )
    found = supervision_coco(coco_folder, coco_folder / "all.json")
    assert {name: len(each) for name, each in found.items()} == {name: len(names) for name, names in PICTURES.items()}


def test_labelme_opens_each_picture_with_its_classes(tmp_path: Path) -> None:
    for index, name in enumerate(PICTURES):
        save_picture(tmp_path, name)
        file = made("labelme", chosen(name, index))
        (tmp_path / file.name).write_bytes(file.data)
        shapes = labelme_file(tmp_path / file.name).shapes
        assert list(dict.fromkeys((shape["group_id"], shape["label"]) for shape in shapes)) == list(
            enumerate(PICTURES[name], 1)
        )


def test_an_object_without_a_class_comes_after_the_list() -> None:
    there = replace(selection(blob(*SIZE_HW, 1), blob(*SIZE_HW, 2)), classes=ClassList().replaced(CLASSES))
    content = json.loads(made("coco", there).data)
    assert [each["name"] for each in content["categories"]] == [*CLASSES, "object"]
    assert {each["category_id"] for each in content["annotations"]} == {len(CLASSES) + 1}


def test_where_the_list_has_the_class_object_it_is_that_of_unnamed_ones() -> None:
    there = replace(selection(blob(*SIZE_HW, 1)), classes=ClassList().replaced(["cat", "object", "dog"]))
    assert unzipped(made("yolo", there).data)["labels/train/photo.txt"].split()[0] == b"1"


def test_the_same_picture_has_the_same_ids_again_and_another_has_others() -> None:
    first, again, other = (json.loads(made("coco", chosen("two.png", index)).data) for index in (1, 1, 2))
    assert first["images"] == again["images"]
    assert first["images"][0]["id"] != other["images"][0]["id"]
    ids = {each["id"] for content in (first, other) for each in content["annotations"]}
    assert len(ids) == 2
    assert all(0 < number < 2**53 for number in ids)
