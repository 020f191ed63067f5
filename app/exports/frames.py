"""Masks over the frames of a clip as one file: a ZIP of PNGs, COCO, YOLO, and the clip itself with its objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import IO, Any, Final, Literal, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import msgspec

from app.exports.coco import coco_json
from app.exports.files import BoundedBuffer, ExportFile
from app.exports.images import MASK_LEVEL, covered, cutout_pixels, grey, overlay_pixels
from app.exports.names import class_names, file_name, label_name
from app.exports.selection import PixelArray, Selection
from app.exports.yolo import data_yaml, label_lines
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
GROUND: Final = "#000000"
"""Behind a cutout that names no colour: a video knows no transparency."""


@dataclass(frozen=True)
class ShownFrame:
    """A frame and its objects; one that isn't to be seen there isn't among them.

    Attributes:
        index: its place in the clip, from 0.
        time_s: when it is shown.
        selection: as of a picture of its own.
    """

    index: int
    time_s: float
    selection: Selection


def frames_file(
    kind: FramesFormat, frames: Iterable[ShownFrame], name: str, clip: OpenImage, max_bytes: int
) -> ExportFile:
    """Return the frames of a clip as a file. Takes a frame at a time.

    Args:
        kind: the format.
        frames: in their order.
        name: the clip's file name.
        clip: its id and its size in its own pixels.
        max_bytes: largest file that may come of it.

    Raises:
        ImageTooLargeError: it would get larger.
        UnsupportedImageError: a video can't be written, since PyAV isn't installed.
    """
    out = BoundedBuffer(max_bytes)
    file = cast("IO[bytes]", out)
    if kind == "mask":
        masks_zip(frames, file)
    elif kind == "coco":
        file.write(joined_coco(frames))
    elif kind == "yolo":
        yolo_zip(frames, file)
    else:
        from app.clips.writing import write_mp4

        draw = overlay_pixels if kind == "overlay" else grounded
        write_mp4(((shown.time_s, draw(shown.selection)) for shown in frames), file)
    ending, media_type = ENDINGS[kind]
    return ExportFile(file_name(name, clip, f".{ending}"), media_type, out)


def frame_name(clip_name: str, index: int) -> str:
    """Return what a frame is called in files, as programs that take clips apart call it."""
    stem = clip_name.rpartition(".")[0] or clip_name
    return f"{stem}-{index:06d}.jpg"


def masks_zip(frames: Iterable[ShownFrame], out: IO[bytes]) -> None:
    """Write one PNG a frame, also where nothing is to be seen: 8 bit grey, 255 on the objects and 0 elsewhere."""
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for shown in frames:
            with archive.open(f"{shown.index:06d}.png", "w") as member:
                grey(covered(shown.selection)).save(member, "PNG", compress_level=MASK_LEVEL)


def joined_coco(frames: Iterable[ShownFrame]) -> bytes:
    """Return a data set in which every frame is a picture; its `frame` and `time_s` say which."""
    whole: dict[str, Any] = {}
    for shown in frames:
        one = msgspec.json.decode(coco_json(shown.selection))
        one["images"][0] |= {"frame": shown.index, "time_s": round(shown.time_s, 6)}
        if whole:
            whole["images"] += one["images"]
            whole["annotations"] += one["annotations"]
            whole["categories"] = max(whole["categories"], one["categories"], key=len)
        else:
            whole = one
    return msgspec.json.encode(whole)


def yolo_zip(frames: Iterable[ShownFrame], out: IO[bytes]) -> None:
    """Write a data set with labels for every frame; those of a frame without an object are empty."""
    names: list[str] = []
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for shown in frames:
            selection = shown.selection
            classes = class_names(selection.classes.names, (each.item for each in selection.objects))
            names = max(names, classes, key=len)
            lines = [line for each in selection.objects for line in label_lines(each, classes, selection)]
            label = label_name(selection.name, selection.image, ".txt")
            archive.writestr(f"labels/train/{label}", "".join(lines))
        archive.writestr("data.yaml", data_yaml(names))


def grounded(selection: Selection) -> PixelArray:
    """Return a frame's objects over a colour, (H, W, 3)."""
    options = msgspec.structs.replace(selection.options, ground=selection.options.ground or GROUND)
    return cutout_pixels(replace(selection, options=options))
