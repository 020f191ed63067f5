"""A JSON file of labels, of whichever program. Pure."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from app.errors import BadMessageError, Reason
from app.imports.coco import DataSetImage, entries_of, read_coco
from app.imports.labelme import read_labelme
from app.imports.names import base, folded
from app.imports.values import LabelCollector
from app.session.checks import check_trail
from app.session.objects import SessionObject
from app.session.recipe import read_recipe
from app.session.values import OpenImage
from app.wording import in_words

KINDS: Final = "COCO, LabelMe or recipe JSON, YOLO labels, a mask, or a ZIP of labels or masks"


class Kind(msgspec.Struct):
    """The fields by which a JSON file tells what it is."""

    format: msgspec.Raw = msgspec.Raw()
    shapes: msgspec.Raw = msgspec.Raw()
    annotations: msgspec.Raw = msgspec.Raw()


class LabelledPicture(Kind):
    """Those by which it tells which picture it is of, too."""

    images: list[DataSetImage] = []
    image_path: str = msgspec.field(default="", name="imagePath")
    image_id: str = ""


def has_picture(data: bytes, image: OpenImage, picture_name: str | None, *, is_own: bool) -> bool | None:
    """Return whether a JSON file has labels of a picture, None where it has labels of none.

    Args:
        data: the file.
        image: the picture.
        picture_name: its file name.
        is_own: the file is called as the picture is.
    """
    try:
        of = msgspec.json.decode(data, type=LabelledPicture)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if bytes(of.shapes):
        return is_own or (picture_name is not None and folded(base(of.image_path)) == folded(base(picture_name)))
    if bytes(of.annotations):
        return bool(entries_of(of.images, image, picture_name))
    return of.image_id == image.image_id if bytes(of.format) and of.image_id else None


def read_json(data: bytes, found: LabelCollector, picture_name: str | None) -> None:
    """Take in a JSON file of whichever program."""
    try:
        kind = msgspec.json.decode(data, type=Kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(
            Reason(
                "labels_unread",
                "expected {kinds}; this can't be read: {cause}",
                kinds=KINDS,
                cause=in_words(str(error), Kind)[:200],
            )
        ) from error
    if bytes(kind.shapes):
        read_labelme(data, found)
    elif bytes(kind.annotations):
        read_coco(data, found, picture_name)
    elif bytes(kind.format):
        take_recipe(data, found)
    else:
        raise BadMessageError(
            Reason(
                "labels_json", "expected {kinds}; this JSON has neither annotations, shapes nor a format", kinds=KINDS
            )
        )


def take_recipe(data: bytes, found: LabelCollector) -> None:
    """Take in the objects of a recipe; the prompts are asked again."""
    recipe, image = read_recipe(data), found.image
    if (recipe.image_id, recipe.width, recipe.height) != (image.image_id, image.width, image.height):
        raise BadMessageError(
            Reason(
                "recipe_picture",
                "the recipe is of picture {name} ({got_width} x {got_height}), "
                "the open one is another ({width} x {height}); open that picture",
                name=recipe.name or recipe.image_id,
                got_width=recipe.width,
                got_height=recipe.height,
                width=image.width,
                height=image.height,
            )
        )
    found.classes = tuple(each.name for each in recipe.classes)
    for made in recipe.objects:
        where = f"object {made.id}"
        try:
            check_trail(SessionObject(made.id, made.name, made.color, made.trail), image, found.limits)
        except BadMessageError as error:
            found.problem(where, error.reason or error.message)
            continue
        unnamed = re.fullmatch(r"Object \d+", made.name)
        found.trail(where, made.trail, "" if unnamed else made.name)
