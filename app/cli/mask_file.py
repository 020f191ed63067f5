"""A mask as a file: which format a name asks for, and writing it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast, get_args

from app.protocol.fields import ExportFormat

if TYPE_CHECKING:
    from app.cli.one_mask import OneMask
    from app.pictures import PictureLimits

FORMATS: Final[tuple[str, ...]] = get_args(ExportFormat)
_BY_SUFFIX: Final = {".png": "mask", ".json": "coco", ".zip": "yolo", ".svg": "svg"}
_SUFFIXES: Final = {
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
_MAX_BYTES: Final = 2**30


def format_of(out: Path, given: str | None) -> ExportFormat:
    """Return the format of a file: the one given, the last word of its name that is one, or its ending's.

    Raises:
        ValueError: the name stands for none, or for a format of another ending.
    """
    words = [word for word in re.split(r"[^a-z0-9]+", out.stem.lower()) if word in FORMATS]
    kind = given or (words[-1] if words else _BY_SUFFIX.get(out.suffix.lower()))
    if kind is None:
        raise ValueError(f"expected a file such as mask.png or cat.coco.json, got {out.name!r}; or name its --format")
    if out.suffix.lower() != _SUFFIXES[kind]:
        raise ValueError(f"expected {kind} to go into a file that ends in {_SUFFIXES[kind]}, got {out.name!r}")
    return cast("ExportFormat", kind)


def write_mask(found: OneMask, name: str, out: Path, kind: ExportFormat, limits: PictureLimits) -> None:
    """Write what a prompt found as a file.

    Args:
        found: the mask, with the picture that it is of.
        name: the picture's file name, for the formats that tell it.
        out: the file, replaced where it is there.
        kind: its format.
        limits: bounds of the picture, for the formats that show it.

    Raises:
        OSError: the file can't be written.
        HoverError: the file would get too large.
    """
    from app.exports.make import make_file
    from app.exports.selection import ExportObject, Selection
    from app.pictures import read_native

    shown = ExportObject(found.item, found.score, found.multimask, found.draw)
    selection = Selection(found.image, name, found.model, (shown,), partial(read_native, found.data, limits))
    out.write_bytes(make_file(kind, selection, _MAX_BYTES).data)
