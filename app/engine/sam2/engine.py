"""SAM 2.1 on torch, on any device, in float32. The reference that other engines are held to.

The picture's half is sam2's own modules; the prompt's half is `mask_decoder`, which computes the same. The results are
those of `sam2.SAM2ImagePredictor`, which keeps one picture inside itself and is fixed to a 1024 pixel input; here what
is known of a picture lives in a `TorchEmbedding` outside of the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from app.arrays import ImageArray, MaskArray
from app.engine.contract import Candidates, Embedding, Prompt, Tracked
from app.engine.failures import device_failures
from app.engine.memory_bank import Memory, MemoryBank
from app.engine.sam2.edges import EdgeGuide, along_edges, edge_guide
from app.engine.sam2.features import picture_features, prompt_table
from app.engine.sam2.gaps import Gaps, WantedError
from app.engine.sam2.likeness import FeatureMaps, LikenessTracker
from app.engine.sam2.loader import load_model
from app.engine.sam2.mask_decoder import ImageTerms, ReassociatedDecoder
from app.engine.sam2.pixels import check_image, model_input
from app.engine.sam2.prompts import batches, stacked_mask_logits, tokens
from app.engine.sam2.selection import selected
from app.engine.sam2.torch_stages import numbers, torch_tracker
from app.engine.sam2.tracker import MemoryTracker
from app.weights.manifest import ModelEntry

if TYPE_CHECKING:
    from sam2.modeling.sam2_base import SAM2Base

MAX_BATCH = 4
"""Prompts decoded at once. On a CPU 4 take as long as one by one, and 16 take 1.6 times that."""


@dataclass(frozen=True, eq=False)
class TorchEmbedding:
    """What is known of one picture.

    Attributes:
        size_hw: height and width of the picture in pixels.
        terms: float32, on the engine's device.
        guide: where its edges are, None where the model needs no help with rims.
    """

    size_hw: tuple[int, int]
    terms: ImageTerms
    guide: EdgeGuide | None

    @property
    def nbytes(self) -> int:
        """Bytes that terms and guide hold in memory."""
        return sum(term.nbytes for term in self.terms) + (self.guide.nbytes if self.guide else 0)


class TorchEngine:
    """A SAM 2.1 model on a torch device; fulfils `contract.Engine`."""

    runtime = "torch"
    can_track = True

    def __init__(self, name: str, model: SAM2Base, device: str, *, has_memory: bool = True) -> None:
        """Take a model.

        Args:
            name: its name.
            model: in evaluation mode.
            device: where it is.
            has_memory: whether somebody trained its memory.
        """
        self.model = name
        self.is_rough_tracker = not has_memory
        self.device = device
        self._sam = steady(model)
        self._gaps = Gaps(model.image_encoder.trunk.blocks)
        self._decoder = ReassociatedDecoder(model).eval()
        self._table = prompt_table(model)
        self._tracker: MemoryTracker | LikenessTracker | None = None

    @property
    def logits_hw(self) -> tuple[int, int]:
        """The grid of its logits; see `contract.Engine.logits_hw`."""
        height, width = self._sam.sam_prompt_encoder.mask_input_size
        return int(height), int(width)

    @torch.inference_mode()
    def encode(self, image: ImageArray) -> TorchEmbedding:
        """Return the embedding of a picture; see `contract.Engine.encode`."""
        check_image(image)
        with device_failures("encode a picture"):
            pixels = model_input(image, self._sam.image_size)
            terms = self._decoder.image_terms(*picture_features(self._sam, self._on_device(pixels)))
        return TorchEmbedding((image.shape[0], image.shape[1]), terms, edge_guide(pixels, self.logits_hw[0]))

    def encode_while(self, image: ImageArray, is_free: Callable[[], bool]) -> TorchEmbedding | None:
        """Return the embedding of a picture that nobody waits for, or None; see `contract.Engine.encode_while`."""
        try:
            with self._gaps.asking(is_free):
                return self.encode(image)
        except WantedError:
            return None

    @torch.inference_mode()
    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Return one `Candidates` per prompt, in order; see `contract.Engine.decode`."""
        guide = own(embedding).guide
        found: dict[int, Candidates] = {}
        for batch in batches(prompts, MAX_BATCH):
            found.update(zip(batch, self._decode_batch(embedding, [prompts[index] for index in batch]), strict=True))
        return [along_edges(found[index], guide) for index in range(len(prompts))]

    def prepare_tracking(self) -> None:
        """Do nothing: the model's memory came with it."""

    def track(
        self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None = None, pick: int | None = None
    ) -> Tracked:
        """Return one object on one frame of a clip; see `contract.TrackingEngine.track`."""
        return self._following().track(embedding, bank, prompt, pick)

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> Memory:
        """Return what to remember of an object; see `contract.TrackingEngine.remember`."""
        return self._following().remember(embedding, mask_hw)

    def _following(self) -> MemoryTracker | LikenessTracker:
        """Return what follows objects, made when it is first asked for."""
        if self._tracker is None and self.is_rough_tracker:
            self._tracker = LikenessTracker(self.decode, self._feature_maps)
        elif self._tracker is None:
            self._tracker = torch_tracker(self._sam, self._decoder, terms_of, self.device)
        return self._tracker

    def close(self) -> None:
        """Do nothing: no work goes on between calls, and memory goes with the last reference."""

    def _decode_batch(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Decode prompts of equal shape in one call of the model."""
        multimask = prompts[0].multimask
        prompt = self._table.tokens(*tokens(prompts, embedding.size_hw, self._sam.image_size))
        mask_logits = stacked_mask_logits(prompts, self.logits_hw)
        padding = np.zeros((len(prompt), 1, prompt.shape[1]), np.float32)
        with device_failures("decode a prompt"):
            logits, scores = self._decoder(
                terms_of(embedding),
                self._on_device(prompt),
                self._on_device(padding),
                None if mask_logits is None else self._on_device(mask_logits),
                1 if multimask else 0,
            )
            pairs = zip(logits.cpu().numpy(), scores.cpu().numpy(), strict=True)
            return [selected(masks, iou, multimask=multimask) for masks, iou in pairs]

    def _feature_maps(self, embedding: Embedding) -> FeatureMaps:
        """Return what is kept of a frame, as a tracker by likeness reads it."""
        terms = terms_of(embedding)
        return FeatureMaps(numbers(terms.tokens) - self._table.no_mask, numbers(terms.fine), numbers(terms.middle))

    def _on_device(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def terms_of(embedding: Embedding) -> ImageTerms:
    """Return what the decoder keeps of a picture, see `own`."""
    return own(embedding).terms


def own(embedding: Embedding) -> TorchEmbedding:
    """Return an embedding of this kind of engine.

    Raises:
        TypeError: another engine made it.
    """
    if not isinstance(embedding, TorchEmbedding):
        raise TypeError(f"this engine decodes a TorchEmbedding, got {type(embedding).__name__}")
    return embedding


class SteadyConvolution(nn.Conv2d):
    """A 1 x 1 convolution as a matrix product.

    Decision: those of the picture's half are done this way. Context: on a CPU, torch's own (oneDNN's) divide the sum
    over the channels of a small map between threads, so that its last bits depend on how many there are, and the
    scheduler changes that: a picture that was encoded again had another embedding. Choice: a product that is summed in
    one order. Price: a few milliseconds of an encode.
    """

    def __init__(self, plain: nn.Conv2d) -> None:
        super().__init__(plain.in_channels, plain.out_channels, 1, device="meta")
        self.weight, self.bias = plain.weight, plain.bias

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, C, h, w) features as (B, D, h, w)."""
        return functional.linear(features.movedim(1, -1), self.weight.flatten(1), self.bias).movedim(-1, 1)


def steady(model: SAM2Base) -> SAM2Base:
    """Return the model after exchanging the 1 x 1 convolutions that a picture goes through, in place."""
    decoder = model.sam_mask_decoder
    decoder.conv_s0, decoder.conv_s1 = SteadyConvolution(decoder.conv_s0), SteadyConvolution(decoder.conv_s1)
    for parent in list(model.image_encoder.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Conv2d and child.kernel_size == (1, 1):
                setattr(parent, name, SteadyConvolution(child))
    return model


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
    return TorchEngine(entry.name, load_model(entry, path, device), device, has_memory=entry.has_memory)
