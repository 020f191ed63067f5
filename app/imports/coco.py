"""COCO: the annotations of one picture of a data set."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np

from app.arrays import MaskArray
from app.errors import BadMessageError, Reason
from app.exports.coco import image_number
from app.imports.names import base, folded, is_upload_of
from app.imports.rings import MIN_CORNERS, filled_between_edges
from app.imports.values import LabelCollector
from app.protocol.counts import mask_of
from app.session.values import OpenImage
from app.wording import in_words

XYWH: Final = 4


class DataSetImage(msgspec.Struct):
    """A picture of a data set."""

    id: int | str
    file_name: str = ""
    width: float | None = None
    height: float | None = None


class DataSetCategory(msgspec.Struct):
    """A class of a data set."""

    id: int | str
    name: str


class DataSet(msgspec.Struct):
    """What is read of a data set; an annotation is looked at by itself, so that one that is wrong doesn't spoil all."""

    images: list[DataSetImage]
    annotations: list[msgspec.Raw]
    categories: list[DataSetCategory] = []


class DataSetAnnotation(msgspec.Struct):
    """What is read of an annotation."""

    image_id: int | str
    category_id: int | str | None = None
    segmentation: Any = None
    bbox: list[float] | None = None


class ImageOf(msgspec.Struct):
    """Which picture an annotation is of."""

    image_id: int | str | None = None


def read_coco(data: bytes, found: LabelCollector, picture_name: str | None) -> None:
    """Take in the annotations of a picture.

    Args:
        data: a JSON file.
        found: where they go.
        picture_name: file name of the picture, by which a data set knows it.

    Raises:
        BadMessageError: it is no data set, or not of this picture.
    """
    try:
        file = msgspec.json.decode(data, type=DataSet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(
            Reason(
                "coco",
                "expected a COCO JSON with images and annotations: {cause}",
                cause=in_words(str(error), DataSet)[:200],
            )
        ) from error
    image = image_in(file.images, found.image, picture_name)
    categories = sorted(file.categories, key=lambda each: (isinstance(each.id, str), each.id))
    found.classes = tuple(dict.fromkeys(each.name for each in categories))
    names = {each.id: each.name for each in categories}
    for number, raw in enumerate(file.annotations, 1):
        where = f"annotation {number}"
        try:
            if msgspec.json.decode(raw, type=ImageOf).image_id != image.id:
                continue
            read_annotation(msgspec.json.decode(raw, type=DataSetAnnotation), found, where, names)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            found.problem(where, Reason("labels_part", "{cause}", cause=in_words(str(error), DataSetAnnotation)[:200]))
        except BadMessageError as error:
            found.problem(where, error.reason or error.message)


def image_in(images: list[DataSetImage], image: OpenImage, name: str | None) -> DataSetImage:
    """Return the entry of a picture: by its number where we gave it, by its file name, or as the only one.

    Raises:
        BadMessageError: there is none, or it is of another size.
    """
    wanted = None if name is None else base(name)
    found = entries_of(images, image, name) or images
    if len(found) != 1:
        listed = ", ".join(each.file_name for each in images[:5])
        raise BadMessageError(
            Reason(
                "coco_picture",
                "expected a picture named {wanted!r} in the file, which has {count}: {listed}; rename one of them",
                wanted=wanted or "",
                count=len(images),
                listed=listed,
            )
        )
    [entry] = found
    for told, own in ((entry.width, image.width), (entry.height, image.height)):
        if told is not None and told != own:
            raise BadMessageError(
                Reason(
                    "labels_size",
                    "the file is of a picture of {got_width:g} x {got_height:g} pixels, "
                    "this one has {width} x {height}; open that one",
                    got_width=entry.width or 0,
                    got_height=entry.height or 0,
                    width=image.width,
                    height=image.height,
                )
            )
    return entry


def entries_of(images: list[DataSetImage], image: OpenImage, name: str | None) -> list[DataSetImage]:
    """Return which entries are a picture's: that of its number, where we gave it, else those of its file name."""
    ours = [each for each in images if each.id == image_number(image)]
    if ours or name is None:
        return ours
    own = folded(base(name))
    named = [each for each in images if base(each.file_name) == base(name)]
    alike = [each for each in images if folded(base(each.file_name)) == own]
    return named or alike or [each for each in images if is_upload_of(folded(base(each.file_name)), own)]


def read_annotation(made: DataSetAnnotation, found: LabelCollector, where: str, names: dict[int | str, str]) -> None:
    """Take in one annotation; raises `BadMessageError` where it doesn't fit."""
    name = "" if made.category_id is None else names.get(made.category_id)
    if name is None:
        text = "there is no category {category}; it came in without a class"
        found.problem(where, Reason("coco_category", text, category=str(made.category_id)), lost=False)
        name = ""
    if found.is_full:
        found.beyond()
    elif made.segmentation:
        found.mask(where, mask_in(made.segmentation, found.image.size_hw), name)
    elif made.bbox is not None and len(made.bbox) == XYWH:
        x, y, width, height = made.bbox
        found.box(where, (x, y, x + width, y + height), name)
    else:
        found.problem(
            where,
            Reason("coco_nothing", "expected a segmentation or a bbox of x, y, width, height, got neither"),
        )


def mask_in(segmentation: Any, size_hw: tuple[int, int]) -> MaskArray:  # noqa: ANN401
    """Return the mask of a segmentation: run lengths, compressed or not, or polygons.

    Raises:
        BadMessageError: it is none, or of another size.
    """
    if isinstance(segmentation, dict):
        counts, size = segmentation.get("counts"), segmentation.get("size")
        if size != list(size_hw):
            raise BadMessageError(
                Reason(
                    "coco_size",
                    "expected run lengths of size [{height}, {width}], got {got}",
                    height=size_hw[0],
                    width=size_hw[1],
                    got=str(size)[:40],
                )
            )
        if isinstance(counts, str):
            return mask_of(counts, size_hw)
        lengths = msgspec.convert(counts, list[int])
        if min(lengths, default=-1) < 0 or sum(lengths) != size_hw[0] * size_hw[1]:
            raise BadMessageError(
                Reason(
                    "coco_runs",
                    "expected run lengths of {pixels} pixels in all",
                    pixels=size_hw[0] * size_hw[1],
                )
            )
        return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(size_hw[::-1]).T
    polygons = msgspec.convert(segmentation, list[list[float]])
    rings = [np.array(ring, np.float64).reshape(-1, 2) for ring in polygons if len(ring) % 2 == 0]
    whole = [ring for ring in rings if len(ring) >= MIN_CORNERS]  # others enclose nothing, and COCO's own data has some
    if len(rings) < len(polygons) or not whole:
        raise BadMessageError(
            Reason("coco_polygons", "expected polygons of x, y, x, y, ... with at least three corners each")
        )
    if not all(np.isfinite(ring).all() for ring in whole):
        raise BadMessageError(Reason("coordinates", "expected finite coordinates"))
    return filled_between_edges(whole, size_hw)
