"""SAM 2.1's memory on torch: reading memories, finding the object with them, and writing a memory.

sam2's own modules where they run; the forms that are compiled compute the same with real numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from app.engine.sam2.mask_decoder import FIRST_MASK_TOKEN, MASK_TOKENS, ReassociatedDecoder
from app.engine.sam2.memory import MemoryTable, Table

if TYPE_CHECKING:
    from sam2.modeling.sam.transformer import RoPEAttention
    from sam2.modeling.sam2_base import SAM2Base

BLOCK = 512
"""Cells that look at all memories at once: 7 memories of a published model have 60 MB of scores then."""


def memory_table(sam: SAM2Base) -> MemoryTable:
    """Return the learned values of a model's memory."""

    def numbers(part: Tensor) -> Table:
        values: Table = part.detach().float().cpu().numpy()
        return values

    check_memory(sam)
    return MemoryTable(
        temporal=numbers(sam.maskmem_tpos_enc.flatten(1)),
        pointer_weight=numbers(sam.obj_ptr_tpos_proj.weight),
        pointer_bias=numbers(sam.obj_ptr_tpos_proj.bias),
        no_object=numbers(sam.no_obj_embed_spatial[0]),
        no_pointer=numbers(sam.no_obj_ptr[0]),
        no_memory=numbers(sam.no_mem_embed.flatten()),
        no_mask=numbers(sam.sam_prompt_encoder.no_mask_embed.weight[0]),
        mask_weight=numbers(sam.mask_downsample.weight[0, 0]),
        mask_bias=numbers(sam.mask_downsample.bias),
    )


def check_memory(sam: SAM2Base) -> None:
    """Check that a model's memory is that of SAM 2.1, which is what is computed here.

    Raises:
        ValueError: it isn't.
    """
    is_known = (
        sam.num_maskmem > 0
        and sam.directly_add_no_mem_embed
        and sam.use_obj_ptrs_in_encoder
        and sam.proj_tpos_enc_in_obj_ptrs
        and sam.use_signed_tpos_enc_to_obj_ptrs
        and sam.only_obj_ptrs_in_the_past_for_eval
        and sam.pred_obj_scores
        and sam.fixed_no_obj_ptr
        and not sam.soft_no_obj_ptr
        and sam.no_obj_embed_spatial is not None
        and sam.memory_temporal_stride_for_eval == 1
    )
    if not is_known:
        raise ValueError("expected the memory of SAM 2.1: object pointers with signed distances, object scores")


def place_code(sam: SAM2Base) -> Tensor:
    """Return the code of each cell's place in a frame, (N, C)."""
    side = sam.image_size // sam.backbone_stride
    code: Tensor = sam.image_encoder.neck.position_encoding(torch.zeros(1, 1, side, side, device=sam.device))
    return code[0].flatten(1).transpose(0, 1).contiguous()


def memory_place_code(sam: SAM2Base) -> Tensor:
    """Return the code of each cell's place in a memory, (N, D)."""
    side = sam.image_size // sam.backbone_stride
    code: Tensor = sam.memory_encoder.position_encoding(torch.zeros(1, 1, side, side, device=sam.device))
    return code[0].flatten(1).transpose(0, 1).contiguous()


class MemoryReader(nn.Module):
    """A frame looks at what is remembered of an object, by sam2's own attention."""

    def __init__(self, sam: SAM2Base) -> None:
        super().__init__()
        self.attention = sam.memory_attention
        self.register_buffer("places", place_code(sam), persistent=False)
        self.register_buffer("memory_places", memory_place_code(sam), persistent=False)

    def forward(self, features: Tensor, *layout: Tensor) -> Tensor:
        """Return the frame's features with what they took from the memories, (N, C).

        Args:
            features: (N, C), the frame's own.
            layout: the first four parts of a `memory.Layout`, nothing filled up.
        """
        memory, code, pointers, pointer_code = layout
        placed = (self.get_buffer("memory_places") + code[:, None]).flatten(0, 1)
        taken: Tensor = self.attention(
            curr=[features[:, None]],
            curr_pos=[self.get_buffer("places")[:, None]],
            memory=torch.cat([memory.flatten(0, 1), pointers])[:, None],
            memory_pos=torch.cat([placed, pointer_code])[:, None],
            num_obj_ptr_tokens=len(pointers),
        )
        return taken[:, 0]


class Rotated(nn.Module):
    """A projection whose result is turned by the cell's place, in real numbers: even channels first, then odd ones.

    sam2 multiplies complex numbers, of which a pair of neighbouring channels is one; with the same order for queries
    and keys their products stay what they are.
    """

    def __init__(self, projection: nn.Linear, scale: float = 1.0) -> None:
        super().__init__()
        width = projection.out_features
        order = torch.cat([torch.arange(0, width, 2), torch.arange(1, width, 2)])
        self.register_buffer("weight", (projection.weight.detach()[order] * scale).T.contiguous())
        self.register_buffer("bias", projection.bias.detach()[order] * scale)

    def forward(self, tokens: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return (..., N, D) of tokens (..., N, C) turned by angles (N, D / 2)."""
        even, odd = self.plain(tokens).chunk(2, -1)
        return torch.cat([even * cosine - odd * sine, even * sine + odd * cosine], -1)

    def plain(self, tokens: Tensor) -> Tensor:
        """Return the projection alone, in the same order of channels."""
        return torch.matmul(tokens, self.get_buffer("weight")) + self.get_buffer("bias")


class FoldedReader(nn.Module):
    """The same as `MemoryReader` in a form to be compiled: real numbers, a number of memories that may be filled up.

    `softmax(Q K') (M V + b) O = (softmax(Q K') M) (V O) + b O + c`, so that values stay as slim as memories are.
    """

    def __init__(self, sam: SAM2Base) -> None:
        super().__init__()
        layers = self.layers = sam.memory_attention.layers
        self.norm = sam.memory_attention.norm
        first: RoPEAttention = layers[0].self_attn
        if first.num_heads != 1 or first.internal_dim != first.embedding_dim:
            raise ValueError("expected memory attention of one head, as wide as the features")
        side = sam.image_size // sam.backbone_stride
        turned = cast("Callable[..., Tensor]", first.compute_cis)
        angles = turned(end_x=side, end_y=side)  # those of the module belong to another size of input
        self.register_buffer("cosine", angles.real.float().contiguous())
        self.register_buffer("sine", angles.imag.float().contiguous())
        self.register_buffer("places", place_code(sam))
        self.register_buffer("memory_places", memory_place_code(sam))
        scale = float(first.internal_dim) ** -0.5
        self.own_queries = nn.ModuleList(Rotated(layer.self_attn.q_proj, scale) for layer in layers)
        self.own_keys = nn.ModuleList(Rotated(layer.self_attn.k_proj) for layer in layers)
        self.queries = nn.ModuleList(Rotated(layer.cross_attn_image.q_proj, scale) for layer in layers)
        self.keys = nn.ModuleList(Rotated(layer.cross_attn_image.k_proj) for layer in layers)
        for number, layer in enumerate(layers):
            out, value = layer.cross_attn_image.out_proj, layer.cross_attn_image.v_proj
            with torch.no_grad():
                self.register_buffer(f"value_{number}", (out.weight @ value.weight).T.contiguous())
                self.register_buffer(f"value_bias_{number}", out.weight @ value.bias + out.bias)

    def forward(self, features: Tensor, *layout: Tensor) -> Tensor:
        """Return the frame's features with what they took from the memories, (N, C).

        Args:
            features: (N, C), the frame's own.
            layout: the parts of a `memory.Layout`.
        """
        memory, code, pointers, pointer_code, counts = layout
        cosine, sine = self.get_buffer("cosine"), self.get_buffer("sine")
        tokens = features + 0.1 * self.get_buffer("places")
        placed = memory + self.get_buffer("memory_places") + code.unsqueeze(1)
        placed_pointers = pointers + pointer_code
        values = torch.cat([memory.flatten(0, 1), pointers]) * counts
        ones = torch.ones_like(features[:, :1])
        for number, layer in enumerate(self.layers):
            seen = layer.norm1(tokens)
            own_values = layer.self_attn.v_proj(seen)
            queries = self.own_queries[number](seen, cosine, sine)
            taken = blockwise(queries, self.own_keys[number](seen, cosine, sine), own_values, ones)
            tokens = tokens + layer.self_attn.out_proj(taken)
            seen = layer.norm2(tokens)
            keys = self.keys[number](placed, cosine, sine).flatten(0, 1)
            turn = cast("Rotated", self.keys[number])
            keys = torch.cat([keys, turn.plain(placed_pointers)])
            taken = blockwise(self.queries[number](seen, cosine, sine), keys, values, counts)
            tokens = tokens + torch.matmul(taken, self.get_buffer(f"value_{number}"))
            tokens = tokens + self.get_buffer(f"value_bias_{number}")
            tokens = tokens + layer.linear2(functional.relu(layer.linear1(layer.norm3(tokens))))
        result: Tensor = self.norm(tokens)
        return result


def blockwise(queries: Tensor, keys: Tensor, values: Tensor, counts: Tensor) -> Tensor:
    """Return values averaged by the softmax of their scores, some queries at a time to bound the memory.

    Args:
        queries: (N, D), scaled.
        keys: (M, D).
        values: (M, E), 0 where `counts` is.
        counts: (M, 1), 0 for a key that is left out, 1 for the others.
    """
    turned = keys.transpose(0, 1)
    parts = []
    for start in range(0, queries.shape[0], BLOCK):
        scores = torch.matmul(queries[start : start + BLOCK], turned)
        weights = (scores - scores.amax(-1, keepdim=True)).exp()
        parts.append(torch.matmul(weights, values) / torch.matmul(weights, counts))
    return torch.cat(parts)


class TrackHead(nn.Module):
    """From a frame's features, after they looked at memories, to masks, the object's presence and its pointers."""

    def __init__(self, sam: SAM2Base, decoder: ReassociatedDecoder) -> None:
        super().__init__()
        self.decoder = decoder
        self.presence = sam.sam_mask_decoder.pred_obj_score_head
        self.pointer = sam.obj_ptr_proj

    def forward(
        self,
        features: Tensor,
        maps: tuple[Tensor, Tensor],
        prompt: tuple[Tensor, Tensor, Tensor | None],
        first_mask: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return logits (1, K, 4 h, 4 w), predicted IoU (1, K), presence (1, 1) and pointers (1, 4, C).

        Args:
            features: (N, C).
            maps: `fine` and `middle` of `ImageTerms`.
            prompt: its tokens, what tells padding apart, and logits to refine or None, as of `ReassociatedDecoder`.
            first_mask: 0 for all four masks, 1 for the three candidates alone.
        """
        tokens, padding, mask = prompt
        terms = self.decoder.terms_of(features.unsqueeze(0), *maps)
        queries, picture = self.decoder.settled(terms, tokens, padding, mask)
        logits, scores = self.decoder.answered(terms, queries, picture, first_mask)
        masks = queries[:, FIRST_MASK_TOKEN : FIRST_MASK_TOKEN + MASK_TOKENS]
        return logits, scores, self.presence(queries[:, 0]), self.pointer(masks)


class MemoryWriter(nn.Module):
    """sam2's memory encoder, from a mask's logits on the grid or from a mask that a person made."""

    def __init__(self, sam: SAM2Base, *, from_logits: bool) -> None:
        super().__init__()
        self.encoder = sam.memory_encoder
        self.from_logits = from_logits
        self.side = int(sam.image_size)
        self.grid = self.side // int(sam.backbone_stride)
        self.scale, self.bias = float(sam.sigmoid_scale_for_mem_enc), float(sam.sigmoid_bias_for_mem_enc)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """Return a memory's features, (N, D).

        Args:
            features: (N, C), the frame's own.
            mask: (1, 1, 4 h, 4 w) logits; or (1, 1, S, S), 1 on the object and 0 elsewhere.
        """
        if self.from_logits:
            size = (self.side, self.side)
            mask = functional.interpolate(mask, size=size, mode="bilinear", align_corners=False).sigmoid()
        picture = features.transpose(0, 1).reshape(1, features.shape[1], self.grid, self.grid)
        encoder = self.encoder
        seen = encoder.pix_feat_proj(picture) + encoder.mask_downsampler(mask * self.scale + self.bias)
        result: Tensor = encoder.out_proj(encoder.fuser(seen))
        return result[0].flatten(1).transpose(0, 1)
