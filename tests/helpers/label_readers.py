"""Loaders of the programs that our users load label files with; of each only what reads files.

LabelMe, Supervision and Ultralytics are installed without what they depend on: LabelMe alone would bring 400 MB of
windows and models. Where such a
package is looked for while a loader is imported, it finds a stand-in that does nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO

from app.arrays import MaskArray
from tests.helpers.preloaded import completed

DEADLINE_S = 120.0
UNUSED = ("PyQt5", "PyQt5.QtCore", "PyQt5.QtGui", "PyQt5.QtWidgets", "onnxruntime", "imgviz", "imgviz.io", "loguru",
          "requests", "matplotlib", "matplotlib.pyplot")  # fmt: skip


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


def labelme_file_of(picture: Path) -> Any:
    """Return the label file that LabelMe opens together with a picture."""
    return labelme_file(picture.with_name(os.path.splitext(picture.name)[0] + ".json"))  # noqa: PTH122 - its own rule


def coco_file(path: Path) -> COCO:
    """Return a label file as COCO's own tools load it."""
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def torchvision_pictures(folder: Path, labels: Path) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Return every picture of a COCO file with its annotations, as torchvision loads them."""
    from torchvision.datasets import CocoDetection

    with contextlib.redirect_stdout(io.StringIO()):
        return list(CocoDetection(str(folder), str(labels)))


def supervision_coco(folder: Path, labels: Path) -> dict[str, Any]:
    """Return the detections of every picture of a COCO file by its name, as Supervision loads them."""
    found = loader("supervision").DetectionDataset.from_coco(str(folder), str(labels), force_masks=True)
    return {Path(path).name: detections for path, _, detections in found}


def supervision_yolo(folder: Path) -> tuple[list[str], dict[str, Any]]:
    """Return the classes of a YOLO data set, and the detections of every picture by its name, as Supervision does."""
    found = loader("supervision").DetectionDataset.from_yolo(
        str(folder / "images/train"), str(folder / "labels/train"), str(folder / "data.yaml"), force_masks=True
    )
    return found.classes, {Path(path).name: detections for path, _, detections in found}


@dataclass(frozen=True)
class TrainingSet:
    """What a training would see.

    Attributes:
        classes: their names.
        objects: the numbers of the classes of each picture's objects, by its file name.
        masks: (N, H, W) bool, those objects' masks.
    """

    classes: list[str]
    objects: dict[str, list[int]]
    masks: dict[str, NDArray[np.bool_]]


def ultralytics_data_sets(*folders: Path) -> list[TrainingSet]:
    """Return YOLO data sets after Ultralytics' own checks; it is started from another folder than theirs."""
    if find_spec("ultralytics") is None:
        pytest.skip("./start.sh test installs ultralytics")
    done = completed("tests.helpers.ultralytics_reader", *map(str, folders), timeout_s=DEADLINE_S)
    assert done.returncode == 0, done.stderr[-2000:]
    return [training_set(folder / "found.npz") for folder in folders]


def training_set(path: Path) -> TrainingSet:
    """Return what our program has written of a data set."""
    with np.load(path) as found:
        names = {key.removeprefix("name "): str(found[key]) for key in found if key.startswith("name ")}
        objects = {name: found[f"objects {number}"].tolist() for number, name in names.items()}
        masks = {name: found[f"masks {number}"] for number, name in names.items()}
        return TrainingSet(found["classes"].tolist(), objects, masks)
