"""What sam2's modules keep of a picture, and what a prompt's tokens are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from app.engine.sam2.prompt_tokens import PromptTable, Table

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base


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
        no_mask=numbers(encoder.no_mask_embed.weight[0]),
        input_size=np.array([encoder.input_image_size[0]], np.float32),
    )
