"""The trainer of the bundled model: scenes, prompts, storage, losses and one step."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from app.arrays import MaskArray
from app.nano.batches import Batches, Plan
from app.nano.finish import Finish, finish, mean_weights, ranking_loss
from app.nano.losses import judge, pair_loss
from app.nano.optimiser import Muon, optimisers, orthogonal
from app.nano.pool import Pool, augment, draw, load, save
from app.nano.prompts import any_point, box_around, correction, inner_point, iou
from app.nano.scenes import Material, Scene, material, scene
from app.nano.train import Stage, Trainer
from app.weights.manifest import BUNDLED_DIR


@pytest.fixture(scope="module")
def made_of() -> Material:
    return material(None, held_out=True)


def square(n: int = 64, low: int = 16, high: int = 48) -> MaskArray:
    mask = np.zeros((n, n), bool)
    mask[low:high, low:high] = True
    return mask


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
            scene(np.random.default_rng(i), made_of, photo_share=0.0, huddle_share=huddle_share) for i in range(12)
        ]
        return sum(len(made.masks) for made in scenes)

    assert visible(1.0) < visible(0.0)


def test_a_stored_scene_comes_back_as_it_was(made_of: Material, tmp_path: Path) -> None:
    made = scene(np.random.default_rng(7), made_of)
    save(tmp_path / "a.npz", made)
    back = load(tmp_path / "a.npz")
    assert np.array_equal(back.image, made.image)
    assert all(np.array_equal(a, b) for a, b in zip(back.masks, made.masks, strict=True))


def test_drawing_goes_on_where_it_stopped(made_of: Material, tmp_path: Path) -> None:
    draw(tmp_path, made_of, seed=1, count=1, photo_share=0.0, huddle_share=0.5)
    first = (tmp_path / "000000.npz").stat().st_mtime_ns
    draw(tmp_path, made_of, seed=1, count=2, photo_share=0.0, huddle_share=0.5)
    assert (tmp_path / "000000.npz").stat().st_mtime_ns == first
    assert (tmp_path / "000001.npz").exists()


@pytest.mark.parametrize("seed", range(8))
def test_a_crop_keeps_mask_and_picture_together(seed: int) -> None:
    mask = square(512, 100, 400)
    image = np.zeros((512, 512, 3), np.uint8)
    image[mask] = (200, 40, 40)
    crop = augment(np.random.default_rng(seed), Scene(image, [mask]), 128)
    red = crop.image.max(axis=2) > crop.image.max() / 2
    assert crop.image.shape == (128, 128, 3)
    assert all(iou(red, kept) > 0.95 for kept in crop.masks)


def test_clicks_fall_on_the_object() -> None:
    mask, rng = square(), np.random.default_rng(0)
    x, y = inner_point(mask)
    assert abs(x - 32) <= 1
    assert abs(y - 32) <= 1
    assert all(mask[int(y), int(x)] for x, y in (any_point(rng, mask) for _ in range(50)))


def test_a_box_without_jitter_touches_the_object() -> None:
    assert box_around(np.random.default_rng(0), square(), 0) == (16, 16, 48, 48)


@pytest.mark.parametrize(("predicted", "label"), [(np.zeros((64, 64), bool), 1), (np.ones((64, 64), bool), 0)])
def test_a_correction_adds_what_lacks_and_takes_what_is_too_much(predicted: MaskArray, label: int) -> None:
    (x, y), said = correction(None, predicted, square())
    assert said == label
    assert square()[int(y), int(x)] == bool(label)


def test_right_masks_and_scores_cost_less_than_wrong_ones() -> None:
    truth = torch.from_numpy(square()).float()[None]
    right = torch.where(truth > 0.5, 8.0, -8.0)[:, None].expand(-1, 4, -1, -1)
    single = torch.tensor([True])
    good = judge(right, torch.ones(1, 4), truth, single)
    bad = judge(-right, torch.ones(1, 4), truth, single)
    assert good.loss < 0.1 < bad.loss
    assert good.real_iou.min() > 0.99


def test_the_mean_of_runs_lies_between_them(tmp_path: Path) -> None:
    files = [tmp_path / "a.pt", tmp_path / "b.pt"]
    for file, value in zip(files, (1.0, 4.0), strict=True):
        torch.save({"model": {"weight": torch.full((2,), value)}}, file)
    assert mean_weights(files)["weight"].tolist() == [2.5, 2.5]


def test_scores_that_prefer_the_best_candidate_cost_less() -> None:
    overlap = torch.tensor([[0.2, 0.9, 0.4]])
    right, wrong = torch.tensor([[0.4, 0.6, 0.5]]), torch.tensor([[0.6, 0.4, 0.5]])
    assert ranking_loss(right, overlap) < 0.3 < ranking_loss(wrong, overlap)


def test_finishing_moves_the_layers_of_the_score_and_nothing_else(made_of: Material, tmp_path: Path) -> None:
    draw(tmp_path, made_of, seed=2, count=2, photo_share=0.0, huddle_share=0.5)
    start, out = BUNDLED_DIR / "nano.pt", tmp_path / "finished.pt"
    finish(Finish(BUNDLED_DIR / "nano.yaml", tmp_path, steps=2), [start], out)
    before, after = (torch.load(file, weights_only=True)["model"] for file in (start, out))
    moved = {name for name in after if not torch.equal(before[name].float(), after[name].float())}
    assert moved
    assert all(name.startswith("sam_mask_decoder.iou_prediction_head.") for name in moved)


def test_features_that_tell_things_apart_cost_less() -> None:
    labels = torch.from_numpy(square().astype(np.int64))[None]
    apart = labels[:, None].float() * 3
    costs = [float(pair_loss(map_, labels, 64, torch.Generator().manual_seed(0))) for map_ in (apart, 0 * apart)]
    assert costs[0] < costs[1]


def test_the_learning_rate_warms_up_and_falls() -> None:
    stage = Stage(Plan(128, 1, 1), steps=1000, rate_first=1e-3, rate_last=1e-5, warm_up=100)
    assert stage.rate(0) < stage.rate(99)
    assert math.isclose(stage.rate(999), 1e-5, rel_tol=0.01)


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (6, 6)])
def test_an_orthogonal_update_has_singular_values_near_1(shape: tuple[int, int]) -> None:
    update = torch.randn(*shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(update))
    assert values.shape == (min(shape),)
    assert values.min() > 0.5
    assert values.max() < 1.4


def test_matrices_go_to_muon_and_tables_vectors_and_pixels_to_adamw() -> None:
    names = {"sam_mask_decoder.layer.weight": (4, 4), "image_encoder.trunk.stages.1.0.weight": (4, 2, 3, 3)}
    others = {
        "sam_mask_decoder.mask_tokens.weight": (4, 8),
        "bias": (4,),
        "image_encoder.trunk.stages.0.0.0.weight": (4, 3, 3, 3),
    }
    muon, adamw = optimisers((name, nn.Parameter(torch.ones(shape))) for name, shape in {**names, **others}.items())
    assert [list(p.shape) for p in muon.param_groups[0]["params"]] == [list(shape) for shape in names.values()]
    assert [list(p.shape) for p in adamw.param_groups[0]["params"]] == [list(shape) for shape in others.values()]


def test_muon_goes_down_a_valley() -> None:
    weight = nn.Parameter(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))
    muon = Muon([weight])
    muon.param_groups[0]["lr"] = 0.5
    start = float(weight.detach().square().sum())
    for _ in range(10):
        muon.zero_grad()
        weight.square().sum().backward()  # type: ignore[no-untyped-call]
        muon.step()
    assert float(weight.detach().square().sum()) < 0.5 * start


def test_a_step_learns_and_the_average_follows(made_of: Material, tmp_path: Path) -> None:
    draw(tmp_path, made_of, seed=2, count=2, photo_share=0.0, huddle_share=0.5)
    plan = Plan(128, 2, 2)
    trainer = Trainer(BUNDLED_DIR / "nano.yaml", seed=0)
    trainer.load(BUNDLED_DIR / "nano.pt")
    trainer.network.resize(128)
    before = [value.clone() for value in trainer.average.parameters()]
    figures = trainer.step(Batches(tmp_path, plan, 0).batch(np.random.default_rng(0), Pool(tmp_path)), plan, 1e-4)
    assert math.isfinite(figures["loss"])
    moved = [not torch.equal(a, b) for a, b in zip(before, trainer.average.parameters(), strict=True)]
    assert any(moved)
