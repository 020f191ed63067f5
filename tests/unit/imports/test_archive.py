"""ZIPs of labels as other programs and systems pack them: what is the picture's comes in, and nothing else does."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image as Pil

from app.client.joining import join_files
from app.errors import BadMessageError
from app.imports.read import read_labels
from app.protocol.counts import mask_of
from app.protocol.labels import Labels
from app.protocol.messages import File
from app.protocol.recipe import MaskStep
from app.session.values import OpenImage

IMAGE: Final = OpenImage("0123456789abcdef", 40, 30)
BOX: Final = {"cat": (3, 4, 9, 8), "dog": (20, 10, 33, 25)}
"""What is labelled on the picture of each name: left, top, right and bottom."""


def drawn(*boxes: tuple[int, int, int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return a picture's pixels, (H, W): 255 in the first box, 254 in the second and so on."""
    pixels = np.zeros((IMAGE.height, IMAGE.width), np.uint8)
    for number, (left, top, right, bottom) in enumerate(boxes):
        pixels[top:bottom, left:right] = 255 - number
    return pixels


def png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    out = io.BytesIO()
    Pil.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def tinted(pixels: np.ndarray[Any, np.dtype[np.uint8]], *colors: tuple[int, int, int], indexed: bool = False) -> bytes:
    """Return a PNG of what was drawn, the boxes in colours, by a palette where it is indexed."""
    numbers = np.where(pixels == 0, 0, 256 - pixels.astype(int)).astype(np.uint8)
    palette = np.array([(0, 0, 0), *colors], np.uint8)
    picture = Pil.fromarray(numbers if indexed else palette[numbers])
    if indexed:
        picture.putpalette(palette.tobytes())
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


PHOTO: Final = png(np.random.default_rng(0).integers(0, 256, (IMAGE.height, IMAGE.width, 3), np.uint8))


def line(name: str) -> bytes:
    """Return the YOLO label of a picture."""
    x0, y0, x1, y1 = BOX[name]
    corners = ((x0, y0), (x1 - 1, y0), (x1 - 1, y1 - 1), (x0, y1 - 1))
    return ("1 " + " ".join(f"{(x + 0.3) / IMAGE.width} {(y + 0.3) / IMAGE.height}" for x, y in corners)).encode()


def coco(*names: str) -> bytes:
    images, annotations = [], []
    for number, name in enumerate(names, 1):
        x0, y0, x1, y1 = BOX[name]
        images.append({"id": number, "file_name": f"{name}.jpg", "width": IMAGE.width, "height": IMAGE.height})
        ring = [x0, y0, x1, y0, x1, y1, x0, y1]
        annotations.append({"id": number, "image_id": number, "category_id": 1, "segmentation": [ring]})
    return json.dumps(
        {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "animal"}]}
    ).encode()


def labelme(name: str) -> bytes:
    x0, y0, x1, y1 = BOX[name]
    shape = {"label": "animal", "points": [[x0, y0], [x1 - 1, y1 - 1]], "shape_type": "rectangle"}
    return json.dumps({"shapes": [shape], "imagePath": f"../photos/{name}.jpg", "imageData": None}).encode()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def read(files: dict[str, bytes], picture: str = "dog.jpg") -> Labels:
    return read_labels(zipped(files), "labels.zip", IMAGE, picture_name=picture)


def boxes_of(labels: Labels) -> list[tuple[int, int, int, int]]:
    found = []
    for made in labels.objects:
        [step] = made.trail
        assert isinstance(step, MaskStep)
        rows, columns = np.nonzero(mask_of(step.counts, step.size))
        found.append((int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1))
    return found


PHOTOS: Final = {"images/cat.jpg": PHOTO, "images/dog.jpg": PHOTO}
SETS: Final[dict[str, dict[str, bytes]]] = {
    "our COCO with pictures": {"annotations/instances_train.json": coco("cat", "dog"), **PHOTOS},
    "COCO in two parts": {
        "annotations/instances_train.json": coco("cat"),
        "annotations/instances_val.json": coco("dog"),
    },
    "Label Studio's COCO": {"result.json": coco("cat", "dog"), **PHOTOS},
    "Label Studio's YOLO": {
        "classes.txt": b"none\nanimal\n",
        "notes.json": b'{"categories": [], "info": {}}',
        "labels/cat.txt": line("cat"),
        "labels/dog.txt": line("dog"),
        **PHOTOS,
    },
    "Label Studio's YOLO of uploads": {
        "classes.txt": b"none\nanimal\n",
        "notes.json": b'{"categories": [], "info": {}}',
        "labels/0f3ab2c4-cat.txt": line("cat"),
        "labels/9e01d7aa-dog.txt": line("dog"),
        "images/0f3ab2c4-cat.jpg": PHOTO,
        "images/9e01d7aa-dog.jpg": PHOTO,
    },
    "Label Studio's COCO of uploads": {
        "result.json": coco("cat", "dog")
        .replace(b"cat.jpg", rb"images\\0f3ab2c4-cat.jpg")
        .replace(b"dog.jpg", rb"images\\9e01d7aa-dog.jpg")
    },
    "CVAT's YOLO": {
        "obj.data": b"classes = 2\nnames = obj.names\n",
        "obj.names": b"none\nanimal\n",
        "train.txt": b"obj_train_data/cat.jpg\nobj_train_data/dog.jpg\n",
        "obj_train_data/cat.txt": line("cat"),
        "obj_train_data/dog.txt": line("dog"),
    },
    "a YOLO set of another name": {"coco8-seg.yaml": b"names: [none, animal]\n", "labels/dog.txt": line("dog")},
    "our LabelMe with pictures": {
        "cat.json": labelme("cat"),
        "cat.jpg": PHOTO,
        "dog.json": labelme("dog"),
        "dog.jpg": PHOTO,
    },
    "LabelMe named by its list": {"1.json": labelme("cat"), "2.json": labelme("dog")},
    "our masks with pictures": {
        "masks/cat/001.png": png(drawn(BOX["cat"])),
        "masks/dog/001.png": png(drawn(BOX["dog"])),
        **PHOTOS,
    },
    "CVAT's masks": {
        "labelmap.txt": b"# label:color_rgb:parts:actions\nbackground:0,0,0::\nanimal:250,50,83::\n",
        "ImageSets/Segmentation/default.txt": b"cat\ndog\n",
        "SegmentationClass/cat.png": tinted(drawn(BOX["cat"]), (250, 50, 83)),
        "SegmentationClass/dog.png": tinted(drawn(BOX["dog"]), (250, 50, 83)),
        "SegmentationObject/cat.png": png(drawn(BOX["cat"])),
        "SegmentationObject/dog.png": png(drawn(BOX["dog"])),
    },
    "masks beside pictures": {
        "cat_mask.png": png(drawn(BOX["cat"])),
        "dog_mask.png": png(drawn(BOX["dog"])),
        "images/dog.jpg": PHOTO,
    },
    "masks zipped again on a Mac": {
        "out/001-animal.png": png(drawn(BOX["dog"])),
        "__MACOSX/out/._001-animal.png": b"\0\5\x16\7 Mac OS X",
        "out/.DS_Store": b"\0\0\0\1Bud1",
    },
    "labels zipped again on a Mac": {
        "out/labels.txt": line("dog"),
        "__MACOSX/out/._labels.txt": b"\0\5\x16\7 Mac OS X",
    },
}


@pytest.mark.parametrize("kind", SETS)
def test_a_data_set_gives_the_pictures_own_objects_and_no_others(kind: str) -> None:
    labels = read(SETS[kind])
    assert boxes_of(labels) == [BOX["dog"]]
    assert labels.problems == ()
    told = [name for name in SETS[kind] if name.endswith((".yaml", ".names", "classes.txt", "labelmap.txt"))]
    assert labels.objects[0].name == (
        "animal" if told or "COCO" in kind or "LabelMe" in kind else labels.objects[0].name
    )


LABEL_MAP: Final = b"""# label:color_rgb:parts:actions
background:0,0,0::
big: cat : 250,50,83 ::
dog:2,2,2:head,tail:run
no color:::
unused:1,2,3::
"""
TINTS: Final = ((250, 50, 83), (2, 2, 2))


@pytest.mark.parametrize("indexed", [False, True], ids=["rgb", "palette"])
def test_masks_by_object_have_the_classes_that_the_masks_by_class_and_the_label_map_tell(indexed: bool) -> None:
    mask = drawn(BOX["cat"], BOX["dog"])
    by_object = tinted(mask, (128, 0, 0), (0, 128, 0), indexed=indexed)
    files = {
        "labelmap.txt": LABEL_MAP,
        "SegmentationClass/a.png": tinted(mask, *TINTS, indexed=indexed),
        "SegmentationObject/a.png": by_object,
    }
    labels = read(files, "a.jpg")
    names = {box: each.name for box, each in zip(boxes_of(labels), labels.objects, strict=True)}
    assert names == {BOX["cat"]: "big: cat", BOX["dog"]: "dog"}
    assert labels.classes == ("big: cat", "dog", "unused")
    del files["SegmentationObject/a.png"]
    assert {each.name for each in read(files, "a.jpg").objects} == {"dog", "big: cat"}
    lone = read({"labelmap.txt": LABEL_MAP, "SegmentationObject/a.png": by_object}, "a.jpg")
    assert [each.name for each in lone.objects] == ["", ""]


def test_objects_whose_masks_by_class_are_damaged_come_without_a_class_and_that_is_told() -> None:
    files = SETS["CVAT's masks"] | {"SegmentationClass/dog.png": b"\x89PNG\r\n\x1a\n"}
    labels = read(files)
    assert (boxes_of(labels), labels.objects[0].name) == ([BOX["dog"]], "")
    assert [each.where for each in labels.problems] == ["SegmentationClass/dog.png"]


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("our COCO with pictures", "'bird.jpg'"),
        ("Label Studio's YOLO", "labels named bird"),
        ("our masks with pictures", "name bird in the ZIP"),
        ("CVAT's masks", "name bird in the ZIP"),
    ],
)
def test_a_data_set_without_the_picture_says_so_and_gives_none_of_anothers(kind: str, why: str) -> None:
    with pytest.raises(BadMessageError, match=why):
        read(SETS[kind], "bird.jpg")


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("my dog (1).jpg", "9e01d7aa-my_dog_1"),
        ("Cafe\u0301 1.jpg", "Caf\u00e9 1"),
        ("Caf\u00e9 1.jpg", "Cafe\u0301 1"),
        ("DOG.JPG", "dog"),
        ("a:b.jpg", "a_b"),
    ],
)
def test_a_picture_is_found_however_its_name_is_written(mine: str, theirs: str) -> None:
    files = {"labels/other.txt": line("cat"), f"labels/{theirs}.txt": line("dog")}
    assert boxes_of(read(files, mine)) == [BOX["dog"]]
    if ":" not in mine:
        data = coco("cat", "dog").replace(b"dog.jpg", json.dumps(f"{theirs}.jpg").strip('"').encode())
        assert boxes_of(read_labels(data, "a.json", IMAGE, picture_name=mine)) == [BOX["dog"]]


@pytest.mark.parametrize("names", [("img.1.jpg", "img.2.jpg"), ("a.jpg", "a.b.jpg")])
def test_joined_masks_of_several_pictures_are_each_found_again(names: tuple[str, str]) -> None:
    files = [
        File(seq=0, name=f"{name[:-4]}.masks.zip", media_type="application/zip", data=zipped({"001-animal.png": mask}))
        for name, mask in zip(names, (png(drawn(BOX[each])) for each in BOX), strict=True)
    ]
    joined = join_files(files).data
    for name, box in zip(names, BOX.values(), strict=True):
        assert boxes_of(read_labels(joined, "all.zip", IMAGE, picture_name=name)) == [box]


def test_a_damaged_or_locked_file_in_a_zip_is_told() -> None:
    whole = bytearray(zipped({"labels.txt": line("dog") * 50}))
    for at in range(40, 60):
        whole[at] ^= 0x5A
    with pytest.raises(BadMessageError, match="ZIP can't be read"):
        read_labels(bytes(whole), "a.zip", IMAGE, picture_name="dog.jpg")
    locked = bytearray(zipped({"labels.txt": line("dog")}))
    locked[6] |= 1
    locked[locked.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(BadMessageError, match="ZIP can't be read"):
        read_labels(bytes(locked), "a.zip", IMAGE, picture_name="dog.jpg")
