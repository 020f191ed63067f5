"""What the trainer of the bundled model is given, small: photographs with masks, and a trunk's random weights."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import nn

from app.engine.sam2.trunk import EfficientTrunk, InvertedResidual


def photographs_in(folder: Path) -> Path:
    """Write two photographs: red with a blue thing whose upper half is a part, and green without masks."""
    for name, ground in (("cat_red", (200, 0, 0)), ("coco_green", (0, 200, 0))):
        image = np.full((240, 320, 3), ground, np.uint8)
        numbers, whole = (np.zeros((240, 320), np.uint8) for _ in range(2))
        if name == "cat_red":
            image[60:200, 80:220], whole[60:200, 80:220], numbers[60:130, 80:220] = (0, 0, 200), 1, 1
        for path, array in ((f"images/{name}.jpg", image), (f"masks/{name}.png", numbers)):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(folder / path)
        if whole.any():
            Image.fromarray(whole).save(folder / f"masks/{name}.whole.png")
    return folder


def imagenet_file(trunk: EfficientTrunk) -> dict[str, torch.Tensor]:
    """Random weights under the names of the package's file."""
    generator, state = torch.Generator().manual_seed(0), dict[str, torch.Tensor]()

    def add(convolution: nn.Conv2d, name: str, norm: str) -> None:
        state[f"{name}.weight"] = torch.randn(convolution.weight.shape, generator=generator)
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{norm}.{part}"] = torch.rand(convolution.out_channels, generator=generator) + 0.5

    add(trunk.stem, "_conv_stem", "_bn0")
    for number, block in enumerate(cast(Iterable[InvertedResidual], trunk.blocks)):
        name = f"_blocks.{number}."
        if block.expand is not None:
            add(block.expand, name + "_expand_conv", name + "_bn0")
        add(block.depth, name + "_depthwise_conv", name + "_bn1")
        add(block.project, name + "_project_conv", name + "_bn2")
    return state
