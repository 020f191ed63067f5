"""What the model reads of a picture: as sam2's own transforms make it by torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from app.engine.sam2.pixels import PIXEL_MEAN, PIXEL_STD, model_input

AS_EXACT_AS_FLOATS = 5e-6


@pytest.mark.parametrize("input_size", [64, 1024])
@pytest.mark.parametrize(
    "size_hw", [(64, 64), (48, 64), (1, 1), (1, 700), (700, 1), (333, 500), (2048, 1365)], ids=lambda size: f"{size}"
)
def test_a_picture_is_stretched_as_torch_stretches_it(size_hw: tuple[int, int], input_size: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), np.uint8)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float().div(255)
    square = functional.interpolate(pixels, (input_size,) * 2, mode="bilinear", align_corners=False, antialias=True)
    mean, std = (torch.tensor(values)[:, None, None] for values in (PIXEL_MEAN, PIXEL_STD))
    expected = (square - mean) / std
    np.testing.assert_allclose(model_input(image, input_size), expected.numpy(), rtol=0, atol=AS_EXACT_AS_FLOATS)


def test_white_is_normalised_channel_by_channel() -> None:
    square = model_input(np.full((10, 40, 3), 255, np.uint8), 64)
    assert square.shape == (1, 3, 64, 64)
    assert square[0, :, 0, 0].tolist() == pytest.approx([(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225])
