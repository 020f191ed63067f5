"""YOLO segmentation labels, as Ultralytics documents them: a class and a polygon a line, in shares of the picture."""

from __future__ import annotations

import json
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from app.exports.names import class_names, label_name
from app.exports.outlines import Ring
from app.exports.polygons import joined, outlined
from app.exports.selection import ExportObject, Selection
from app.session.names import UNNAMED_CLASS, class_name

DECIMALS: Final = 6
"""A hundredth of a pixel of the longest side there is."""
NEAR_IN_PIXEL: Final = 0.25
FAR_IN_PIXEL: Final = 0.45
"""Where in its pixel a corner lies, near the pixel's begin or near its end: readers take corners for pixels, and some
round where others cut. It is written so far from the end that both find the pixel, and the two differ, since a training
drops objects whose box has no area, as one a pixel high would have none."""


def yolo_zip(selection: Selection, out: IO[bytes]) -> None:
    """Write a data set of one picture: `data.yaml` with the names of all classes in their order, and the labels.

    It says nothing of a root, for which readers then take its own folder, wherever a training is started from.

    The picture itself belongs into `images/train`, under the name of the labels. An object is one line, whose box is
    the object's: its parts are joined by bridges of no width, as Ultralytics' own converter joins them, and holes are
    cut out by keyholes.
    """
    classes = class_names(selection.classes.names, (shown.item for shown in selection.objects))
    lines = [label_line(shown, classes, selection) for shown in selection.objects]
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("data.yaml", data_yaml(classes))
        archive.writestr(f"labels/train/{label_name(selection.name, selection.image, '.txt')}", "".join(lines))


def data_yaml(classes: list[str]) -> str:
    """Return the description of the data set; what JSON quotes, YAML reads. Readers refuse one without a class."""
    names = enumerate(classes or [UNNAMED_CLASS])
    lines = [f"  {number}: {json.dumps(name, ensure_ascii=False)}\n" for number, name in names]
    return "train: images/train\nval: images/train\nnames:\n" + "".join(lines)


def label_line(shown: ExportObject, classes: list[str], selection: Selection) -> str:
    """Return the line of an object, nothing where its mask is empty."""
    parts = outlined(shown, shown.draw())
    if not parts:
        return ""
    size_wh = selection.image.width, selection.image.height
    return f"{classes.index(class_name(shown.item))} {shares(joined(parts), size_wh)}\n"


def shares(ring: Ring, size_wh: tuple[int, int]) -> str:
    """Return a ring in shares of the picture's width and height, in [0, 1]."""
    pixels = np.floor(ring)
    corners = pixels + np.where(ring - pixels > 0.5, FAR_IN_PIXEL, NEAR_IN_PIXEL)
    return " ".join(f"{share:.{DECIMALS}f}" for share in (corners / size_wh).ravel())
