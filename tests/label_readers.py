"""LabelMe's own loader and Supervision's, which reads YOLO data sets as its users do; of each only what reads files.

Both are installed without what they depend on: LabelMe alone would bring 400 MB of windows and models. Where such a
package is looked for while a loader is imported, it finds a stand-in that does nothing.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest

from app.protocol.masks import MaskArray

UNUSED = ("PyQt5", "PyQt5.QtCore", "PyQt5.QtGui", "PyQt5.QtWidgets", "onnxruntime", "imgviz", "imgviz.io", "loguru",
          "requests")  # fmt: skip


class StandIn(ModuleType):
    """A module that has everything and does nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []  # so that it may have modules in it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock(name=name)


@contextmanager
def stand_ins() -> Iterator[None]:
    """Let the packages that no loader needs be imported, those that aren't there."""
    absent = [name for name in UNUSED if find_spec(name.partition(".")[0]) is None]
    sys.modules.update({name: StandIn(name) for name in absent})
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def loader(package: str) -> Any:
    """Return a loader's package; a test without it is left out and says so."""
    if find_spec(package) is None:
        pytest.skip(f"./start.sh test installs {package}")
    with stand_ins():
        return importlib.import_module(package)


def labelme_file(path: Path) -> Any:
    """Return a label file as LabelMe opens it; it looks for the picture beside it."""
    return loader("labelme").LabelFile(str(path))


def labelme_masks(file: Any, size_hw: tuple[int, int]) -> dict[int, MaskArray]:
    """Return the mask of every group of shapes, as LabelMe draws them."""
    draw = loader("labelme").utils.shape_to_mask
    masks: dict[int, MaskArray] = {}
    for shape in file.shapes:
        mask_hw = draw(size_hw, shape["points"], shape["shape_type"])
        masks[shape["group_id"]] = masks.get(shape["group_id"], mask_hw) | mask_hw
    return masks


def yolo_data_set(folder: Path) -> tuple[list[str], Any]:
    """Return the classes of a YOLO data set and the detections of its one picture, as Supervision loads them."""
    found = loader("supervision").DetectionDataset.from_yolo(
        str(folder / "images/train"), str(folder / "labels/train"), str(folder / "data.yaml"), force_masks=True
    )
    [(_, _, detections)] = list(found)
    return found.classes, detections
