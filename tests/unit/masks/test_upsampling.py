"""Logits to masks, held to torch's own upsampling of the whole picture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from app.masks.upsampling import object_mask, preview_mask, upsampled_mask
from app.protocol.run_lengths import decode_mask


def smooth_logits(seed: int, side: int = 256) -> NDArray[np.float32]:
    """Return logits of a few random blobs with rough edges, clipped as the model's are."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.normal(-4, 8, (1, 1, 9, 9)).astype(np.float32))
    blobs = functional.interpolate(coarse, (side, side), mode="bicubic")[0, 0].numpy()
    return (blobs + rng.normal(0, 0.3, (side, side))).clip(-32, 32).astype(np.float32)


def upsampled_by_torch(logits: NDArray[np.float32], grid_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Return what `SAM2Transforms.postprocess_masks` computes before its threshold."""
    whole = functional.interpolate(torch.from_numpy(logits)[None, None], grid_hw, mode="bilinear", align_corners=False)
    result: NDArray[np.float32] = whole[0, 0].numpy()
    return result


def spot(*cells: tuple[int, int], side: int = 256) -> NDArray[np.float32]:
    """Return logits above 0 in some cells alone."""
    logits = np.full((side, side), -3, np.float32)
    for cell in cells:
        logits[cell] = 5
    return logits


LOGITS = {
    "blobs": smooth_logits(0),
    "coarse grid": smooth_logits(1, side=128),
    "one cell": spot((40, 200)),
    "corners": spot((0, 0), (255, 255)),
    "edge": spot((0, 128), (128, 0)),
    "everything": np.full((256, 256), 32, np.float32),
}
GRIDS = [(1080, 1920), (683, 1024), (256, 256), (100, 77), (1, 900), (37, 2048)]


@pytest.mark.parametrize("grid_hw", GRIDS, ids=str)
@pytest.mark.parametrize("name", LOGITS)
def test_the_mask_equals_that_of_upsampling_everything(name: str, grid_hw: tuple[int, int]) -> None:
    whole = upsampled_by_torch(LOGITS[name], grid_hw)
    differs = upsampled_mask(LOGITS[name], grid_hw) != (whole > 0)
    assert np.abs(whole[differs]).max(initial=0) < 1e-4, "only rounding at the very threshold may differ"
    assert np.count_nonzero(differs) <= 5


@pytest.mark.parametrize("grid_hw", GRIDS, ids=str)
def test_logits_without_foreground_give_an_empty_mask(grid_hw: tuple[int, int]) -> None:
    assert not upsampled_mask(np.full((256, 256), -1, np.float32), grid_hw).any()


def test_an_object_has_the_size_of_the_image_where_that_is_small() -> None:
    mask = object_mask(LOGITS["blobs"], (683, 1024), 0.5)
    assert mask.size == (683, 1024)
    assert mask.area == np.count_nonzero(upsampled_by_torch(LOGITS["blobs"], (683, 1024)) > 0)


def test_an_object_of_a_large_image_has_2048_on_the_long_side_and_its_area_in_pixels_of_the_image() -> None:
    mask = object_mask(LOGITS["everything"], (3000, 4000), 0.5)
    assert mask.size == (1536, 2048)
    assert mask.area == 3000 * 4000


def test_a_long_thin_image_keeps_a_row() -> None:
    assert object_mask(LOGITS["everything"], (1, 16_384), 0.5).size == (1, 2048)


def test_a_preview_lives_on_the_logit_grid_and_has_its_area_in_pixels_of_the_image() -> None:
    mask = preview_mask(spot((10, 20), (10, 21)), (1080, 1920), 0.5)
    assert mask.size == (256, 256)
    assert mask.box == (20, 10, 22, 11)
    assert mask.area == round(2 * 1080 * 1920 / 65_536)


def test_a_mask_survives_the_wire() -> None:
    mask = object_mask(LOGITS["blobs"], (683, 1024), 0.75)
    assert mask.score == 0.75
    assert np.array_equal(decode_mask(mask), upsampled_mask(LOGITS["blobs"], (683, 1024)))
