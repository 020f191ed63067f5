"""The convolutional trunk of `nano`, in the place that Hiera holds in the published SAM 2.1 models.

The rest of SAM 2.1 only asks for feature maps at strides 4, 8, 16 and 32. Decision: EfficientNet-Lite0 (Tan and Le
2019, arXiv:1905.11946; the Lite models have neither squeeze-and-excitation nor swish). Context: a trunk that was
trained from nothing on drawings told colours apart, not things. Choice: weights that have seen ImageNet, in a network
made for CPUs. Price: a padding that is TensorFlow's, and a file of weights that a new training needs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

STEM_CHANNELS: Final = 32
PIXEL_GAIN: Final = (0.229 * 255 / 128, 0.224 * 255 / 128, 0.225 * 255 / 128)
PIXEL_SHIFT: Final = ((0.485 * 255 - 127) / 128, (0.456 * 255 - 127) / 128, (0.406 * 255 - 127) / 128)
"""Turn pixels normalised by ImageNet's mean and deviation into (value - 127) / 128, which this trunk learned on.

They can't go into the stem's weights: its zero padding would then be another colour.
"""


class Stage(NamedTuple):
    """Blocks of one shape; the first of them changes the stride and the number of channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES: Final = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
MAP_STAGES: Final = (1, 2, 4, 6)
"""The last stage at each of the strides 4, 8, 16 and 32; its output is a feature map."""


class PaddedConvolution(nn.Conv2d):
    """A convolution padded as in TensorFlow: of an odd number of rows that lack, one more comes after than before."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        missing = kernel - stride
        before = missing // 2
        self.margins = (before, missing - before, before, missing - before)
        is_even = missing % 2 == 0
        super().__init__(inputs, outputs, kernel, stride, padding=before if is_even else 0, groups=groups)
        self.pads_itself = not is_even

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, outputs, h / stride, w / stride)."""
        return super().forward(functional.pad(features, self.margins) if self.pads_itself else features)


class InvertedResidual(nn.Module):
    """Widened, filtered channel by channel, narrowed again (Sandler et al. 2018, arXiv:1801.04381).

    The result is added to what came in where both have one shape. The published model's batch normalisation is part of
    the weights here.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = nn.Conv2d(inputs, inner, 1) if expansion > 1 else None
        self.depth = PaddedConvolution(inner, inner, kernel, stride, groups=inner)
        self.project = nn.Conv2d(inner, outputs, 1)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, outputs, h / stride, w / stride)."""
        inner = features if self.expand is None else functional.relu6(self.expand(features))
        result: Tensor = self.project(functional.relu6(self.depth(inner)))
        return features + result if self.is_residual else result


class EfficientTrunk(nn.Module):
    """A picture (B, 3, S, S) becomes four feature maps, finest first, at strides 4, 8, 16 and 32."""

    gain: Tensor
    shift: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("gain", torch.tensor(PIXEL_GAIN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("shift", torch.tensor(PIXEL_SHIFT).view(1, 3, 1, 1), persistent=False)
        self.stem = PaddedConvolution(3, STEM_CHANNELS, 3, 2)
        self.blocks = nn.ModuleList()
        self.map_blocks: list[int] = []
        inputs = STEM_CHANNELS
        for number, stage in enumerate(STAGES):
            for index in range(stage.blocks):
                stride = stage.stride if index == 0 else 1
                self.blocks.append(InvertedResidual(inputs, stage.channels, stage.kernel, stride, stage.expansion))
                inputs = stage.channels
            if number in MAP_STAGES:
                self.map_blocks.append(len(self.blocks) - 1)
        self.channel_list = [STAGES[number].channels for number in reversed(MAP_STAGES)]  # coarsest first, for the neck

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return [(B, 24, S/4, S/4), (B, 40, S/8, S/8), (B, 112, S/16, S/16), (B, 320, S/32, S/32)]."""
        features = self.first(image)
        maps = []
        for number, block in enumerate(self.blocks):
            features = block(features)
            if number in self.map_blocks:
                maps.append(features)
        return maps

    def first(self, image: Tensor) -> Tensor:
        """Return what the stem makes of a picture, (B, 32, S/2, S/2).

        Channels lie together in memory from here on: torch filters each channel for itself twice as fast so.
        """
        pixels = (image * self.gain + self.shift).contiguous(memory_format=torch.channels_last)
        return functional.relu6(self.stem(pixels))
