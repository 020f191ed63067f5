"""SAM 2.1's Hiera encoder with its tokens laid out by windows: the same features from fewer moves in memory.

Hiera (Ryali et al. 2023, arXiv:2306.00989) cuts its map into windows before each attention, joins it again after it,
and pools queries two by two between stages. Attention doesn't ask for the order of a window's tokens. So the tokens of
the two fine stages lie in nested order (window, then its finest quarters, then coarser ones), where a cut and a join
are nothing and a pooling is a maximum over one axis. The neck's and the decoder's 1 x 1 convolutions on a fine map are
one matrix. Every step is exact: features differ from sam2's by rounding alone.

Decision: the encoder in this form for compiled graphs. Context: moving tokens about took a seventh of the time of a
compiled encode. Choice: `tiny` takes 0.86 of the time in bf16 and 0.89 in fp32 (processor time, same run). Price: a
second form of the encoder, which tests hold against sam2's own; torch keeps to sam2's modules, as the reference.

Plain tensors in and out, no device and no files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from sam2.modeling.backbones.hieradet import MultiScaleBlock
    from sam2.modeling.sam2_base import SAM2Base

NESTED_WINDOWS: Final = (8, 4)
"""Windows of the two fine stages: pooled twice, 8 x 8 tokens are 2 x 2, and windows keep their place."""
LEVELS: Final = 3
"""Halvings in a window of 8."""


def has_nested_windows(trunk: nn.Module) -> bool:
    """Return True for a Hiera whose fine stages can stay in windows, as in all published SAM 2.1 models."""
    from sam2.modeling.backbones.hieradet import Hiera

    if not isinstance(trunk, Hiera):
        return False
    pooling = [end + 1 for end in trunk.stage_ends[:-1]]
    cut = not any(block <= pooling[1] or block == pooling[2] for block in trunk.global_att_blocks)
    pooled_by_two = trunk.q_pool_blocks == pooling and tuple(trunk.q_stride) == (2, 2)
    return tuple(trunk.window_spec[:2]) == NESTED_WINDOWS and cut and pooled_by_two


class WindowedEncoder(nn.Module):
    """From pixels to the grid's tokens, and fine and middle features in the decoder's order."""

    place: Tensor

    def __init__(self, sam: SAM2Base) -> None:
        """Args: a model for which `has_nested_windows` holds, in evaluation mode; its weights are copied in part."""
        super().__init__()
        trunk, neck, decoder = sam.image_encoder.trunk, sam.image_encoder.neck, sam.sam_mask_decoder
        self.grid = int(sam.image_size) // 16
        self.patch = trunk.patch_embed
        with torch.no_grad():
            place = trunk._get_pos_embed((4 * self.grid, 4 * self.grid))[0]
            self.register_buffer("place", nested(place))
        first, second, third, _ = trunk.stage_ends
        blocks = list(trunk.blocks)
        self.fine_blocks = nn.ModuleList(WindowBlock(block) for block in blocks[: first + 1])
        self.middle_blocks = nn.ModuleList(WindowBlock(block) for block in blocks[first + 1 : second + 1])
        self.bridge = WindowBlock(blocks[second + 1])
        self.grid_blocks = nn.ModuleList(GridBlock(block, self.grid) for block in blocks[second + 2 : third + 1])
        self.halving = GridBlock(blocks[third + 1], self.grid)
        self.last_blocks = nn.ModuleList(GridBlock(block, self.grid // 2) for block in blocks[third + 2 :])
        self.fine = chained(neck.convs[3].conv, decoder.conv_s0)
        self.middle = chained(neck.convs[2].conv, decoder.conv_s1)
        self.lateral, self.last_lateral = as_linear(neck.convs[1].conv), as_linear(neck.convs[0].conv)
        if sam.directly_add_no_mem_embed:
            with torch.no_grad():
                self.lateral.bias.add_(sam.no_mem_embed.reshape(-1))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens (1, N, C), fine (N, 4, 4, C / 8) and middle (N, 4, C / 4) of (1, 3, S, S) pixels.

        N cells of the grid row by row; fine and middle are nested as `ImageTerms` says.
        """
        tokens = nested(self.patch(pixels)[0]) + self.place
        tokens = through(self.fine_blocks, tokens)
        fine = self.fine(tokens)
        tokens = through(self.middle_blocks, tokens)
        middle = self.middle(tokens)
        half = self.grid // 2
        grid = self.bridge(tokens).reshape(half, half, 2, 2, -1).permute(0, 2, 1, 3, 4)
        tokens = through(self.grid_blocks, grid.reshape(1, self.grid**2, -1))
        lateral = self.lateral(tokens)
        last = self.last_lateral(through(self.last_blocks, self.halving(tokens)))
        doubled = last.reshape(half, 1, half, 1, -1).expand(half, 2, half, 2, -1)  # nearest, as the neck does
        return lateral + doubled.reshape(lateral.shape), self.fine_by_cell(fine), self.middle_by_cell(middle)

    def fine_by_cell(self, features: Tensor) -> Tensor:
        """Return (windows, 64, C) as (N, 4, 4, C), coarser quarters first."""
        half = self.grid // 2
        by_level = features.reshape(half, half, 2, 2, 2, 2, 2, 2, -1)
        return by_level.permute(0, 6, 1, 7, 4, 5, 2, 3, 8).reshape(self.grid**2, 4, 4, -1)

    def middle_by_cell(self, features: Tensor) -> Tensor:
        """Return (windows, 16, C) as (N, 4, C)."""
        half = self.grid // 2
        by_level = features.reshape(half, half, 2, 2, 2, 2, -1)
        return by_level.permute(0, 4, 1, 5, 2, 3, 6).reshape(self.grid**2, 4, -1)


class WindowBlock(nn.Module):
    """A block of Hiera on windows of tokens (W, n, C) in nested order; one that pools gives (W, n / 4, C')."""

    def __init__(self, block: MultiScaleBlock) -> None:
        super().__init__()
        self.pools = block.pool is not None
        self.norm1, self.norm2, self.mlp, self.out = block.norm1, block.norm2, block.mlp, block.attn.proj
        self.widen = block.proj if block.dim != block.dim_out else None
        self.heads: int = block.attn.num_heads
        scale = (block.dim_out // self.heads) ** -0.5
        joint = block.attn.qkv
        query, key, value = zip(joint.weight.detach().chunk(3), joint.bias.detach().chunk(3), strict=True)
        self.query = linear(query[0] * scale, query[1] * scale)
        self.key, self.value = linear(*key), linear(*value)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens after attention and MLP."""
        normal = self.norm1(tokens)
        shortcut = tokens if self.widen is None else self.widen(normal)
        tokens = (self.halved(shortcut) if self.pools else shortcut) + self.taken(normal)
        result: Tensor = tokens + self.mlp(self.norm2(tokens))
        return result

    def halved(self, tokens: Tensor) -> Tensor:
        """Return a quarter of the tokens, the maxima of each two by two."""
        return pooled(tokens)

    def taken(self, tokens: Tensor) -> Tensor:
        """Return what the tokens take from one another."""
        return self.attention(tokens)

    def attention(self, windows: Tensor) -> Tensor:
        """Return what the tokens of each window (W, n, C) take from one another, pooled where the block does."""
        query = self.query(windows)
        query = self.split(pooled(query) if self.pools else query)
        key, value = self.split(self.key(windows)), self.split(self.value(windows))
        taken = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        result: Tensor = self.out(taken.transpose(1, 2).flatten(2))
        return result

    def split(self, windows: Tensor) -> Tensor:
        """Return (W, n, heads * D) as (W, heads, n, D)."""
        return windows.reshape(windows.shape[0], windows.shape[1], self.heads, -1).transpose(1, 2)


class GridBlock(WindowBlock):
    """A block of Hiera on a whole square of tokens (1, side * side, C), row by row, whose windows don't nest."""

    def __init__(self, block: MultiScaleBlock, side: int) -> None:
        super().__init__(block)
        self.window, self.side = int(block.window_size), side
        self.count = -(-side // self.window) if self.window else 0
        """Windows in a row, the last one padded."""

    def halved(self, tokens: Tensor) -> Tensor:
        """Return a quarter of the square, row by row."""
        half = self.side // 2
        return tokens.reshape(half, 2, half, 2, -1).amax((1, 3)).reshape(1, half * half, -1)

    def taken(self, tokens: Tensor) -> Tensor:
        """Return what the tokens take from one another, in their windows or all over the square."""
        return self.joined(self.attention(self.cut(tokens))) if self.window else self.attention(tokens)

    def cut(self, tokens: Tensor) -> Tensor:
        """Return the square as windows (W, n, C); where they are pooled, with the four of a quarter apart."""
        side, window, count = self.side, self.window, self.count
        missing = count * window - side
        square = functional.pad(tokens.reshape(side, side, -1), (0, 0, 0, missing, 0, missing))
        if self.pools:
            half = window // 2
            windows = square.reshape(count, half, 2, count, half, 2, -1).permute(0, 3, 2, 5, 1, 4, 6)
        else:
            windows = square.reshape(count, window, count, window, -1).permute(0, 2, 1, 3, 4)
        return windows.reshape(count * count, window * window, -1)

    def joined(self, windows: Tensor) -> Tensor:
        """Return windows (W, n, C) as a square without the padding, (1, side * side, C)."""
        shrink = 2 if self.pools else 1
        side, window, count = self.side // shrink, self.window // shrink, self.count
        square = windows.reshape(count, count, window, window, -1).permute(0, 2, 1, 3, 4)
        square = square.reshape(count * window, count * window, -1)[:side, :side]
        return square.reshape(1, side * side, -1)


def through(blocks: nn.ModuleList, tokens: Tensor) -> Tensor:
    """Return the tokens after all blocks."""
    for block in blocks:
        tokens = block(tokens)
    return tokens


def pooled(windows: Tensor) -> Tensor:
    """Return (W, n, C) in nested order as (W, n / 4, C): the maxima of the finest quarters."""
    return windows.reshape(windows.shape[0], 4, -1, windows.shape[2]).amax(1)


def nested(square: Tensor) -> Tensor:
    """Return (S, S, C) as windows of 8 x 8 in nested order, (S / 8 squared, 64, C): the finest quarters first."""
    count, width = square.shape[0] >> LEVELS, square.shape[2]
    by_level = square.reshape(count, 2, 2, 2, count, 2, 2, 2, width)
    return by_level.permute(0, 4, 3, 7, 2, 6, 1, 5, 8).reshape(count * count, 1 << 2 * LEVELS, width)


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """Return the layer of a weight (out, in) and a bias (out,)."""
    made = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(bias)
    return made


def as_linear(convolution: nn.Conv2d) -> nn.Linear:
    """Return a 1 x 1 convolution as a layer over tokens.

    Raises:
        ValueError: it is larger than 1 x 1 or has no bias.
    """
    if convolution.kernel_size != (1, 1) or convolution.bias is None:
        raise ValueError(f"expected a 1 x 1 convolution with a bias, got {convolution}")
    return linear(convolution.weight.detach().flatten(1), convolution.bias.detach())


def chained(first: nn.Conv2d, second: nn.Conv2d) -> nn.Linear:
    """Return two 1 x 1 convolutions, one after the other, as one layer."""
    one, two = as_linear(first), as_linear(second)
    return linear((two.weight @ one.weight).detach(), (two.weight @ one.bias + two.bias).detach())
