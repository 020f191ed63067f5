"""YOLO data sets as Ultralytics reads them before a training: `python -m tests.helpers.ultralytics_reader FOLDER...`.

A program of its own, since the package changes Pillow, OpenCV and torch wherever it is imported. Each
folder gets a file `found.npz`: names of classes and pictures, and for each picture its objects' classes and masks.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.helpers.label_readers import stand_ins


def main(folders: list[Path]) -> None:
    with tempfile.TemporaryDirectory() as settings:
        os.environ.update(YOLO_CONFIG_DIR=settings, YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false")
        with stand_ins():
            from ultralytics.data.dataset import YOLODataset
            from ultralytics.data.utils import check_det_dataset, polygons2masks
            from ultralytics.utils import USER_CONFIG_DIR

            for font in ("Arial.ttf", "Arial.Unicode.ttf"):  # else it would be fetched, to draw names with
                (USER_CONFIG_DIR / font).touch()
            for folder in folders:
                data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
                arrays: dict[str, Any] = {"classes": np.array(list(data["names"].values()))}
                labels = YOLODataset(data["train"], data=data, task="segment", augment=False).labels
                for number, label in enumerate(labels):
                    rings = [ring * label["shape"][::-1] for ring in label["segments"]]
                    arrays[f"name {number}"] = np.array(Path(label["im_file"]).name)
                    arrays[f"objects {number}"] = label["cls"].astype(int).ravel()
                    arrays[f"masks {number}"] = np.array(polygons2masks(label["shape"], rings, 1), np.bool_)
                np.savez_compressed(folder / "found.npz", **arrays)


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
