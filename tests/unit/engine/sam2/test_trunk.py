"""The parts of nano's picture half that sam2 doesn't have: trunk and neck."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from app.engine.sam2.loader import build_model
from app.engine.sam2.neck import RefinedNeck, Refinement
from app.engine.sam2.trunk import EfficientTrunk, PaddedConvolution
from app.weights.manifest import load_manifest


def test_the_trunk_makes_a_map_at_each_stride() -> None:
    trunk = EfficientTrunk()
    maps = trunk(torch.zeros(2, 3, 64, 64))
    assert [tuple(found.shape[1:]) for found in maps] == [(24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]
    assert trunk.channel_list == [found.shape[1] for found in reversed(maps)]


@pytest.mark.parametrize(
    ("kernel", "stride", "size", "reaches"),
    [(3, 2, 8, (0, 3)), (5, 2, 8, (0, 4)), (3, 1, 8, (0, 2)), (5, 1, 8, (0, 3))],
    ids=["3 by 2", "5 by 2", "3 by 1", "5 by 1"],
)
def test_a_convolution_is_padded_as_in_tensorflow(
    kernel: int, stride: int, size: int, reaches: tuple[int, int]
) -> None:
    """With one-sided padding the first output sees more of the picture than with an even one."""
    convolution = PaddedConvolution(1, 1, kernel, stride)
    nn.init.ones_(convolution.weight)
    pixels = torch.zeros(1, 1, size, size, requires_grad=True)
    found = convolution(pixels)
    assert found.shape[-1] == size // stride
    found[0, 0, 0, 0].backward()
    assert pixels.grad is not None
    seen = pixels.grad[0, 0, 0].nonzero()[:, 0]
    assert (int(seen.min()), int(seen.max()) + 1) == reaches


def test_a_refinement_begins_as_the_identity() -> None:
    features = torch.randn(1, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Refinement(8, 4)(features), features)


def test_what_a_coarse_map_shows_reaches_the_finer_ones() -> None:
    neck = RefinedNeck(nn.Identity(), 8, [6, 4], [4, 4], [1, 1])
    fine, coarse = torch.zeros(1, 4, 8, 8), torch.zeros(1, 6, 4, 4)
    still, _ = neck([fine, coarse])
    coarse[0, :, 1, 1] = 1.0
    (moved, _), _ = neck([fine, coarse])
    changed = (moved - still[0]).abs().sum(1)[0] > 1e-6
    assert moved.shape == (1, 8, 8, 8)
    assert changed[2:4, 2:4].all()
    assert not changed[6:, 6:].any()


def test_the_memory_of_nano_takes_a_mask() -> None:
    sam = build_model(load_manifest().entry("nano"))
    features = torch.zeros(1, 128, 32, 32)
    found = sam.memory_encoder(features, torch.zeros(1, 1, 512, 512), skip_mask_sigmoid=True)
    assert found["vision_features"].shape == (1, 64, 32, 32)
