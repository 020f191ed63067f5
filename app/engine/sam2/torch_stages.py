"""The parts of SAM 2.1's memory on torch; fulfils `tracker.Stages`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.arrays import Logits
from app.engine.contract import Embedding
from app.engine.failures import device_failures
from app.engine.memory_bank import MemoryBank
from app.engine.sam2.features import prompt_table
from app.engine.sam2.mask_decoder import ImageTerms, ReassociatedDecoder
from app.engine.sam2.memory import Layout, Table
from app.engine.sam2.memory_modules import MemoryReader, MemoryWriter, TrackHead, memory_table
from app.engine.sam2.tracker import HeadAnswer, MemoryTracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from sam2.modeling.sam2_base import SAM2Base


class TorchStages:
    """SAM 2.1's memory by sam2's own modules."""

    def __init__(
        self, sam: SAM2Base, decoder: ReassociatedDecoder, terms_of: Callable[[Embedding], ImageTerms], device: str
    ) -> None:
        """Args: the model, its decoder, what returns the terms of an embedding, and where all this is."""
        self._table, self._device, self._terms_of = memory_table(sam), device, terms_of
        self._reader, self._head = MemoryReader(sam).eval(), TrackHead(sam, decoder).eval()
        self._writers = {kind: MemoryWriter(sam, from_logits=kind).eval() for kind in (False, True)}

    def tokens(self, embedding: Embedding) -> Table:
        """Return the tokens of a frame; see `Stages.tokens`."""
        return numbers(self._terms_of(embedding).tokens)

    def layout(self, bank: MemoryBank) -> Layout:
        """Return the memories of a bank, nothing filled up."""
        return self._table.layout(bank)

    @torch.inference_mode()
    def read(self, features: Table, layout: Layout) -> Table:
        """Return a frame's features with what they took from memories; see `Stages.read`."""
        with device_failures("look at what is remembered"):
            return numbers(self._reader(*map(self._on_device, (features, *layout[:-1]))))

    @torch.inference_mode()
    def head(
        self, embedding: Embedding, features: Table, prompt: Table, mask: Logits | None, *, multimask: bool
    ) -> HeadAnswer:
        """Return what the decoder finds; see `Stages.head`."""
        terms = self._terms_of(embedding)
        padding = self._on_device(np.zeros((1, 1, prompt.shape[1]), np.float32))
        given = None if mask is None else self._on_device(mask)
        with device_failures("find an object"):
            parts = self._on_device(prompt), padding, given
            maps = terms.fine, terms.middle
            found = self._head(self._on_device(features), maps, parts, 1 if multimask else 0)
            logits, scores, presence, pointers = (numbers(part[0]) for part in found)
        return HeadAnswer(logits, scores, float(presence[0]), pointers)

    @torch.inference_mode()
    def write(self, features: Table, mask: Table, *, from_logits: bool) -> Table:
        """Return the features of a memory; see `Stages.write`."""
        with device_failures("remember an object"):
            return numbers(self._writers[from_logits](self._on_device(features), self._on_device(mask[None, None])))

    def _on_device(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)


def numbers(tensor: Tensor) -> Table:
    """Return a tensor as an array of float32 in memory."""
    array: Table = tensor.detach().float().cpu().numpy()
    return array


def torch_tracker(
    sam: SAM2Base, decoder: ReassociatedDecoder, terms_of: Callable[[Embedding], ImageTerms], device: str
) -> MemoryTracker:
    """Return what follows objects by a model's memory, on torch; the arguments are those of `TorchStages`."""
    return MemoryTracker(TorchStages(sam, decoder, terms_of, device), memory_table(sam), prompt_table(sam))
