"""SAM 2.1's mask decoder, re-associated: the same logits from about half of the arithmetic.

A picture has thousands of tokens, a prompt about eight. So whatever depends on the picture alone is computed at
encode time (`ImageTerms`), and the projections between picture and prompt are folded onto the prompt's few tokens:
`(E W) q = E (W q)`. Softmaxes over the few tokens keep the picture's axis last, where memory is contiguous. The
transposed convolutions of stride 2 are linear maps of each cell to the four cells inside it; kept in that nested
order they need no change of layout. Every step is exact: in float32 the logits differ from those
of `sam2.modeling.sam.mask_decoder` by rounding alone.

Plain tensors in and out, no device and no files: torch runs it as it is, OpenVINO converts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from sam2.modeling.sam.transformer import Attention, TwoWayAttentionBlock
    from sam2.modeling.sam2_base import SAM2Base
    from sam2.modeling.sam2_utils import MLP

MASK_TOKENS = 4
"""SAM 2.1's outputs: the single mask, then three candidates."""
FIRST_MASK_TOKEN = 2
"""Before them come the tokens of the object's presence and of the predicted IoU."""


class ImageTerms(NamedTuple):
    """What the decoder wants to know of a picture. N tokens of C channels, H heads of D channels.

    Attributes:
        tokens: (N, C), the embedding with the code of "no mask" added.
        keys: (H, D, N) of the first layer, where prompts look at the picture.
        values: (H, N, D) of the same.
        queries: (H, N, D) of the first layer, where the picture looks at prompts; scaled.
        fine: (N, 4, 4, C / 8), features at stride 4, nested: cell, then quarter, then quarter of the quarter.
        middle: (N, 4, C / 4), features at stride 8, nested.
    """

    tokens: Tensor
    keys: Tensor
    values: Tensor
    queries: Tensor
    fine: Tensor
    middle: Tensor


class FoldedAttention(nn.Module):
    """An attention of sam2 between prompt tokens and picture tokens, its projections applied on the prompt's side."""

    query_weight: Tensor
    query_bias: Tensor
    key_weight: Tensor
    value_weight: Tensor
    out_weight: Tensor

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.heads: int = attention.num_heads
        self.head_dim: int = attention.internal_dim // attention.num_heads
        self.scale: float = self.head_dim**-0.5
        self.plain = attention
        width: int = attention.embedding_dim
        by_head = (self.heads, self.head_dim, width)
        self.register_buffer("query_weight", attention.q_proj.weight.detach().reshape(by_head).clone())
        self.register_buffer("query_bias", attention.q_proj.bias.detach().reshape(self.heads, self.head_dim, 1).clone())
        self.register_buffer("key_weight", attention.k_proj.weight.detach().reshape(by_head).clone())
        value = attention.v_proj.weight.detach().reshape(by_head)
        self.register_buffer("value_weight", value.transpose(1, 2).contiguous())
        out = attention.out_proj.weight.detach().reshape(width, self.heads, self.head_dim)
        self.register_buffer("out_weight", out.permute(1, 2, 0).contiguous())

    def split(self, projected: Tensor) -> Tensor:
        """Return (B, T, H * D) as (B, H, T, D)."""
        return projected.reshape(projected.shape[0], -1, self.heads, self.head_dim).transpose(1, 2)

    def join(self, by_head: Tensor) -> Tensor:
        """Return (B, H, T, D) as (B, T, H * D)."""
        return by_head.transpose(1, 2).flatten(2)

    def prompt_looks(self, prompt: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return what prompt tokens take from the picture, (B, T, C).

        The bias of the keys adds the same to a token's every score, so the softmax drops it.

        Args:
            prompt: (B, T, C), position added.
            keys: (B or 1, N, C), position added.
            values: (B or 1, N, C).
        """
        queries = self.split(self.plain.q_proj(prompt)) * self.scale
        folded = torch.matmul(queries, self.key_weight).flatten(1, 2)  # (B, H * T, C)
        taken = averaged(torch.matmul(folded, keys.transpose(1, 2)), values)
        taken = taken.reshape(taken.shape[0], self.heads, -1, taken.shape[2])
        result: Tensor = self.plain.out_proj(self.join(torch.matmul(taken, self.value_weight)) + self.plain.v_proj.bias)
        return result

    def prompt_looks_at(self, prompt: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return the same from keys (H, D, N) and values (H, N, D) that were projected before."""
        scores = torch.matmul(self.split(self.plain.q_proj(prompt)) * self.scale, keys)
        result: Tensor = self.plain.out_proj(self.join(averaged(scores, values)))
        return result

    def picture_looks(self, picture: Tensor, keys: Tensor, values: Tensor, padding: Tensor) -> Tensor:
        """Return what picture tokens take from the prompt, (B, N, C).

        Args:
            picture: (B or 1, N, C), position added.
            keys: (B, T, C), position added.
            values: (B, T, C).
            padding: (B, 1, T), below 0 where a token is padding and 0 elsewhere.
        """
        key = self.split(self.plain.k_proj(keys)) * self.scale  # (B, H, T, D)
        folded = torch.matmul(key, self.query_weight).flatten(1, 2)  # (B, H * T, C)
        offset = torch.matmul(key, self.query_bias).squeeze(-1) + padding  # (B, H, T)
        scores = torch.matmul(folded, picture.transpose(1, 2)) + offset.flatten(1).unsqueeze(2)  # (B, H * T, N)
        by_head = scores.reshape(scores.shape[0], self.heads, -1, scores.shape[2])
        return self.spread(by_head.softmax(2), values)

    def picture_looks_with(self, queries: Tensor, keys: Tensor, values: Tensor, padding: Tensor) -> Tensor:
        """Return the same with the picture's queries (H, N, D) projected and scaled before."""
        key = self.split(self.plain.k_proj(keys))
        scores = torch.matmul(key, queries.transpose(1, 2)) + padding.unsqueeze(-1)  # (B, H, T, N)
        return self.spread(scores.softmax(2), values)

    def spread(self, shares: Tensor, values: Tensor) -> Tensor:
        """Return the shares (B, H, T, N) of the prompt's values (B, T, C), projected once per prompt token."""
        value = torch.matmul(self.split(self.plain.v_proj(values)), self.out_weight).flatten(1, 2)  # (B, H * T, C)
        result: Tensor = torch.matmul(shares.flatten(1, 2).transpose(1, 2), value) + self.plain.out_proj.bias
        return result


def averaged(scores: Tensor, values: Tensor) -> Tensor:
    """Return values weighted by the softmax of their scores, divided once at the end.

    The long axis is the picture's, so the division is done on the few sums. (OpenVINO 2026.4 would also fuse the
    usual form, and its fused form gave other bits now and then in bf16 on two threads.)

    Args:
        scores: (..., T, N).
        values: (..., N, D).
    """
    weights = (scores - scores.amax(-1, keepdim=True)).exp()
    return torch.matmul(weights, values) / weights.sum(-1, keepdim=True)


class Layer(nn.Module):
    """One two-way block of sam2's transformer."""

    def __init__(self, block: TwoWayAttentionBlock) -> None:
        super().__init__()
        self.block = block
        self.to_picture = FoldedAttention(block.cross_attn_token_to_image)
        self.from_picture = FoldedAttention(block.cross_attn_image_to_token)

    def among_prompt(self, queries: Tensor, position: Tensor, padding: Tensor) -> Tensor:
        """Return the prompt's tokens (B, T, C) after they looked at each other; padding is not looked at."""
        block = self.block
        skip = bool(block.skip_first_layer_pe)
        looks = queries if skip else queries + position
        attention = block.self_attn
        pairs = ((attention.q_proj, looks), (attention.k_proj, looks), (attention.v_proj, queries))
        head_dim = attention.internal_dim // attention.num_heads
        query, key, value = (
            part(tokens).reshape(tokens.shape[0], -1, attention.num_heads, head_dim).transpose(1, 2)
            for part, tokens in pairs
        )
        scores = torch.matmul(query * head_dim**-0.5, key.transpose(2, 3)) + padding.unsqueeze(1)
        found = attention.out_proj(torch.matmul(scores.softmax(-1), value).transpose(1, 2).flatten(2))
        result: Tensor = block.norm1(found if skip else queries + found)
        return result

    def settled(self, queries: Tensor, taken: Tensor) -> Tensor:
        """Return the prompt's tokens with what they took from the picture, through the block's MLP."""
        queries = self.block.norm2(queries + taken)
        result: Tensor = self.block.norm3(queries + self.block.mlp(queries))
        return result


class ReassociatedDecoder(nn.Module):
    """SAM 2.1's prompt-to-mask half, for any number of prompts on one picture."""

    position: Tensor
    no_mask: Tensor
    first_up_weight: Tensor
    first_up_bias: Tensor
    second_up_weight: Tensor
    second_up_bias: Tensor

    def __init__(self, sam: SAM2Base) -> None:
        """Args: the loaded model, whose weights are shared where their form allows it."""
        super().__init__()
        decoder, encoder = sam.sam_mask_decoder, sam.sam_prompt_encoder
        transformer = decoder.transformer
        if not decoder.use_high_res_features or not decoder.pred_obj_scores or len(transformer.layers) != 2:
            raise ValueError("expected a SAM 2.1 mask decoder: two layers, high resolution features, object scores")
        self.first, self.second = (Layer(block) for block in transformer.layers)
        self.last = FoldedAttention(transformer.final_attn_token_to_image)
        self.last_norm = transformer.norm_final_attn
        self.mask_code = encoder.mask_downscaling
        self.iou_head = decoder.iou_prediction_head
        self.middle_norm = decoder.output_upscaling[1]
        with torch.no_grad():
            position = encoder.get_dense_pe().flatten(2).transpose(1, 2).contiguous()  # (1, N, C)
        self.register_buffer("position", position)
        self.register_buffer("no_mask", encoder.no_mask_embed.weight.detach().clone())
        self.grid = (int(encoder.image_embedding_size[0]), int(encoder.image_embedding_size[1]))
        for name, index in (("first_up", 0), ("second_up", 3)):
            weight, bias = nested_weights(decoder.output_upscaling[index])
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", bias)
        self.hyper = StackedNetworks(decoder.output_hypernetworks_mlps)

    def image_terms(self, image_embed: Tensor, fine: Tensor, middle: Tensor) -> ImageTerms:
        """Return what is to be kept of a picture.

        Args:
            image_embed: (1, C, h, w).
            fine: (1, C / 8, 4 h, 4 w).
            middle: (1, C / 4, 2 h, 2 w).
        """
        tokens = image_embed.flatten(2).transpose(1, 2)
        return self.terms_of(tokens, nest_twice(fine, self.grid), nest_once(middle, self.grid))

    def terms_of(self, tokens: Tensor, fine: Tensor, middle: Tensor) -> ImageTerms:
        """Return the same from features that are in the decoder's order.

        Args:
            tokens: (1, N, C), the embedding row by row.
            fine: (N, 4, 4, C / 8), nested.
            middle: (N, 4, C / 4), nested.
        """
        tokens = tokens + self.no_mask
        first = self.first
        placed = tokens + self.position
        keys = first.to_picture.split(first.to_picture.plain.k_proj(placed))
        values = first.to_picture.split(first.to_picture.plain.v_proj(tokens))
        queries = first.from_picture.split(first.from_picture.plain.q_proj(placed)) * first.from_picture.scale
        return ImageTerms(
            tokens[0],
            keys[0].transpose(1, 2).contiguous(),
            values[0].contiguous(),
            queries[0].contiguous(),
            fine,
            middle,
        )

    def forward(
        self, terms: ImageTerms, prompt: Tensor, padding: Tensor, mask: Tensor | None, first_mask: int
    ) -> tuple[Tensor, Tensor]:
        """Return logits (B, K, 4 h, 4 w) and predicted IoU (B, K) of the masks from `first_mask` on.

        Args:
            terms: the picture's.
            prompt: (B, T, C), the output tokens and then the prompt's own, see `prompt_tokens`.
            padding: (B, 1, T), below 0 where a token is padding and 0 elsewhere.
            mask: (B, 1, 4 h, 4 w) logits to refine, or None; all prompts of a batch alike.
            first_mask: 0 for all four masks, 1 for the three candidates alone.
        """
        queries, picture = self.settled(terms, prompt, padding, mask)
        return self.answered(terms, queries, picture, first_mask)

    def settled(self, terms: ImageTerms, prompt: Tensor, padding: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the prompt's tokens (B, T, C) and the picture's (B, N, C) after both looked at each other."""
        first, second = self.first, self.second
        queries = first.among_prompt(prompt, prompt, padding)
        if mask is None:
            picture = terms.tokens.unsqueeze(0)
            taken = first.to_picture.prompt_looks_at(queries + prompt, terms.keys, terms.values)
            queries = first.settled(queries, taken)
            given = first.from_picture.picture_looks_with(terms.queries, queries + prompt, queries, padding)
        else:
            code = self.mask_code(mask).flatten(2).transpose(1, 2)
            picture = terms.tokens.unsqueeze(0) - self.no_mask + code
            placed = picture + self.position
            taken = first.to_picture.prompt_looks(queries + prompt, placed, picture)
            queries = first.settled(queries, taken)
            given = first.from_picture.picture_looks(placed, queries + prompt, queries, padding)
        picture = first.block.norm4(picture + given)
        placed = picture + self.position
        queries = second.among_prompt(queries, prompt, padding)
        queries = second.settled(queries, second.to_picture.prompt_looks(queries + prompt, placed, picture))
        given = second.from_picture.picture_looks(placed, queries + prompt, queries, padding)
        picture = second.block.norm4(picture + given)
        taken = self.last.prompt_looks(queries + prompt, picture + self.position, picture)
        return self.last_norm(queries + taken), picture

    def answered(self, terms: ImageTerms, queries: Tensor, picture: Tensor, first_mask: int) -> tuple[Tensor, Tensor]:
        """Return what `forward` does, of the tokens that `settled` returned."""
        scores = self.iou_head(queries[:, FIRST_MASK_TOKEN - 1])[:, first_mask:]
        masks = self.masks(picture, terms, queries[:, FIRST_MASK_TOKEN + first_mask : FIRST_MASK_TOKEN + MASK_TOKENS])
        return masks, scores

    def masks(self, picture: Tensor, terms: ImageTerms, mask_tokens: Tensor) -> Tensor:
        """Return logits (B, K, 4 h, 4 w) of K mask tokens (B, K, C), the last ones of the four."""
        batch, count = mask_tokens.shape[:2]
        up = torch.matmul(picture, self.first_up_weight).reshape(batch, *terms.middle.shape)
        up = up + self.first_up_bias + terms.middle
        norm = self.middle_norm
        up = functional.gelu(functional.layer_norm(up, (up.shape[-1],), norm.weight, norm.bias, norm.eps))
        up = torch.matmul(up, self.second_up_weight).reshape(batch, *terms.fine.shape)
        up = up + self.second_up_bias + terms.fine
        up = functional.gelu(up).flatten(1, 3)  # (B, 16 N, C / 8)
        logits = torch.matmul(self.hyper(mask_tokens), up.transpose(1, 2))  # (B, K, 16 N)
        height, width = self.grid
        cells = logits.reshape(batch * count, height, width, 2, 2, 2, 2).permute(0, 1, 3, 5, 2, 4, 6)
        return cells.reshape(batch, count, 4 * height, 4 * width)


class StackedNetworks(nn.Module):
    """The small networks of the four mask tokens, all at once."""

    def __init__(self, networks: Sequence[MLP]) -> None:
        super().__init__()
        self.depth = len(networks[0].layers)
        for number in range(self.depth):
            layers = [network.layers[number] for network in networks]
            weight = torch.stack([layer.weight.detach().T for layer in layers]).contiguous()
            self.register_buffer(f"weight_{number}", weight)
            self.register_buffer(f"bias_{number}", torch.stack([layer.bias.detach() for layer in layers])[:, None])

    def forward(self, mask_tokens: Tensor) -> Tensor:
        """Return the masks' weights (B, K, C / 8) of the last K mask tokens (B, K, C)."""
        first = MASK_TOKENS - mask_tokens.shape[1]
        out = mask_tokens.transpose(0, 1)  # (K, B, C)
        for number in range(self.depth):
            weight, bias = self.get_buffer(f"weight_{number}"), self.get_buffer(f"bias_{number}")
            out = torch.matmul(functional.relu(out) if number else out, weight[first:]) + bias[first:]
        return out.transpose(0, 1)


def nested_weights(convolution: nn.ConvTranspose2d) -> tuple[Tensor, Tensor]:
    """Return a transposed convolution of kernel and stride 2 as weights (in, 4 * out) and bias (out,)."""
    if convolution.bias is None:
        raise ValueError("expected a transposed convolution with a bias")
    return convolution.weight.detach().permute(0, 2, 3, 1).flatten(1).contiguous(), convolution.bias.detach().clone()


def nest_once(features: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return (1, C, 2 h, 2 w) as (h * w, 4, C): the four cells inside each cell of the grid side by side."""
    height, width = grid
    cells = features[0].reshape(-1, height, 2, width, 2).permute(1, 3, 2, 4, 0)
    return cells.reshape(height * width, 4, -1).contiguous()


def nest_twice(features: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return (1, C, 4 h, 4 w) as (h * w, 4, 4, C): quarters of the grid's cells, and their quarters."""
    height, width = grid
    cells = features[0].reshape(-1, height, 2, 2, width, 2, 2).permute(1, 4, 2, 5, 3, 6, 0)
    return cells.reshape(height * width, 4, 4, -1).contiguous()
