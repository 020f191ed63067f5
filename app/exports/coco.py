"""COCO JSON: exact run lengths by COCO's own tools, and polygons beside them. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from pycocotools import mask as coco_masks

from app.arrays import MaskArray
from app.exports.names import class_name, class_names, picture_name
from app.exports.polygons import keyholed, on_edges, simple_parts
from app.exports.selection import ExportObject, Selection

DECIMALS = 2
"""Of a pixel: outlines run a twentieth inside of pixels' edges, which two decimals hold."""


def coco_json(selection: Selection) -> bytes:
    """Return a data set of one picture, as `pycocotools.coco.COCO` loads it.

    `segmentation` holds the mask itself as compressed run lengths; `polygons`, a field of our own that loaders pass
    over, the same as COCO's polygons, for tools that take no run lengths. Objects of one name are of one category.
    """
    image = selection.image
    classes = class_names([shown.item for shown in selection.objects])
    categories = [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(classes, 1)]
    content = {
        "info": {"description": "Masks by HoverSAM", "model": selection.model},
        "licenses": [],
        "images": [
            {"id": 1, "file_name": picture_name(selection.name, image), "width": image.width, "height": image.height}
        ],
        "annotations": [annotation(shown, classes) for shown in selection.objects],
        "categories": categories,
    }
    return msgspec.json.encode(content)


def annotation(shown: ExportObject, classes: list[str]) -> dict[str, Any]:
    """Return one object; its `id` is the one that it has in the session."""
    mask_hw = shown.draw()
    runs = coco_masks.encode(np.asfortranarray(mask_hw, np.uint8))
    return {
        "id": shown.item.id,
        "image_id": 1,
        "category_id": classes.index(class_name(shown.item)) + 1,
        "segmentation": {"size": runs["size"], "counts": runs["counts"].decode("ascii")},
        "polygons": polygons(mask_hw),
        "area": float(coco_masks.area(runs)),
        "bbox": coco_masks.toBbox(runs).tolist(),
        "iscrowd": 0,
        "score": shown.score,
    }


def polygons(mask_hw: MaskArray) -> list[list[float]]:
    """Return `[x, y, x, y, ...]` of each part of a mask, holes cut out by keyholes."""
    rings = [keyholed(on_edges(part)) for part in simple_parts(mask_hw)]
    return [ring.round(DECIMALS).ravel().tolist() for ring in rings]
