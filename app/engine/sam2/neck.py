"""What joins the trunk's feature maps of `nano`: a feature pyramid whose levels look at their neighbourhood.

Decision: a neck of our own. Context: sam2's neck only adds 1 x 1 convolutions of the levels, which is enough behind
Hiera's attention; behind a small convolutional trunk every logit hung on one column of features. Choice: residual
bottlenecks after each sum, coarsest level first. Price: a fifth of an encode.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional


class Refinement(nn.Module):
    """Convolutions of 1 x 1, 3 x 3 and 1 x 1 added to what came in; begins as the identity."""

    def __init__(self, channels: int, inner: int) -> None:
        """Args: channels in and out, and those between."""
        super().__init__()
        self.narrow = nn.Conv2d(channels, inner, 1)
        self.mix = nn.Conv2d(inner, inner, 3, padding=1)
        self.widen = nn.Conv2d(inner, channels, 1)
        nn.init.zeros_(self.widen.weight)
        nn.init.zeros_(self.widen.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (B, channels, h, w)."""
        inner = functional.relu(self.mix(functional.relu(self.narrow(features))))
        residual: Tensor = self.widen(inner)
        return features + residual


class RefinedNeck(nn.Module):
    """Feature maps of a trunk become maps of one width, each with what the coarser ones know."""

    def __init__(
        self,
        position_encoding: nn.Module,
        d_model: int,
        backbone_channel_list: Sequence[int],
        inner_channels: Sequence[int],
        depths: Sequence[int],
    ) -> None:
        """Take the shape of each level, coarsest first.

        Args:
            position_encoding: sam2's, of `d_model` channels.
            d_model: channels of the result.
            backbone_channel_list: channels of the trunk's maps.
            inner_channels: width of the refinements.
            depths: number of refinements.
        """
        super().__init__()
        self.position_encoding = position_encoding
        self.d_model, self.backbone_channel_list = d_model, list(backbone_channel_list)
        self.laterals = nn.ModuleList(nn.Conv2d(channels, d_model, 1) for channels in backbone_channel_list)
        self.refinements = nn.ModuleList(
            nn.Sequential(*(Refinement(d_model, inner) for _ in range(depth)))
            for inner, depth in zip(inner_channels, depths, strict=True)
        )

    def forward(self, maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the levels (B, d_model, h, w), finest first like the trunk's maps, and their position encodings."""
        levels: list[Tensor] = []
        for lateral, refinement, features in zip(self.laterals, self.refinements, reversed(maps), strict=True):
            level = lateral(features)
            if levels:
                level = level + functional.interpolate(levels[0], scale_factor=2.0, mode="bilinear")
            levels.insert(0, refinement(level))
        return levels, [self.position_encoding(level).to(level.dtype) for level in levels]
