from __future__ import annotations

import json
from typing import Any

import pytest

from app.client import File, join_files
from app.client.joining import zipped
from tests.helpers.export_readers import unzipped


def coco(number: int, *classes: str) -> File:
    content: dict[str, Any] = {
        "info": {},
        "images": [{"id": number, "file_name": f"{number}.jpg"}],
        "annotations": [{"id": 10 * number, "image_id": number, "category_id": len(classes)}],
        "categories": [{"id": place, "name": name} for place, name in enumerate(classes, 1)],
    }
    return File(seq=0, name=f"{number}.coco.json", media_type="application/json", data=json.dumps(content).encode())


def yolo(name: str, *classes: str) -> File:
    names = "".join(f'  {place}: "{each}"\n' for place, each in enumerate(classes))
    members = [("data.yaml", f"names:\n{names}".encode()), (f"labels/train/{name}.txt", b"0 0 0 1 0 1 1\n")]
    return File(seq=0, name=f"{name}.yolo.zip", media_type="application/zip", data=zipped(members))


def test_coco_files_become_one_with_all_images_and_the_longest_list_of_classes() -> None:
    whole = json.loads(join_files([coco(1, "cat"), coco(2, "cat", "dog")], "all.json").data)
    assert [image["id"] for image in whole["images"]] == [1, 2]
    assert [annotation["category_id"] for annotation in whole["annotations"]] == [1, 2]
    assert [category["name"] for category in whole["categories"]] == ["cat", "dog"]


def test_labels_of_yolo_become_one_data_set() -> None:
    files = unzipped(join_files([yolo("a", "cat"), yolo("b", "cat", "dog")]).data)
    assert sorted(files) == ["data.yaml", "labels/train/a.txt", "labels/train/b.txt"]
    assert b"dog" in files["data.yaml"]


def test_other_files_are_put_into_a_zip_masks_each_in_a_folder_of_their_own() -> None:
    labelme = File(seq=0, name="a.json", media_type="application/json", data=b'{"shapes": []}')
    masks = File(seq=0, name="b.masks.zip", media_type="application/zip", data=zipped([("001-cat.png", b"x")]))
    assert sorted(unzipped(join_files([labelme, masks]).data)) == ["a.json", "b/001-cat.png"]


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ([], "got none"),
        ([coco(1, "cat"), coco(1, "cat")], "each picture once"),
        ([coco(1, "cat"), coco(2, "dog")], "1 is 'cat' and 'dog'"),
        ([yolo("a", "cat"), yolo("b", "dog")], "one list of classes"),
        ([yolo("a", "cat"), yolo("a", "cat")], "different names"),
    ],
)
def test_files_that_do_not_go_together_are_refused(files: list[File], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        join_files(files)
