"""Scenes that the trainer draws, and a step on them: each takes a blink of an eye, all of them seconds."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from app.nano.batches import Batches, Plan
from app.nano.pool import Pool, fill, load, save
from app.nano.scenes import Material, material, scene
from app.nano.train import Trainer
from app.weights.manifest import BUNDLED_DIR

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made_of() -> Material:
    return material(None, held_out=True)


def test_a_seed_gives_the_same_scene_again(made_of: Material) -> None:
    one, other = (scene(np.random.default_rng(3), made_of) for _ in range(2))
    assert np.array_equal(one.image, other.image)
    assert all(np.array_equal(a, b) for a, b in zip(one.masks, other.masks, strict=True))


@pytest.mark.parametrize("photo_share", [0.0, 1.0], ids=["drawn", "photographs"])
def test_a_scene_has_masks_of_its_own_size(made_of: Material, photo_share: float) -> None:
    made = scene(np.random.default_rng(5), made_of, photo_share=photo_share)
    assert made.image.shape == (512, 512, 3)
    assert made.image.dtype == np.uint8
    assert all(mask.shape == (512, 512) and mask.any() for mask in made.masks)


def test_huddled_objects_cover_one_another(made_of: Material) -> None:
    def visible(huddle_share: float) -> int:
        scenes = [
            scene(np.random.default_rng(i), made_of, photo_share=0.0, huddle_share=huddle_share) for i in range(9)
        ]
        return sum(len(made.masks) for made in scenes)

    assert visible(1.0) < visible(0.0)


def test_a_stored_scene_comes_back_as_it_was(made_of: Material, tmp_path: Path) -> None:
    made = scene(np.random.default_rng(7), made_of)
    save(tmp_path / "a.npz", made)
    back = load(tmp_path / "a.npz")
    assert np.array_equal(back.image, made.image)
    assert all(np.array_equal(a, b) for a, b in zip(back.masks, made.masks, strict=True))


def draw(pool: Path, made_of: Material, count: int) -> None:
    fill(pool / "drawn", count, 2, lambda rng: scene(rng, made_of, photo_share=0.0, huddle_share=0.5))


def test_drawing_goes_on_where_it_stopped(made_of: Material, tmp_path: Path) -> None:
    draw(tmp_path, made_of, 1)
    first = (tmp_path / "drawn/000000.npz").stat().st_mtime_ns
    draw(tmp_path, made_of, 2)
    assert (tmp_path / "drawn/000000.npz").stat().st_mtime_ns == first
    assert (tmp_path / "drawn/000001.npz").exists()


def test_a_step_learns_and_the_average_follows(made_of: Material, tmp_path: Path) -> None:
    draw(tmp_path, made_of, 2)
    plan = Plan(128, 2, 2)
    trainer = Trainer(BUNDLED_DIR / "nano.yaml", seed=0)
    trainer.load(BUNDLED_DIR / "nano.pt")
    trainer.network.resize(128)
    trainer.network.keep_still(5)
    before = {name: value.clone() for name, value in trainer.average.state_dict().items()}
    figures = trainer.step(Batches(tmp_path, plan, 0).batch(np.random.default_rng(0), Pool(tmp_path)), plan, 1e-4)
    assert math.isfinite(figures["loss"])
    moved = {name for name, value in trainer.average.state_dict().items() if not torch.equal(before[name], value)}
    in_trunk = {int(name.split(".")[3]) for name in moved if name.startswith("image_encoder.trunk.blocks.")}
    assert in_trunk == set(range(5, 16))
    assert "image_encoder.trunk.stem.weight" not in moved
    assert "image_encoder.neck.laterals.0.weight" in moved
