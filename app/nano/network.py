"""`nano` while it learns: sam2's own modules run batch-wise at any input size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor, nn

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

LOCATION_GAIN = 1.5
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
TRAINED = ("image_encoder", "sam_", "no_mem_embed")
"""Prefixes of the parameters that pictures use; memory modules keep their first values."""


@dataclass(frozen=True)
class Features:
    """What a batch of pictures becomes: (B, 128, s, s), (B, 16, 4s, 4s) and (B, 32, 2s, 2s)."""

    embedding: Tensor
    fine: Tensor
    middle: Tensor

    def at(self, index: Tensor) -> Features:
        """Return the features of the pictures numbered by `index`, one per prompt."""
        return Features(self.embedding[index], self.fine[index], self.middle[index])

    def widened(self) -> Features:
        """Return the features in float32."""
        return Features(self.embedding.float(), self.fine.float(), self.middle.float())


class Network:
    """A SAM 2.1 of nano's configuration and the two halves of its work."""

    def __init__(self, config: Path) -> None:
        """Build the model of a configuration with fresh weights that look where a click is."""
        self.model: Any = instantiate(OmegaConf.load(config).model, _recursive_=True)
        look_at_the_click(self.model)
        self.keep_still(0)
        self.mean = torch.tensor(MEAN).view(1, 3, 1, 1)
        self.deviation = torch.tensor(DEVIATION).view(1, 3, 1, 1)

    def named_parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Return what is trained, with its name."""
        return [(name, value) for name, value in self.model.named_parameters() if name.startswith(TRAINED)]

    def parameters(self) -> list[nn.Parameter]:
        """Return what is trained."""
        return [value for _, value in self.named_parameters()]

    def resize(self, size: int) -> None:
        """Work on pictures of `size` x `size` pixels from now on."""
        encoder = self.model.sam_prompt_encoder
        encoder.image_embedding_size = (size // 16, size // 16)
        encoder.input_image_size = (size, size)
        encoder.mask_input_size = (size // 4, size // 4)

    def keep_still(self, blocks: int) -> None:
        """Keep the weights of the trunk's stem and of its first blocks as they are; the others learn."""
        self.still_blocks = blocks
        trunk = self.model.image_encoder.trunk
        trunk.requires_grad_(False)
        trunk.blocks[blocks:].requires_grad_(True)

    def encode(self, images: Tensor) -> Features:
        """Return the features of (B, 3, n, n) pictures in [0, 1], in float32."""
        pixels = ((images - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        maps = self._trunk_maps(pixels)
        decoder = self.model.sam_mask_decoder
        with torch.autocast("cpu", torch.bfloat16):
            (fine, middle, coarse, _), _ = self.model.image_encoder.neck(maps)
            embedding = coarse + self.model.no_mem_embed.view(1, -1, 1, 1)
            return Features(embedding, decoder.conv_s0(fine), decoder.conv_s1(middle)).widened()

    def _trunk_maps(self, pixels: Tensor) -> list[Tensor]:
        """Return the trunk's feature maps, finest first.

        Blocks that learn run in float32: they filter channel by channel, which in bfloat16 takes twice as long
        backwards.
        """
        trunk = self.model.image_encoder.trunk
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            features = trunk.first(pixels)
        maps = []
        for number, block in enumerate(trunk.blocks):
            learns = number >= self.still_blocks
            gradients = torch.set_grad_enabled(learns and torch.is_grad_enabled())
            with gradients, torch.autocast("cpu", torch.bfloat16, enabled=not learns):
                features = block(features.float() if learns else features)
            if number in trunk.map_blocks:
                maps.append(features)
        return maps

    def decode(self, features: Features, points: Tensor, labels: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return logits (B, 4, 4s, 4s), the single mask first, and predicted IoU (B, 4).

        Args:
            features: one picture's per prompt.
            points: (B, N, 2) input pixels.
            labels: (B, N) int32: 1 on, 0 off, 2 and 3 a box's corners, -1 padding.
            mask: (B, 1, 4s, 4s) logits to refine, or None.
        """
        encoder = self.model.sam_prompt_encoder
        sparse, dense = encoder(points=(points, labels), boxes=None, masks=mask)
        logits, scores, _, _ = self.model.sam_mask_decoder.predict_masks(
            image_embeddings=features.embedding,
            image_pe=encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            repeat_image=False,
            high_res_features=[features.fine, features.middle],
        )
        return logits, scores


def look_at_the_click(model: SAM2Base) -> None:
    """Give queries and keys of token-to-image attention the same orthogonal weights.

    The random Fourier code of positions then makes a click's token attend to the click's place before anything
    is learned.
    """
    transformer = model.sam_mask_decoder.transformer
    layers = transformer.layers
    looks = [
        layers[0].cross_attn_token_to_image,
        layers[1].cross_attn_token_to_image,
        transformer.final_attn_token_to_image,
    ]
    for look in looks:
        weight = torch.empty_like(look.q_proj.weight)
        nn.init.orthogonal_(weight, LOCATION_GAIN)
        with torch.no_grad():
            for projection in (look.q_proj, look.k_proj):
                projection.weight.copy_(weight)
                projection.bias.zero_()
