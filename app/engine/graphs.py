"""The two halves of SAM 2.1 in the form that is compiled: fixed shapes, tensors in and tensors out.

torch here; nothing of OpenVINO. What a graph reads and writes is told by `Variant`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from app.engine.prompt_tokens import PromptTable, Table
from app.engine.reassociated import ImageTerms, ReassociatedDecoder
from app.engine.variants import Variant
from app.engine.windowed import WindowedEncoder, has_nested_windows

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base


class EncoderGraph(nn.Module):
    """From normalised pixels to the terms that the decoder keeps of a picture."""

    def __init__(self, sam: SAM2Base, decoder: ReassociatedDecoder, kept: torch.dtype) -> None:
        """Args: the model, its decoder, and the precision of the terms."""
        super().__init__()
        self.sam, self.decoder, self.kept = sam, decoder, kept
        self.windowed = WindowedEncoder(sam) if has_nested_windows(sam.image_encoder.trunk) else None

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Return the six `ImageTerms` of (1, 3, S, S) pixels."""
        if self.windowed is not None:
            terms = self.decoder.terms_of(*self.windowed(pixels))
        else:
            terms = self.decoder.image_terms(*picture_features(self.sam, pixels))
        return tuple(term.to(self.kept) for term in terms)


class DecoderGraph(nn.Module):
    """From a picture's terms and one prompt of a fixed number of tokens to logits and scores."""

    def __init__(self, decoder: ReassociatedDecoder, variant: Variant) -> None:
        super().__init__()
        self.decoder, self.variant = decoder, variant

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (1, K, h, w) and scores (1, K).

        Args:
            inputs: the six `ImageTerms`, the prompt's tokens, what tells padding apart, and logits to refine where
                the variant does.
        """
        terms = ImageTerms(*(term.float() for term in inputs[: len(ImageTerms._fields)]))
        prompt, padding, *mask = inputs[len(ImageTerms._fields) :]
        logits, scores = self.decoder(terms, prompt, padding, mask[0] if mask else None, self.variant.first_mask)
        return logits, scores


def picture_features(sam: SAM2Base, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what sam2 keeps of (B, 3, S, S) pixels: (B, C, S/16, S/16), (B, C/8, S/4, S/4), (B, C/4, S/8, S/8)."""
    levels = sam.forward_image(pixels)["backbone_fpn"]
    fine, middle, image_embed = levels[-sam.num_feature_levels :]
    if sam.directly_add_no_mem_embed:
        image_embed = image_embed + sam.no_mem_embed.reshape(1, -1, 1, 1)
    return image_embed, fine, middle


def prompt_table(sam: SAM2Base) -> PromptTable:
    """Return the learned values of a model's prompt tokens."""
    encoder, decoder = sam.sam_prompt_encoder, sam.sam_mask_decoder
    outputs = [decoder.obj_score_token, decoder.iou_token, decoder.mask_tokens]

    def numbers(*parts: Tensor) -> Table:
        return torch.cat([part.detach().float().cpu() for part in parts]).numpy()

    return PromptTable(
        outputs=numbers(*(part.weight for part in outputs)),
        labels=numbers(*(part.weight for part in encoder.point_embeddings)),
        no_point=numbers(encoder.not_a_point_embed.weight),
        frequencies=numbers(encoder.pe_layer.positional_encoding_gaussian_matrix),
        input_size=np.array([encoder.input_image_size[0]], np.float32),
    )
