"""Exported files read as the tools that users load them with read them; selections to export."""

from __future__ import annotations

import io
import json
import warnings
import xml.etree.ElementTree as Xml
import zipfile
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pil
from PIL import ImageDraw
from pycocotools import mask as coco_masks
from scipy import ndimage

from app.arrays import MaskArray
from app.exports.files import ExportFile
from app.exports.make import make_file
from app.exports.selection import ExportObject, PixelArray, Selection
from app.protocol.fields import ExportFormat
from app.protocol.recipe import PointStep
from app.session.objects import SessionObject
from app.session.values import OpenImage

MAX_BYTES = 2**24
IMAGE_ID = "0123456789abcdef0123456789abcdef"


def selection(*masks: MaskArray, names: Sequence[str] = (), name: str | None = "photo.jpg") -> Selection:
    """Return objects 1, 2, ... of these masks; a picture of another colour at every pixel."""
    height, width = masks[0].shape if masks else (30, 40)
    objects = tuple(
        shown(mask_hw, number, names[number - 1] if names else f"Object {number}")
        for number, mask_hw in enumerate(masks, 1)
    )
    return Selection(OpenImage(IMAGE_ID, width, height), name, "nano", objects, lambda: pixels_of(height, width))


def shown(mask_hw: MaskArray, number: int, name: str) -> ExportObject:
    item = SessionObject(id=number, name=name, color=number - 1, trail=(PointStep(x=1.0, y=2.0),))
    return ExportObject(item, 0.875, draw=lambda: mask_hw)


def pixels_of(height: int, width: int) -> PixelArray:
    return np.random.default_rng(0).integers(1, 256, (height, width, 3), np.uint8)


def made(kind: ExportFormat, chosen: Selection) -> ExportFile:
    return make_file(kind, chosen, MAX_BYTES)


def from_png(data: bytes) -> Pil.Image:
    picture = Pil.open(io.BytesIO(data), formats=["PNG"])
    picture.load()
    return picture


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def coco_polygons_mask(polygons: list[list[float]], size_hw: tuple[int, ...]) -> MaskArray:
    return coco_decoded(coco_masks.merge(coco_masks.frPyObjects(polygons, *size_hw)))


def coco_decoded(runs: dict[str, Any]) -> MaskArray:
    with warnings.catch_warnings():  # its compiled part is of the days before NumPy 2
        warnings.simplefilter("ignore", DeprecationWarning)
        return np.array(coco_masks.decode(runs), np.bool_)


def yolo_masks(text: str, size_hw: tuple[int, ...]) -> list[tuple[int, MaskArray]]:
    """Return class and mask of every line, drawn as Ultralytics draws them: cut to whole numbers, `fillPoly`.

    Supervision rounds instead; both have to see the same.
    """
    found = []
    for line in text.splitlines():
        number, *shares = line.split()
        ring = np.array(shares, np.float64).reshape(-1, 2)
        assert len(ring) >= 3
        assert ring.min() >= 0
        assert ring.max() <= 1
        corners = (ring * size_hw[::-1]).astype(np.int32)
        assert np.array_equal(np.round(ring * size_hw[::-1]), corners)
        canvas = np.zeros(size_hw, np.uint8)
        cv2.fillPoly(canvas, [corners], 1)
        found.append((int(number), canvas > 0))
    return found


def without_hairlines(drawn: MaskArray, mask_hw: MaskArray) -> MaskArray:
    """Return what was drawn without the bridges between parts: what is beside the mask and nowhere two pixels wide."""
    beside = np.pad(drawn & ~mask_hw, 1).astype(np.uint8)
    wide: MaskArray = cv2.morphologyEx(beside, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    return (drawn & mask_hw) | wide[1:-1, 1:-1]


def labelme_mask(points: list[list[float]], size_hw: tuple[int, ...]) -> MaskArray:
    """Return a polygon as LabelMe's `shape_to_mask` draws it."""
    canvas = Pil.new("1", (size_hw[1], size_hw[0]))
    ImageDraw.Draw(canvas).polygon([(x, y) for x, y in points], outline=1, fill=1)
    return np.array(canvas)


def labelme_shapes(data: bytes) -> dict[str, Any]:
    """Return a label file after the checks that LabelMe's loader makes."""
    content = json.loads(data)
    assert {"version", "imageData", "imagePath", "shapes", "flags", "imageHeight", "imageWidth"} == content.keys()
    for shape in content["shapes"]:
        assert isinstance(shape["label"], str)
        assert all(len(point) == 2 and all(isinstance(xy, (int, float)) for xy in point) for point in shape["points"])
        assert len(shape["points"]) > 2
        assert isinstance(shape["group_id"], int)
        assert isinstance(shape["description"], str)
        assert (shape["shape_type"], shape["flags"], shape["mask"]) == ("polygon", {}, None)
    assert isinstance(content, dict)
    return content


def svg_paths(data: bytes) -> list[Xml.Element]:
    root = Xml.fromstring(data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return list(root.iter("{http://www.w3.org/2000/svg}path"))


def svg_mask(path: Xml.Element, size_hw: tuple[int, ...]) -> MaskArray:
    """Return what a path covers by the even-odd rule: pixels whose centre lies inside an odd number of its rings."""
    inside = np.zeros(size_hw, np.bool_)
    y, x = np.mgrid[: size_hw[0], : size_hw[1]] + 0.5
    for text in path.attrib["d"].split("Z")[:-1]:
        ring = np.array([corner.split() for corner in text[1:].split("L")], np.float64)
        for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if y0 != y1:
                across = (y0 <= y) != (y1 <= y)
                inside ^= across & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def blob(height: int, width: int, seed: int, *, share: float = 0.4) -> MaskArray:
    """Return a mask of round shapes, with several parts and holes."""
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = ndimage.gaussian_filter(noise, min(height, width) / 12)
    mask_hw: MaskArray = smooth > np.quantile(smooth, 1 - share)
    return mask_hw


def ring_and_islands() -> MaskArray:
    """Return a ring with a drop in its hole, and an island beside it: holes in parts in holes."""
    y, x = np.mgrid[:120, :200]
    away = np.hypot(x - 60, y - 60)
    island = np.hypot(x - 160, y - 60) < 25
    mask_hw: MaskArray = ((away < 50) & (away > 25)) | (away < 12) | island
    return mask_hw
