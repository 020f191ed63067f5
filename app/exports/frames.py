"""Masks over the frames of a clip as one file: a ZIP of PNGs, COCO, YOLO, and the clip itself with its objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import IO, Any, Final, Literal, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from app.exports.coco import coco_json
from app.exports.files import BoundedBuffer, ExportFile
from app.exports.images import MASK_LEVEL, check_indexed, covered, cutout_pixels, grey, indexed, overlay_pixels
from app.exports.names import class_names, file_name, label_name
from app.exports.selection import PixelArray, Selection, within_tolerance
from app.exports.yolo import data_yaml, label_line
from app.session.classes import ClassList
from app.session.objects import SessionObject
from app.session.palette import color_rgb
from app.session.values import OpenImage

FramesFormat = Literal["mask", "coco", "yolo", "overlay", "cutout"]
"""Formats of whole clips."""
ENDINGS: Final[dict[FramesFormat, tuple[str, str]]] = {
    "mask": ("masks.zip", "application/zip"),
    "coco": ("coco.json", "application/json"),
    "yolo": ("yolo.zip", "application/zip"),
    "overlay": ("overlay.mp4", "video/mp4"),
    "cutout": ("cutout.mp4", "video/mp4"),
}
"""Of each format, how a file's name ends, and its media type."""
WITH_FRAMES: Final[tuple[FramesFormat, ...]] = ("yolo", "overlay", "cutout")
"""Formats that show the clip."""
GROUND: Final = "#000000"
"""Behind a cutout that names no colour: a video knows no transparency."""


@dataclass(frozen=True)
class ShownFrame:
    """A frame and its objects; one that isn't to be seen there isn't among them.

    Attributes:
        index: its place in the clip, from 0.
        time_s: when it is shown.
        selection: as of a picture of its own.
        jpeg: returns the frame at the clip's own size as a JPEG, only where a format has it; then `selection.pixels`
            isn't called.
    """

    index: int
    time_s: float
    selection: Selection
    jpeg: Callable[[], bytes]


@dataclass(frozen=True)
class ClipSelection:
    """A clip and objects of it, to be written.

    Attributes:
        image: the clip's id and its size in its own pixels.
        name: its file name, or None.
        items: all objects, in the order in which they were made; the last lies on top.
        classes: the ordered list, those without an object here too.
        frames: every frame in its order; made and written one at a time.
    """

    image: OpenImage
    name: str | None
    items: tuple[SessionObject, ...]
    classes: ClassList
    frames: Iterable[ShownFrame]


def frames_file(kind: FramesFormat, selection: ClipSelection, max_bytes: int) -> ExportFile:
    """Return the frames of a clip as a file. Takes up to minutes; call it in a worker thread.

    Args:
        kind: the format.
        selection: the clip and its objects.
        max_bytes: largest file that may come of it.

    Raises:
        ImageTooLargeError: it would get larger.
        TooManyObjectsError: more objects than the format takes.
        UnsupportedImageError: a video can't be written, since PyAV isn't installed.
    """
    out = BoundedBuffer(max_bytes)
    file = cast("IO[bytes]", out)
    if kind == "mask":
        masks_zip(selection, file)
    elif kind == "coco":
        file.write(joined_coco(selection))
    elif kind == "yolo":
        yolo_zip(selection, file)
    else:
        from app.clips.writing import write_mp4

        draw = overlay_pixels if kind == "overlay" else grounded
        write_mp4(((shown.time_s, draw(shown.selection)) for shown in selection.frames), file)
    ending, media_type = ENDINGS[kind]
    return ExportFile(file_name(selection.name, selection.image, f".{ending}"), media_type, out)


def frame_name(clip_name: str | None, index: int) -> str:
    """Return what a frame is called in files, as programs that take clips apart call it."""
    name = clip_name or "clip"
    stem = name.rpartition(".")[0] or name
    return f"{stem}-{index:06d}.jpg"


def masks_zip(selection: ClipSelection, out: IO[bytes]) -> None:
    """Write one PNG a frame, also where nothing is to be seen.

    Of one object it is 8 bit grey, 255 on it and 0 elsewhere. Of several it is indexed, in their colours: a pixel has
    its object's place among them, from 1, and 0 elsewhere; where objects overlap, the last made lies on top.
    """
    numbers = {item.id: number for number, item in enumerate(selection.items, 1)}
    check_indexed(len(numbers))
    colors = [color_rgb(selection.classes.color_of(item)) for item in selection.items]
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for shown in selection.frames:
            if len(numbers) == 1:
                picture = grey(covered(shown.selection))
            else:
                picture = indexed(numbered(shown.selection, numbers), colors)
            with archive.open(f"{shown.index:06d}.png", "w") as member:
                picture.save(member, "PNG", compress_level=MASK_LEVEL)


def numbered(selection: Selection, numbers: dict[int, int]) -> NDArray[np.uint8]:
    """Return the number of each pixel's object, (H, W), 0 where there is none."""
    found: NDArray[np.uint8] = np.zeros(selection.image.size_hw, np.uint8)
    for shown in selection.objects:
        found[shown.draw()] = numbers[shown.item.id]
    return found


def joined_coco(selection: ClipSelection) -> bytes:
    """Return a data set in which every frame is a picture; its `frame` and `time_s` say which.

    An annotation's `track_id` is the number of its object, which is the same on all frames.
    """
    classes = class_names(selection.classes.names, selection.items)
    numbers = {name: number for number, name in enumerate(classes, 1)}
    images: list[Any] = []
    annotations: list[Any] = []
    info: Any = {}
    for shown in selection.frames:
        one = msgspec.json.decode(coco_json(within_tolerance(shown.selection)))
        names = {category["id"]: category["name"] for category in one["categories"]}
        images += [one["images"][0] | {"frame": shown.index, "time_s": round(shown.time_s, 6)}]
        for annotation, each in zip(one["annotations"], shown.selection.objects, strict=True):
            own = {"category_id": numbers[names[annotation["category_id"]]], "track_id": each.item.id}
            annotations.append(annotation | own)
        info = {"info": one["info"], "licenses": one["licenses"]}
    categories = [{"id": number, "name": name, "supercategory": ""} for name, number in numbers.items()]
    return msgspec.json.encode({**info, "images": images, "annotations": annotations, "categories": categories})


def yolo_zip(selection: ClipSelection, out: IO[bytes]) -> None:
    """Write a data set of all frames, whose pictures nobody has as files, and labels for each.

    Those of a frame without an object are empty.
    """
    classes = class_names(selection.classes.names, selection.items)
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("data.yaml", data_yaml(classes))
        for shown in selection.frames:
            own = within_tolerance(shown.selection)
            lines = [label_line(each, classes, own) for each in own.objects]
            archive.writestr(f"labels/train/{label_name(own.name, own.image, '.txt')}", "".join(lines))
            picture = ZipInfo(f"images/train/{label_name(own.name, own.image, '.jpg')}")
            archive.writestr(picture, shown.jpeg())  # stored: a JPEG gets no smaller


def grounded(selection: Selection) -> PixelArray:
    """Return a frame's objects over a colour, (H, W, 3)."""
    options = msgspec.structs.replace(selection.options, ground=selection.options.ground or GROUND)
    return cutout_pixels(replace(selection, options=options))
