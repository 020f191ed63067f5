"""The two halves of SAM 2.1 in the form that is compiled: fixed shapes, tensors in and tensors out.

torch here; nothing of OpenVINO. What a graph reads and writes is told by `Variant`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from app.engine.openvino.variants import Variant
from app.engine.sam2.features import picture_features
from app.engine.sam2.image_encoder import WindowedEncoder, has_nested_windows
from app.engine.sam2.mask_decoder import ImageTerms, ReassociatedDecoder
from app.engine.sam2.memory_modules import TrackHead

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base


class EncoderGraph(nn.Module):
    """From normalised pixels to the terms that the decoder keeps of a picture."""

    def __init__(self, sam: SAM2Base, decoder: ReassociatedDecoder, kept: torch.dtype) -> None:
        """Args: the model, its decoder, and the precision of the terms."""
        super().__init__()
        self.sam, self.decoder, self.kept = sam, decoder, kept
        self.encoder = WindowedEncoder(sam) if has_nested_windows(sam.image_encoder.trunk) else None

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Return the six `ImageTerms` of (1, 3, S, S) pixels."""
        if self.encoder is not None:
            terms = self.decoder.terms_of(*self.encoder(pixels))
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


class HeadGraph(nn.Module):
    """From a frame's features, after they looked at memories, and one prompt to masks, presence and pointers."""

    def __init__(self, head: TrackHead, variant: Variant) -> None:
        super().__init__()
        self.head, self.variant = head, variant

    def forward(self, features: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return logits (1, K, h, w), scores (1, K), presence (1, 1) and pointers (1, 4, C).

        Args:
            features: (N, C) float32.
            inputs: `fine` and `middle` as they are kept of a picture, the prompt's tokens, what tells padding apart,
                and logits to refine where the variant does.
        """
        fine, middle, tokens, padding, *mask = inputs
        prompt = tokens, padding, mask[0] if mask else None
        found: tuple[Tensor, ...] = self.head(features, (fine.float(), middle.float()), prompt, self.variant.first_mask)
        return found
