"""COCO, YOLO, LabelMe and SVG files, read by their own tools or by the rules of those."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO

from app.arrays import MaskArray
from app.protocol.run_lengths import box_of, iou
from app.session.palette import PALETTE
from tests.helpers.export_readers import (
    blob,
    coco_decoded,
    coco_polygons_mask,
    labelme_mask,
    labelme_shapes,
    made,
    ring_and_islands,
    selection,
    svg_mask,
    svg_paths,
    unzipped,
    without_hairlines,
    yolo_masks,
)

MASKS = [blob(300, 451, 1), blob(300, 451, 2, share=0.02), blob(300, 451, 3, share=0.9)]
HOSTILE = '\u202e</title><script>alert("1")</script>\x00\ud800\n\'&]]>'
"""Markup, quotes, controls, a mark that turns text around, and half of a character."""


def loaded(data: bytes, folder: Path) -> COCO:
    path = folder / "coco.json"
    path.write_bytes(data)
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def union(masks: list[MaskArray]) -> MaskArray:
    return sum(masks[1:], masks[0])


def test_coco_gives_every_mask_back_to_the_pixel(tmp_path: Path) -> None:
    file = made("coco", selection(*MASKS, names=["cup", "cup", "dog"]))
    assert (file.name, file.media_type) == ("photo.coco.json", "application/json")
    coco = loaded(file.data, tmp_path)
    [image] = coco.loadImgs(coco.getImgIds())
    assert (image["file_name"], image["width"], image["height"]) == ("photo.jpg", 451, 300)
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == ["cup", "dog"]
    annotations = coco.loadAnns(coco.getAnnIds())
    assert [item["category_id"] for item in annotations] == [1, 1, 2]
    for item, mask_hw in zip(annotations, MASKS, strict=True):
        runs = coco.annToRLE(item)
        assert iou(coco_decoded(runs), mask_hw) == 1.0
        assert item["area"] == mask_hw.sum()
        assert item["bbox"] == coco_masks.toBbox(runs).tolist()
        assert item["score"] == 0.875


@pytest.mark.parametrize("mask_hw", [*MASKS, ring_and_islands()], ids=["blob", "bits", "holes", "ring"])
def test_coco_polygons_agree_holes_and_all(mask_hw: MaskArray) -> None:
    [item] = json.loads(made("coco", selection(mask_hw)).data)["annotations"]
    assert iou(coco_polygons_mask(item["polygons"], mask_hw.shape), mask_hw) >= 0.98


@pytest.mark.parametrize("mask_hw", [*MASKS, ring_and_islands()], ids=["blob", "bits", "holes", "ring"])
def test_yolo_polygons_agree_holes_and_all(mask_hw: MaskArray) -> None:
    text = unzipped(made("yolo", selection(mask_hw)).data)["labels/train/photo.txt"].decode()
    [(number, drawn)] = yolo_masks(text, mask_hw.shape)
    assert number == 0
    assert iou(without_hairlines(drawn, mask_hw), mask_hw) >= 0.98


def strange_masks(height: int = 97, width: int = 131) -> dict[str, MaskArray]:
    """Return masks that are thin, small, at the edge of the picture, or in one another."""
    y, x = np.mgrid[:height, :width]
    depth = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    return {
        "row": y == 40,
        "column": x == width - 1,
        "last row": (y == height - 1) & (x > 7),
        "pixel": (y == 40) & (x == 50),
        "corners": np.isin(y, [0, height - 1]) & np.isin(x, [0, width - 1]),
        "last pixel": (y == height - 1) & (x == width - 1),
        "frame": depth == 0,
        "all": depth >= 0,
        "rings": depth // 4 % 2 == 0,
        "stairs": x == y,
        "dots": (x % 9 == 0) & (y % 9 == 0),
    }


@pytest.mark.parametrize("mask_hw", strange_masks().values(), ids=strange_masks())
def test_strange_masks_come_back_from_every_format(mask_hw: MaskArray) -> None:
    chosen = selection(mask_hw)
    [item] = json.loads(made("coco", chosen).data)["annotations"]
    lines = yolo_masks(unzipped(made("yolo", chosen).data)["labels/train/photo.txt"].decode(), mask_hw.shape)
    shapes = labelme_shapes(made("labelme", chosen).data)["shapes"]
    [path] = svg_paths(made("svg", chosen).data)
    agreed = {
        "coco": iou(coco_decoded(item["segmentation"]), mask_hw),
        "coco's polygons": iou(coco_polygons_mask(item["polygons"], mask_hw.shape), mask_hw),
        "yolo": iou(without_hairlines(union([line for _, line in lines]), mask_hw), mask_hw),
        "labelme": iou(union([labelme_mask(shape["points"], mask_hw.shape) for shape in shapes]), mask_hw),
        "svg": iou(svg_mask(path, mask_hw.shape), mask_hw),
    }
    assert min(agreed.values()) >= 0.99, agreed


@pytest.mark.parametrize("mask_hw", strange_masks().values(), ids=strange_masks())
def test_a_training_keeps_every_yolo_object_since_its_box_has_an_area(mask_hw: MaskArray) -> None:
    text = unzipped(made("yolo", selection(mask_hw)).data)["labels/train/photo.txt"].decode()
    for line in text.splitlines():
        ring = np.array(line.split()[1:], np.float32).reshape(-1, 2)
        assert (np.ptp(ring, axis=0) > 0).all()


def test_yolo_writes_an_object_as_one_line_however_far_apart_its_parts_lie() -> None:
    mask_hw = np.zeros((300, 450), np.bool_)
    mask_hw[:40, :50] = mask_hw[250:280, 20:50] = mask_hw[260:, 400:] = True
    text = unzipped(made("yolo", selection(mask_hw, ~mask_hw)).data)["labels/train/photo.txt"].decode()
    (_, first), (_, second) = yolo_masks(text, mask_hw.shape)
    assert np.array_equal(without_hairlines(first, mask_hw), mask_hw)
    assert box_of(first) == (0, 0, 450, 300)
    assert iou(second, ~mask_hw) >= 0.99


def test_yolo_names_its_classes() -> None:
    file = made("yolo", selection(*MASKS, names=["cup", "Object 2", 'a "b": #\U0001f41e']))
    assert (file.name, file.media_type) == ("photo.yolo.zip", "application/zip")
    files = unzipped(file.data)
    assert yaml.safe_load(files["data.yaml"])["names"] == {0: "cup", 1: "object", 2: 'a "b": #\U0001f41e'}
    lines = files["labels/train/photo.txt"].decode().splitlines()
    assert sorted({line.split()[0] for line in lines}) == ["0", "1", "2"]


@pytest.mark.parametrize("mask_hw", [*MASKS, ring_and_islands()], ids=["blob", "bits", "holes", "ring"])
def test_labelme_polygons_agree_holes_and_all(mask_hw: MaskArray) -> None:
    content = labelme_shapes(made("labelme", selection(mask_hw)).data)
    assert {shape["group_id"] for shape in content["shapes"]} == {1}
    drawn = [labelme_mask(shape["points"], mask_hw.shape) for shape in content["shapes"]]
    assert iou(union(drawn), mask_hw) >= 0.98


def test_labelme_finds_the_picture_beside_its_file() -> None:
    file = made("labelme", selection(*MASKS, name="C:\\photos\\cat 1.jpeg"))
    content = labelme_shapes(file.data)
    assert file.name == "cat 1.json"
    assert (content["imagePath"], content["imageData"]) == ("cat 1.jpeg", None)
    assert (content["imageHeight"], content["imageWidth"]) == (300, 451)
    assert {shape["label"] for shape in content["shapes"]} == {"object"}


@pytest.mark.parametrize("mask_hw", [*MASKS, ring_and_islands()], ids=["blob", "bits", "holes", "ring"])
def test_svg_paths_agree_holes_and_all(mask_hw: MaskArray) -> None:
    [path] = svg_paths(made("svg", selection(mask_hw)).data)
    assert iou(svg_mask(path, mask_hw.shape), mask_hw) >= 0.98


def test_svg_is_of_the_pictures_size_and_in_the_objects_colours() -> None:
    data = made("svg", selection(*MASKS)).data
    assert b'width="451" height="300" viewBox="0 0 451 300"' in data
    assert [path.attrib["fill"] for path in svg_paths(data)] == list(PALETTE[:3])


def test_colours_are_the_pages_own() -> None:
    script = (Path(__file__).parents[3] / "static/js/model/palette.js").read_text()
    assert [line.split('"')[1] for line in script.splitlines() if line.startswith('  "#')] == list(PALETTE)


def test_a_hostile_name_is_only_a_name(tmp_path: Path) -> None:
    chosen = selection(MASKS[0], names=[HOSTILE], name=f"../../{HOSTILE}.jpg")
    [path] = svg_paths(made("svg", chosen).data)
    [title] = list(path)
    tame = '</title><script>alert("1")</script> \'&]]>'
    assert (title.text, len(title)) == (tame, 0)
    [category] = loaded(made("coco", chosen).data, tmp_path).loadCats(1)
    assert category["name"] == tame
    [shape, *_] = labelme_shapes(made("labelme", chosen).data)["shapes"]
    assert shape["label"] == tame
    files = unzipped(made("yolo", chosen).data)
    assert yaml.safe_load(files["data.yaml"])["names"] == {0: tame}
    assert not any(set(name) & set('\\<>"\x00\n\u202e') or ".." in name for name in files)


def nothing_of(kind: Any) -> Any:
    file = made(kind, selection())
    return unzipped(file.data) if kind == "yolo" else file.data


def test_no_object_is_a_picture_without_labels(tmp_path: Path) -> None:
    assert loaded(nothing_of("coco"), tmp_path).getAnnIds() == []
    assert labelme_shapes(nothing_of("labelme"))["shapes"] == []
    assert svg_paths(nothing_of("svg")) == []
    assert nothing_of("yolo")["labels/train/photo.txt"] == b""
    assert yaml.safe_load(nothing_of("yolo")["data.yaml"])["names"] == {0: "object"}


def test_an_empty_mask_is_an_object_without_a_shape(tmp_path: Path) -> None:
    chosen = selection(MASKS[0] & False)
    coco = loaded(made("coco", chosen).data, tmp_path)
    [item] = coco.loadAnns(coco.getAnnIds())
    assert (item["area"], item["polygons"]) == (0, [])
    assert not coco_decoded(coco.annToRLE(item)).any()
    assert labelme_shapes(made("labelme", chosen).data)["shapes"] == []
    assert unzipped(made("yolo", chosen).data)["labels/train/photo.txt"] == b""
