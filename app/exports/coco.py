"""COCO JSON: exact run lengths by COCO's own tools, and polygons beside them. Pure."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec
import numpy as np
from pycocotools import mask as coco_masks

from app.arrays import MaskArray
from app.exports.names import class_names, picture_name
from app.exports.polygons import differing_px, keyholed, on_edges, outlined
from app.exports.selection import ExportObject, Selection
from app.session.names import class_name
from app.session.values import OpenImage

DECIMALS = 2
"""Of a pixel: outlines run a twentieth inside of pixels' edges, which two decimals hold."""
IMAGE_NUMBER_BITS: Final = 40
"""Of the hash of a picture. With those of the objects JavaScript still holds a number exactly, and among ten thousand
pictures two have one number once in twenty thousand times."""
OBJECTS_PER_IMAGE: Final = 4096
"""The protocol's own bound."""


def coco_json(selection: Selection) -> bytes:
    """Return a data set of one picture, as `pycocotools.coco.COCO` loads it.

    `segmentation` holds the mask itself as compressed run lengths; `polygons`, a field of our own that loaders pass
    over, the same as COCO's polygons, for tools that take no run lengths, and `polygons_differ` in how many pixels
    those are another. Objects of one name are of one category; its `id` is the class's place in the list, from 1. Ids
    of pictures and annotations follow from the picture's bytes, so that files of several pictures can be put together
    as they are.
    """
    image = selection.image
    number = image_number(image)
    classes = class_names(selection.classes.names, (shown.item for shown in selection.objects))
    categories = [{"id": number, "name": name, "supercategory": ""} for number, name in enumerate(classes, 1)]
    content = {
        "info": {"description": "Masks by HoverSAM", "model": selection.model},
        "licenses": [],
        "images": [
            {
                "id": number,
                "file_name": picture_name(selection.name, image),
                "width": image.width,
                "height": image.height,
            }
        ],
        "annotations": [
            {"id": number * OBJECTS_PER_IMAGE + place, "image_id": number, **annotation(shown, classes)}
            for place, shown in enumerate(selection.objects, 1)
        ],
        "categories": categories,
    }
    return msgspec.json.encode(content)


def image_number(image: OpenImage) -> int:
    """Return the number of a picture, at least 1: the same in every file, and another for every picture."""
    digest = hashlib.sha256(image.image_id.encode()).digest()
    return max(1, int.from_bytes(digest, "big") >> (8 * len(digest) - IMAGE_NUMBER_BITS))


def annotation(shown: ExportObject, classes: list[str]) -> dict[str, Any]:
    """Return one object, without its ids."""
    mask_hw = shown.draw()
    runs = coco_masks.encode(np.asfortranarray(mask_hw, np.uint8))
    rings = polygons(shown, mask_hw)
    return {
        "category_id": classes.index(class_name(shown.item)) + 1,
        "segmentation": {"size": runs["size"], "counts": runs["counts"].decode("ascii")},
        "polygons": rings,
        "polygons_differ": differing_px(rings, runs),
        "area": float(coco_masks.area(runs)),
        "bbox": coco_masks.toBbox(runs).tolist(),
        "iscrowd": 0,
        "score": shown.score,
    }


def polygons(shown: ExportObject, mask_hw: MaskArray) -> list[list[float]]:
    """Return `[x, y, x, y, ...]` of each part of a mask, holes cut out by keyholes."""
    rings = [keyholed(on_edges(part)) for part in outlined(shown, mask_hw)]
    return [ring.round(DECIMALS).ravel().tolist() for ring in rings]
