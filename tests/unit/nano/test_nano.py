"""The trainer of the bundled model: photographs, prompts, storage, weights, losses."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from app.arrays import MaskArray
from app.engine.sam2.trunk import EfficientTrunk
from app.nano.batches import Plan, prompted
from app.nano.labelled import Photos, cut_thing, pasted_scene, photo_scene, save_photos
from app.nano.losses import judge, pair_loss, regret
from app.nano.optimiser import TRUNK_RATE, Muon, optimisers, orthogonal, set_rate
from app.nano.pool import Pool, augment, save
from app.nano.pretrained import load_imagenet
from app.nano.prompts import any_point, box_around, correction, inner_point, iou
from app.nano.scenes import Scene
from app.nano.stuff import ground_scene, region_scene
from app.nano.train import Stage
from tests.helpers.training import imagenet_file, photographs_in


def square(n: int = 64, low: int = 16, high: int = 48) -> MaskArray:
    mask = np.zeros((n, n), bool)
    mask[low:high, low:high] = True
    return mask


def test_a_small_set_is_drawn_from_as_often_as_a_large_one(tmp_path: Path) -> None:
    for name, count, value in (("many", 9, 50), ("few", 1, 200)):
        for number in range(count):
            image = np.full((64, 64, 3), value, np.uint8)
            save(tmp_path / name / f"{number}.npz", Scene(image, [square()]))
    pool, rng = Pool(tmp_path), np.random.default_rng(0)
    few = sum(pool.sample(rng).image[0, 0, 0] == 200 for _ in range(100))
    assert 30 < few < 70


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Photos:
    return Photos(photographs_in(tmp_path_factory.mktemp("photos")))


def blue(image: MaskArray) -> MaskArray:
    return (image[..., 2] > 100) & (image[..., 0] < 100) & (image[..., 1] < 100)


def test_a_photograph_is_a_scene_with_its_parts_and_wholes(photos: Photos) -> None:
    made = photo_scene(photos.read("cat_red"))
    part, whole = made.masks
    assert made.image.shape == (512, 512, 3)
    assert iou(whole, blue(made.image)) > 0.95
    assert iou(part, whole) == pytest.approx(0.5, abs=0.01)


def test_photographs_without_masks_make_no_scene(photos: Photos, tmp_path: Path) -> None:
    save_photos(photos, tmp_path, seed=0)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.npz")}
    assert {"cat/cat_red.npz", "grounds/cat_red.npz"} <= found
    assert not any("green" in path for path in found)


def test_a_ground_of_one_colour_is_a_mask_and_a_motley_one_is_none(photos: Photos) -> None:
    made = photo_scene(photos.read("cat_red"))
    with_ground = ground_scene(made)
    assert with_ground is not None
    assert iou(with_ground.masks[-1], ~blue(made.image)) > 0.95
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    motley = cv2.resize(noise, (512, 512), interpolation=cv2.INTER_NEAREST)
    assert ground_scene(Scene(motley, made.masks)) is None


def test_a_region_that_cuts_a_thing_in_two_is_no_mask(photos: Photos) -> None:
    made = photo_scene(photos.read("cat_red"))
    fine = region_scene(np.random.default_rng(0), Scene(made.image, [blue(made.image)]))
    crossed = region_scene(np.random.default_rng(0), Scene(made.image, [np.roll(blue(made.image), 80, axis=1)]))
    assert fine is not None
    assert any(iou(mask, blue(made.image)) > 0.9 for mask in fine.masks[1:])
    assert crossed is None


def test_a_thing_is_cut_out_whole_and_without_its_ground(photos: Photos) -> None:
    cut = cut_thing(np.random.default_rng(0), photos)
    solid = cut.alpha > 0.9
    assert solid.sum() == pytest.approx(138 * 138, rel=0.05)
    assert blue(cut.colours[..., :] * 255)[solid].all()
    assert [int(part.sum()) for part in cut.parts] == [9800]


def test_a_pasted_thing_lies_where_its_mask_says(photos: Photos) -> None:
    made = pasted_scene(np.random.default_rng(4), photos)
    things = np.any(made.masks, axis=0)
    assert made.image.shape == (512, 512, 3)
    assert things[blue(made.image)].mean() > 0.95


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no JPEG"):
        Photos(tmp_path)


def test_the_trunk_gets_imagenets_weights_with_their_normalisation(tmp_path: Path) -> None:
    trunk = EfficientTrunk()
    state = imagenet_file(trunk)
    torch.save(state, tmp_path / "lite0.pth")
    load_imagenet(trunk, tmp_path / "lite0.pth")
    normalise = nn.BatchNorm2d(32, eps=1e-3).eval()
    names = ("weight", "bias", "running_mean", "running_var")
    normalise.load_state_dict({name: state[f"_bn0.{name}"] for name in names}, strict=False)
    pixels = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    plain = nn.functional.conv2d(nn.functional.pad(pixels, (0, 1, 0, 1)), state["_conv_stem.weight"], stride=2)
    assert torch.allclose(trunk.stem(pixels), normalise(plain), atol=1e-4)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.ones(2)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="doesn't hold EfficientNet-Lite0"):
        load_imagenet(EfficientTrunk(), tmp_path / "other.pth")


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


def test_scores_that_choose_the_best_candidate_cost_nothing() -> None:
    overlap = torch.tensor([[0.9, 0.4, 0.2]])
    right, wrong, unsure = (
        regret(torch.tensor([scores]), overlap) for scores in ([0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.5, 0.5, 0.5])
    )
    assert float(right) < 0.01
    assert float(right) < float(unsure) < float(wrong)
    assert float(wrong) == pytest.approx(0.5, abs=0.01)


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


def test_matrices_go_to_muon_and_tables_and_vectors_and_the_trunk_to_adamw() -> None:
    names = {"sam_mask_decoder.layer.weight": (4, 4), "image_encoder.neck.laterals.0.weight": (4, 2, 3, 3)}
    others = {"sam_mask_decoder.mask_tokens.weight": (4, 8), "bias": (4,)}
    trunk = {"image_encoder.trunk.stem.weight": (4, 3, 3, 3)}
    parameters = {name: nn.Parameter(torch.ones(shape)) for name, shape in {**names, **others, **trunk}.items()}
    muon, adamw = optimisers(parameters.items())
    found = [[list(p.shape) for p in group["params"]] for group in muon.param_groups + adamw.param_groups]
    assert found == [[list(shape) for shape in kind.values()] for kind in (names, others, trunk)]


def test_the_trunk_learns_at_a_share_of_the_rate() -> None:
    names = ("image_encoder.trunk.stem.bias", "bias", "sam_mask_decoder.layer.weight")
    _, adamw = optimisers((name, nn.Parameter(torch.ones(2, 2))) for name in names)
    set_rate(adamw, 2e-3)
    assert [group["lr"] for group in adamw.param_groups] == [2e-3, 2e-3 * TRUNK_RATE]


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


def test_a_whole_is_prompted_for_more_often_than_each_of_its_parts() -> None:
    masks = [square(64, 0, 60), square(64, 10, 20), square(64, 30, 40)]
    numbers = [number for seed in range(50) for number in prompted(np.random.default_rng(seed), masks, 2)]
    assert numbers.count(0) > 40
    assert {1, 2} <= set(numbers)
    assert len(prompted(np.random.default_rng(0), masks, 5)) == 5
