"""LabelMe: the shapes of one picture."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Final

import msgspec
import numpy as np
from PIL import Image as Pil

from app.arrays import MaskArray
from app.errors import BadMessageError, Reason
from app.imports.rings import MIN_CORNERS, Ring, filled_with_outline
from app.imports.values import LabelCollector
from app.masks.strokes import stroke_mask
from app.wording import in_words

TWO: Final = 2
TURNED: Final = ("oriented_rectangle", "rotation", "quadrilateral")
"""Boxes that stand askew, as LabelMe and X-AnyLabeling call them: their corners are those of a polygon."""
KINDS: Final = ("polygon", "rectangle", "circle", "mask", *TURNED)


class LabelMeShape(msgspec.Struct):
    """What is read of a shape."""

    label: str
    points: list[tuple[float, float]]
    shape_type: str | None = None
    group_id: int | str | None = None
    mask: str | None = None


class LabelMeFile(msgspec.Struct):
    """What is read of a file."""

    shapes: list[msgspec.Raw]
    image_width: float | None = msgspec.field(default=None, name="imageWidth")
    image_height: float | None = msgspec.field(default=None, name="imageHeight")


def read_labelme(data: bytes, found: LabelCollector) -> None:
    """Take in the shapes of a file; those of one group and one label are an object.

    Raises:
        BadMessageError: it is no LabelMe file, or of a picture of another size.
    """
    try:
        file = msgspec.json.decode(data, type=LabelMeFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(
            Reason(
                "labelme", "expected a LabelMe JSON with shapes: {cause}", cause=in_words(str(error), LabelMeFile)[:200]
            )
        ) from error
    told, own = (file.image_width, file.image_height), (found.image.width, found.image.height)
    if None not in told and told != own:
        raise BadMessageError(
            Reason(
                "labels_size",
                "the file is of a picture of {got_width:g} x {got_height:g} pixels, this one has {width} x {height}; "
                "open that one",
                got_width=told[0] or 0,
                got_height=told[1] or 0,
                width=own[0],
                height=own[1],
            )
        )
    groups: dict[object, list[tuple[str, LabelMeShape]]] = {}
    for number, raw in enumerate(file.shapes, 1):
        where = f"shape {number}"
        try:
            shape = msgspec.json.decode(raw, type=LabelMeShape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            found.problem(where, Reason("labels_part", "{cause}", cause=in_words(str(error), LabelMeShape)[:200]))
            continue
        group = number if shape.group_id is None else (shape.group_id, shape.label)
        groups.setdefault(group, []).append((where, shape))
    found.classes = tuple(dict.fromkeys(members[0][1].label for members in groups.values()))
    for members in groups.values():
        read_group(members, found)


def read_group(members: list[tuple[str, LabelMeShape]], found: LabelCollector) -> None:
    """Take in the shapes of one object; one that has no area is told."""
    where, first = members[0]
    if found.is_full:
        found.beyond()
        return
    mask_hw = np.zeros(found.image.size_hw, np.bool_)
    parts = 0
    for place, shape in members:
        try:
            mask_hw |= mask_of_shape(shape, found.image.size_hw)
            parts += 1
        except BadMessageError as error:
            found.problem(place, error.reason or error.message)
    if parts:
        found.mask(where, mask_hw, first.label)


def mask_of_shape(shape: LabelMeShape, size_hw: tuple[int, int]) -> MaskArray:
    """Return the pixels of a shape, (H, W) bool.

    Raises:
        BadMessageError: it has no area, or is damaged.
    """
    kind = shape.shape_type or "polygon"
    points: Ring = np.array(shape.points, np.float64).reshape(-1, 2)
    if not np.isfinite(points).all():
        raise BadMessageError(Reason("coordinates", "expected finite coordinates"))
    if kind in ("polygon", *TURNED) and len(points) >= MIN_CORNERS:
        return filled_with_outline([points], size_hw)
    if kind == "rectangle" and len(points) >= TWO:
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        return filled_with_outline([np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])], size_hw)
    if kind == "circle" and len(points) == TWO:
        center, edge = points
        radius = float(np.hypot(*(edge - center)))
        if radius < min(size_hw) * TWO:
            return stroke_mask([(float(center[0]), float(center[1]))], radius, size_hw, size_hw)
    if kind == "mask" and len(points) == TWO and shape.mask:
        return pasted(shape.mask, points, size_hw)
    if kind not in KINDS:
        raise BadMessageError(Reason("shape_kind", "a {kind} has no area; draw a polygon", kind=kind[:20]))
    raise BadMessageError(
        Reason("shape_flat", "expected a {kind} that has an area, got {count} points", kind=kind, count=len(points))
    )


def pasted(text: str, points: Ring, size_hw: tuple[int, int]) -> MaskArray:
    """Return a mask that a file has as the PNG of its box, (H, W) bool; what leaves the picture is cut off.

    Raises:
        BadMessageError: it is damaged, or larger than the picture.
    """
    x0, y0 = points.min(axis=0).clip(-max(size_hw), max(size_hw)).round().astype(int)
    try:
        with Pil.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=["PNG"]) as picture:
            width, height = picture.size
            if width > size_hw[1] or height > size_hw[0]:
                text = "its mask of {width} x {height} pixels is larger than the picture"
                raise BadMessageError(Reason("shape_off", text, width=width, height=height))
            box = np.asarray(picture.convert("L")) > 0
    except (binascii.Error, OSError, SyntaxError, ValueError) as error:
        raise BadMessageError(
            Reason("mask_unread", "its mask can't be read ({cause})", cause=str(error)[:100])
        ) from error
    mask_hw = np.zeros(size_hw, np.bool_)
    part = mask_hw[max(y0, 0) : max(y0 + height, 0), max(x0, 0) : max(x0 + width, 0)]
    top, left = max(-y0, 0), max(-x0, 0)
    part[:] = box[top : top + part.shape[0], left : left + part.shape[1]]
    return mask_hw
