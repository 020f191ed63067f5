"""The trainer of the bundled model by its commands, each in a process of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch

from app.engine.sam2.engine import load_torch_engine
from app.engine.sam2.trunk import EfficientTrunk
from app.weights.checkpoints import verified_path
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.preloaded import completed
from tests.helpers.training import imagenet_file, photographs_in

LIMIT_S = 480.0


def run_command(folder: Path, *words: str | Path) -> None:
    """Run a command of the trainer in a process of its own, as people do."""
    completed("tests.helpers.small_nano", str(folder), *map(str, words), timeout_s=LIMIT_S).check_returncode()


def test_three_commands_lead_from_an_empty_folder_to_weights_that_load(tmp_path: Path) -> None:
    for name in ("nano.yaml", "manifest.json"):
        shutil.copy(BUNDLED_DIR / name, tmp_path / name)
    torch.save(imagenet_file(EfficientTrunk()), tmp_path / "lite0.pth")
    photos = photographs_in(tmp_path / "photos")
    run_command(tmp_path, "draw", "--pool", tmp_path / "scenes", "--photos", photos, "--count", "1")
    begin = ("--imagenet", tmp_path / "lite0.pth")
    run_command(tmp_path, "train", "--pool", tmp_path / "scenes", *begin, "--out", tmp_path / "run")
    run_command(tmp_path, "release", tmp_path / "run/nano.pt")
    entry = load_manifest(tmp_path / "manifest.json").entry("nano")
    assert entry.bytes == (tmp_path / "nano.pt").stat().st_size
    engine = load_torch_engine(entry, verified_path(entry, tmp_path))
    assert engine.encode(np.zeros((48, 64, 3), np.uint8)) is not None
