"""From a format's name to a file. Takes up to seconds on a large picture; call it in a worker thread. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Final, cast

from app.exports.coco import coco_json
from app.exports.files import BoundedBuffer, ExportFile
from app.exports.images import cutout_png, mask_png, masks_zip, overlay_png
from app.exports.labelme import labelme_json
from app.exports.names import file_name
from app.exports.options import check_options
from app.exports.recipe import recipe_json
from app.exports.selection import Selection, within_tolerance
from app.exports.svg import svg
from app.exports.yolo import yolo_zip
from app.protocol.fields import ExportFormat

Writer = Callable[[Selection, IO[bytes]], object]
WITH_PIXELS: Final[tuple[ExportFormat, ...]] = ("cutout", "overlay")
"""Formats that show the picture."""
JSON: Final = "application/json"
PNG: Final = "image/png"
ZIP: Final = "application/zip"


def make_file(kind: ExportFormat, selection: Selection, max_bytes: int) -> ExportFile:
    """Return the objects of a picture as a file.

    Args:
        kind: the format; `mask` gives a PNG for one object and a ZIP for several.
        selection: picture and objects.
        max_bytes: largest file that may come of it.

    Raises:
        BadMessageError: the selection has an option that the format doesn't take.
        ImageTooLargeError: the file would get larger.
        UnknownObjectError: a mask or cutout of no object.
        TooManyObjectsError: more objects than the format takes.
    """
    check_options(kind, selection.options)
    selection = within_tolerance(selection)
    ending, media_type, write = writer_of(kind, len(selection.objects))
    out = BoundedBuffer(max_bytes)
    write(selection, cast("IO[bytes]", out))
    return ExportFile(file_name(selection.name, selection.image, f".{ending}"), media_type, out)


def writer_of(kind: ExportFormat, count: int) -> tuple[str, str, Writer]:
    """Return a format's ending, its media type and what writes it."""
    writers: dict[ExportFormat, tuple[str, str, Writer]] = {
        "coco": ("coco.json", JSON, whole(coco_json)),
        "yolo": ("yolo.zip", ZIP, yolo_zip),
        "labelme": ("json", JSON, whole(labelme_json)),  # LabelMe looks for a picture's labels under just that name
        "svg": ("svg", "image/svg+xml", whole(svg)),
        "mask": ("mask.png", PNG, mask_png) if count < 2 else ("masks.zip", ZIP, masks_zip),
        "cutout": ("cutout.png", PNG, cutout_png),
        "overlay": ("overlay.png", PNG, overlay_png),
        "recipe": ("recipe.json", JSON, whole(recipe_json)),
    }
    return writers[kind]


def whole(make: Callable[[Selection], bytes]) -> Writer:
    """Return a writer of a format that is made at once."""
    return lambda selection, out: out.write(make(selection))
