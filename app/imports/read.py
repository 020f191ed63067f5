"""A label file of whatever kind, read for one picture. Takes up to seconds; call it in a worker thread. Pure.

Decision: what doesn't fit is named, and the rest comes in. Context: files of other programs have a line or two that
nobody drew: a point, a box outside, a class that is gone. Choice: an object that can't be is left out with its place
and the reason; only a file that is of another picture, or none at all, is refused. Price: whoever doesn't read what he
is told may miss an object.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo

import msgspec

from app.errors import BadMessageError, Reason
from app.imports.coco import read_coco
from app.imports.labelme import read_labelme
from app.imports.pictures import read_mask
from app.imports.values import LabelCollector
from app.imports.yolo import read_yolo, stem
from app.protocol.fields import MAX_FILE_BYTES
from app.protocol.labels import Labels
from app.session.checks import check_trail
from app.session.class_files import MAX_TEXT_BYTES, read_classes
from app.session.limits import SessionLimits
from app.session.objects import SessionObject
from app.session.recipe import read_recipe
from app.session.values import OpenImage

KINDS: Final = "COCO, LabelMe or recipe JSON, YOLO labels, a mask, or a ZIP of labels or masks"
MAX_MEMBERS: Final = 10_000
PICTURE_ENDINGS: Final = ("png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif")


class Kind(msgspec.Struct):
    """The fields by which a JSON file tells what it is."""

    format: msgspec.Raw = msgspec.Raw()
    shapes: msgspec.Raw = msgspec.Raw()
    annotations: msgspec.Raw = msgspec.Raw()


def read_labels(
    data: bytes,
    file_name: str,
    image: OpenImage,
    *,
    picture_name: str | None = None,
    names: Sequence[str] = (),
    room: int | None = None,
    limits: SessionLimits | None = None,
) -> Labels:
    """Return the objects that a file has for a picture.

    Args:
        data: the file.
        file_name: its name, by whose ending its kind is told.
        image: the picture.
        picture_name: file name of the picture, by which a data set of several knows it.
        names: of the session's classes, for label files that only have numbers.
        room: objects that there is room for; None for as many as a picture takes.
        limits: of the session.

    Raises:
        BadMessageError: it is no label file, or one of another picture.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadMessageError(
            Reason(
                "file_bytes",
                "expected a label file of at most {most} bytes, got {got}",
                most=MAX_FILE_BYTES,
                got=len(data),
            )
        )
    limits = limits or SessionLimits()
    found = LabelCollector(image, limits.max_objects if room is None else min(room, limits.max_objects), limits)
    ending = file_name.lower().rpartition(".")[2]
    if data[:4] == b"PK\x03\x04":
        read_zip(data, found, picture_name, names)
    elif ending in PICTURE_ENDINGS:
        read_mask(data, found, file_name)
    elif data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        read_json(data.removeprefix(b"\xef\xbb\xbf"), found, picture_name)
    else:
        read_yolo(text_of(data), found, names)
    return found.labels()


def read_json(data: bytes, found: LabelCollector, picture_name: str | None) -> None:
    """Take in a JSON file of whichever program."""
    try:
        kind = msgspec.json.decode(data, type=Kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(
            Reason(
                "labels_unread", "expected {kinds}; this can't be read: {cause}", kinds=KINDS, cause=str(error)[:200]
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


def read_zip(data: bytes, found: LabelCollector, picture_name: str | None, names: Sequence[str]) -> None:
    """Take in the labels of a picture out of a YOLO data set, or the masks of several objects."""
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            members = [each for each in archive.infolist() if not each.is_dir()][:MAX_MEMBERS]
            texts = [each for each in members if each.filename.lower().endswith(".txt") and not is_list(each)]
            if texts:
                lists = [each for each in members if stem(each.filename) == "data" or is_list(each)]
                if lists:
                    names = read_classes(unpacked(archive, lists[0], MAX_TEXT_BYTES), lists[0].filename)
                own = [each for each in texts if picture_name and stem(each.filename) == stem(picture_name)] or texts
                if len(own) != 1:
                    raise BadMessageError(
                        Reason(
                            "zip_labels",
                            "expected labels named {wanted}.txt in the ZIP, which has {count}; rename one of them",
                            wanted=stem(picture_name or "the picture"),
                            count=len(texts),
                        )
                    )
                read_yolo(text_of(unpacked(archive, own[0], MAX_FILE_BYTES)), found, names)
                return
            read_masks(archive, members, found)
    except (BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise BadMessageError(
            Reason("zip_unread", "the ZIP can't be read ({cause})", cause=str(error)[:100])
        ) from error


def read_masks(archive: ZipFile, members: Sequence[ZipInfo], found: LabelCollector) -> None:
    """Take in the masks in a ZIP; one that can't be read is told."""
    pictures = [each for each in members if each.filename.lower().rpartition(".")[2] in PICTURE_ENDINGS]
    single = [each for each in pictures if stem(each.filename) != "indexed"] or pictures
    if not single:
        raise BadMessageError(
            Reason("zip_nothing", "expected {kinds}; the ZIP has neither labels nor masks", kinds=KINDS)
        )
    room = MAX_FILE_BYTES
    for member in single:
        if found.is_full:
            found.beyond()
            continue
        try:
            data = unpacked(archive, member, room)
            room -= len(data)
            read_mask(data, found, member.filename)
        except BadMessageError as error:
            found.problem(member.filename[-100:], error.reason or error.message)


def is_list(member: ZipInfo) -> bool:
    """Return whether a file of a data set lists its classes."""
    return stem(member.filename) in ("classes", "obj.names") and member.filename.lower().endswith(".txt")


def unpacked(archive: ZipFile, member: ZipInfo, max_bytes: int) -> bytes:
    """Return a file out of a ZIP.

    Raises:
        BadMessageError: it is larger than it may be.
    """
    with archive.open(member) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise BadMessageError(
            Reason(
                "zip_member",
                "{name} in the ZIP has more than {most} bytes",
                name=member.filename[-100:],
                most=max_bytes,
            )
        )
    return data


def text_of(data: bytes) -> str:
    """Return a label file as text.

    Raises:
        BadMessageError: it is none.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadMessageError(
            Reason("labels_kind", "expected {kinds}; got a file of another kind", kinds=KINDS)
        ) from None
