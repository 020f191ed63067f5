"""A mask as a file: which format a name asks for, and writing it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast, get_args

from app.protocol.fields import ExportFormat
from app.protocol.messages import File

if TYPE_CHECKING:
    from app.exports.frames import FramesFormat
    from app.exports.selection import Selection

FORMATS: Final[tuple[str, ...]] = get_args(ExportFormat)
_BY_SUFFIX: Final = {".png": "mask", ".json": "coco", ".zip": "yolo", ".svg": "svg"}
SUFFIXES: Final[dict[ExportFormat, str]] = {
    "coco": ".json",
    "labelme": ".json",
    "recipe": ".json",
    "mask": ".png",
    "cutout": ".png",
    "overlay": ".png",
    "yolo": ".zip",
    "svg": ".svg",
}
"""What a file of each format is."""
_SEVERAL: Final = {"masks": "mask"}
"""Words for a format that holds several objects."""
MAX_BYTES: Final = 2**30
"""Of a file that the command writes, as much as a server may be set to: a larger one fills a disk by mistake."""


def format_of(out: Path, given: str | None, objects: int = 1, pictures: int = 1) -> ExportFormat:
    """Return the format of a file: the one given, the last word of its name that is one, or its ending's.

    Args:
        out: the file.
        given: the format that was named, if one was.
        objects: how many go into it; masks of several are a ZIP.
        pictures: of how many it is; of several all but COCO's is a ZIP.

    Raises:
        ValueError: the name stands for none, or for a format of another ending.
    """
    named = [_SEVERAL.get(word, word) for word in re.split(r"[^a-z0-9]+", out.stem.lower())]
    words = [word for word in named if word in FORMATS]
    kind = cast("ExportFormat | None", given or (words[-1] if words else _BY_SUFFIX.get(out.suffix.lower())))
    if kind is None:
        raise ValueError(f"expected a file such as mask.png or cat.coco.json, got {out.name!r}; or name its --format")
    suffix = ".zip" if (kind == "mask" and objects > 1) or (kind != "coco" and pictures > 1) else SUFFIXES[kind]
    if out.suffix.lower() != suffix:
        of = f" of {pictures} pictures" if pictures > 1 else f" of {objects} objects" if objects > 1 else ""
        raise ValueError(f"expected {kind}{of} to go into a file that ends in {suffix}, got {out.name!r}")
    return kind


def frames_format_of(out: Path, given: str | None) -> FramesFormat | None:
    """Return the format of a file with all frames of a clip; None where its name asks for a single frame.

    Raises:
        ValueError: a clip isn't written as that.
    """
    suffix = out.suffix.lower()
    named = [_SEVERAL.get(word, word) for word in re.split(r"[^a-z0-9]+", out.stem.lower())]
    word = given or next((each for each in reversed(named) if each in FORMATS), None)
    kinds: dict[tuple[str, str | None], FramesFormat] = {
        (".zip", "mask"): "mask",
        (".zip", None): "mask",
        (".zip", "yolo"): "yolo",
        (".json", "coco"): "coco",
        (".json", None): "coco",
        (".mp4", "overlay"): "overlay",
        (".mp4", None): "overlay",
        (".mp4", "cutout"): "cutout",
    }
    kind = kinds.get((suffix, word))
    if kind is None and (suffix not in (".png", ".svg", ".json") or word == "recipe"):
        raise ValueError(
            "expected a clip to go into a file such as clip.masks.zip, clip.coco.json, clip.yolo.zip, clip.overlay.mp4 "
            f"or clip.cutout.mp4, or one frame of it into mask.png or cat.labelme.json, got {out.name!r}"
        )
    return kind


def export_of(selection: Selection, kind: ExportFormat) -> File:
    """Return objects as a file, in memory; raises as `write_file`."""
    from app.exports.make import make_file

    made = make_file(kind, selection, MAX_BYTES)
    return File(seq=0, name=made.name, media_type=made.media_type, data=made.data)


def write_file(selection: Selection, out: Path, kind: ExportFormat) -> None:
    """Write objects as a file, in the place of the one that is there.

    Raises:
        OSError: the file can't be written.
        HoverError: it would get too large, or has nothing to show.
    """
    from app.exports.make import make_file

    make_file(kind, selection, MAX_BYTES).copy_to(out)
