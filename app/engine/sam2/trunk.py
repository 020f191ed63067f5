"""The convolutional trunk of `nano`, in the place that Hiera holds in the published SAM 2.1 models.

The rest of SAM 2.1 only asks for feature maps at strides 4, 8, 16 and 32. Decision: convolutions instead of Hiera.
Context: `nano` is trained from nothing in hours on a CPU. Choice: pre-activation residual blocks (He et al. 2016,
arXiv:1603.05027), which learned in 1500 steps what Hiera had not in ten times as many. Price: no published weights
fit it. EdgeTAM (arXiv:2501.07256) and EfficientTAM (arXiv:2411.18933) change the trunk of SAM 2 too.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

GROUPS = 4


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions added to what came in; begins as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(GROUPS, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation = nn.ReLU(inplace=True)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, C, h, w)."""
        inner = self.conv1(self.activation(self.norm1(features)))
        residual: Tensor = self.conv2(self.activation(self.norm2(inner)))
        return features + residual


class ConvTrunk(nn.Module):
    """A picture (B, 3, S, S) becomes four feature maps, finest first, at strides 4, 8, 16 and 32."""

    def __init__(self, channels: Sequence[int], depths: Sequence[int]) -> None:
        """Args: channels and number of blocks of each stage, finest first."""
        super().__init__()
        self.channel_list = list(channels)[::-1]  # what FpnNeck reads: coarsest first
        stages = []
        for index, (width, depth) in enumerate(zip(channels, depths, strict=True)):
            down = stem(width) if index == 0 else nn.Conv2d(channels[index - 1], width, 3, 2, 1)
            stages.append(nn.Sequential(down, *(ResidualBlock(width) for _ in range(depth))))
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return [(B, C0, S/4, S/4), ..., (B, C3, S/32, S/32)]."""
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return maps


def stem(width: int) -> nn.Sequential:
    """Two strided convolutions: stride 4 from pixels."""
    return nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(16, width, 3, 2, 1))
