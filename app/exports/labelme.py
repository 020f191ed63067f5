"""LabelMe JSON: polygons that its users go on to edit. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from app.exports.names import picture_name
from app.exports.polygons import keyholed, outlined
from app.exports.selection import ExportObject, Selection
from app.session.names import class_name, readable

FORMAT_VERSION: Final = "5.5.0"
"""A version of LabelMe that wrote this form; later ones read it."""
DECIMALS: Final = 2
"""Of a pixel: outlines run a twentieth inside of pixels' edges, which two decimals hold."""


def labelme_json(selection: Selection) -> bytes:
    """Return a label file, to be saved beside the picture that it names.

    A part of an object is a shape; the shapes of one object share a `group_id`. Holes are cut out by keyholes. The
    picture isn't in the file: what was uploaded is never sent out again.
    """
    image = selection.image
    content: dict[str, Any] = {
        "version": FORMAT_VERSION,
        "flags": {},
        "shapes": [shape for shown in selection.objects for shape in shapes(shown)],
        "imagePath": picture_name(selection.name, image),
        "imageData": None,
        "imageHeight": image.height,
        "imageWidth": image.width,
    }
    return msgspec.json.encode(content)


def shapes(shown: ExportObject) -> list[dict[str, Any]]:
    """Return the polygons of an object."""
    rings = map(keyholed, outlined(shown, shown.draw()))
    return [
        {
            "label": class_name(shown.item),
            "points": ring.round(DECIMALS).tolist(),
            "group_id": shown.item.id,
            "description": readable(shown.item.name),
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        for ring in rings
    ]
