"""SAM 2.1 on torch: sam2's own modules on any device, in float32. The reference that other engines are held to.

The computation is that of `sam2.SAM2ImagePredictor`, which keeps one picture inside itself and is fixed to a
1024 pixel input; here a picture's features live in a `TorchEmbedding` outside of the model.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from app.engine.contract import Candidates, Embedding, Image, Prompt
from app.engine.loader import load_model
from app.engine.manifest import ModelEntry
from app.engine.prompts import batches, stacked_mask_logits, tokens
from app.errors import EngineFailedError

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

MAX_BATCH = 4
"""Prompts decoded at once. On a CPU 4 take as long as one by one, and 16 take 1.6 times that."""
MAX_LOGIT = 32.0
PIXEL_MEAN = (0.485, 0.456, 0.406)
PIXEL_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, eq=False)
class TorchEmbedding:
    """The features of one picture.

    Attributes:
        size_hw: height and width of the picture in pixels.
        image_embed: (1, C, S/16, S/16) float32, S the side of the model's input.
        high_res_features: (1, C/8, S/4, S/4) and (1, C/4, S/8, S/8) float32.
    """

    size_hw: tuple[int, int]
    image_embed: Tensor
    high_res_features: tuple[Tensor, ...]

    @property
    def nbytes(self) -> int:
        """Bytes that the features hold in memory."""
        return sum(feature.nbytes for feature in (self.image_embed, *self.high_res_features))

    def to_bytes(self) -> bytes:
        """Return the embedding as bytes for the disk."""
        file = io.BytesIO()
        features = [feature.cpu() for feature in (self.image_embed, *self.high_res_features)]
        torch.save({"size_hw": self.size_hw, "features": features}, file)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, device: str = "cpu") -> TorchEmbedding:
        """Return the embedding that `to_bytes` wrote; the bytes are read as tensors, never as code.

        Raises:
            EngineFailedError: the bytes are damaged; encode the picture again.
        """
        try:
            state = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
            image_embed, *high_res_features = state["features"]
            height, width = state["size_hw"]
        except Exception as error:  # the unpickler raises whatever the bytes lead it to
            raise EngineFailedError("a stored embedding is damaged; encode the picture again") from error
        return cls((height, width), image_embed, tuple(high_res_features))


class TorchEngine:
    """A SAM 2.1 model on a torch device; fulfils `contract.Engine`."""

    def __init__(self, name: str, model: SAM2Base, device: str) -> None:
        """Args: the model's name, the model in evaluation mode, and the device that it is on."""
        self.model = name
        self.device = device
        self._sam = model
        with torch.inference_mode():
            self._image_pe = model.sam_prompt_encoder.get_dense_pe()

    @torch.inference_mode()
    def encode(self, image: Image) -> TorchEmbedding:
        """Return the embedding of a picture; see `contract.Engine.encode`."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
            raise ValueError(f"a picture must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
        sam = self._sam
        with _device_failures("encode a picture"):
            levels = sam.forward_image(model_input(image, sam.image_size).to(self.device))["backbone_fpn"]
            *high_res_features, image_embed = levels[-sam.num_feature_levels :]
            if sam.directly_add_no_mem_embed:
                image_embed = image_embed + sam.no_mem_embed.reshape(1, -1, 1, 1)
        return TorchEmbedding((image.shape[0], image.shape[1]), image_embed, tuple(high_res_features))

    @torch.inference_mode()
    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Return one `Candidates` per prompt, in order; see `contract.Engine.decode`."""
        if not isinstance(embedding, TorchEmbedding):
            raise TypeError(f"this engine decodes a TorchEmbedding, got {type(embedding).__name__}")
        found: dict[int, Candidates] = {}
        for batch in batches(prompts, MAX_BATCH):
            found.update(zip(batch, self._decode_batch(embedding, [prompts[index] for index in batch]), strict=True))
        return [found[index] for index in range(len(prompts))]

    def _decode_batch(self, embedding: TorchEmbedding, prompts: list[Prompt]) -> list[Candidates]:
        """Decode prompts of equal shape in one call of the model."""
        sam = self._sam
        coords_xy, labels = tokens(prompts, embedding.size_hw, sam.image_size)
        mask_logits = stacked_mask_logits(prompts, sam.sam_prompt_encoder.mask_input_size)
        with _device_failures("decode a prompt"):
            masks = None if mask_logits is None else torch.from_numpy(mask_logits).to(self.device)
            points = (torch.from_numpy(coords_xy).to(self.device), torch.from_numpy(labels).to(self.device))
            sparse, dense = sam.sam_prompt_encoder(points=points, boxes=None, masks=masks)
            logits, scores, _, _ = sam.sam_mask_decoder(
                image_embeddings=embedding.image_embed,
                image_pe=self._image_pe,
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=prompts[0].multimask,
                repeat_image=len(prompts) > 1,
                high_res_features=list(embedding.high_res_features),
            )
            return candidates(logits, scores)


def load_torch_engine(entry: ModelEntry, path: Path, device: str = "cpu") -> TorchEngine:
    """Return the engine of a model.

    Args:
        entry: the model.
        path: its checkpoint, whose hash is not checked here.
        device: cpu, cuda or mps.

    Raises:
        ModelUnavailableError: the file is missing, damaged, runs code, or belongs to another architecture.
        EngineFailedError: the device has no room for the model.
    """
    return TorchEngine(entry.name, load_model(entry, path, device), device)


def model_input(image: Image, input_size: int) -> Tensor:
    """Return a picture as the model reads it: (1, 3, S, S) float32, stretched to the square and normalised.

    One channel at a time: a picture of 40 million pixels is 480 MB in float32, a channel a third of that.
    """
    size = (input_size, input_size)
    planes = []
    for channel, (mean, std) in enumerate(zip(PIXEL_MEAN, PIXEL_STD, strict=True)):
        plane = torch.from_numpy(image[:, :, channel].astype(np.float32)).div_(255)[None, None]
        plane = functional.interpolate(plane, size, mode="bilinear", align_corners=False, antialias=True)
        planes.append(plane.sub_(mean).div_(std))
    return torch.cat(planes, dim=1)


def candidates(logits: Tensor, scores: Tensor) -> list[Candidates]:
    """Return the model's output, (B, K, h, w) logits and (B, K) scores, as B `Candidates`.

    Raises:
        EngineFailedError: a score is not a number.
    """
    logits_np = logits.float().clamp(-MAX_LOGIT, MAX_LOGIT).cpu().numpy()
    scores_np = scores.float().cpu().numpy()
    if not np.isfinite(scores_np).all():
        raise EngineFailedError("the model gave a score that is not a number; try the cpu device")
    return [Candidates(logits_np[index].copy(), scores_np[index].copy()) for index in range(len(scores_np))]


@contextmanager
def _device_failures(task: str) -> Iterator[None]:
    """Turn what torch raises, such as a device that is out of memory, into `EngineFailedError`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        raise EngineFailedError(
            f"the device failed to {task} ({type(error).__name__}); try again, or choose a smaller model"
        ) from error
