"""Following an object by SAM 2.1's memory, whatever computes its stages. NumPy only.

The results are those of `sam2.SAM2VideoPredictor` as sam2 builds it, which keeps the state of one video inside itself.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from app.arrays import Logits, MaskArray
from app.engine.contract import Candidates, Embedding, Prompt, Tracked
from app.engine.memory_bank import MemoryBank
from app.engine.sam2.memory import Layout, MemoryTable, SpatialMemory, Table
from app.engine.sam2.prompt_tokens import PromptTable
from app.engine.sam2.prompts import shape_of, stacked_mask_logits, tokens
from app.engine.sam2.selection import MAX_LOGIT, clipped, kept_masks

CELL_PX: Final = 4
"""Pixels of a model's input for one cell of the logit grid."""

GIVEN_LOGIT: Final = np.float32(10)
"""Of a cell that lies in a mask that a person made, and minus that of one outside."""


class HeadAnswer(NamedTuple):
    """What the mask decoder says of one prompt.

    Attributes:
        logits: (K, h, w) float32, of all four masks or of the three candidates.
        scores: (K,) predicted IoU.
        presence: above 0 where the object is to be seen.
        pointers: (4, C), one of each mask.
    """

    logits: Logits
    scores: NDArray[np.float32]
    presence: float
    pointers: Table


class Stages(Protocol):
    """The parts of SAM 2.1's memory on a device. N cells of C channels a frame."""

    def tokens(self, embedding: Embedding) -> Table:
        """Return the tokens (N, C) of the terms that the decoder keeps of a frame, float32."""
        ...

    def layout(self, bank: MemoryBank) -> Layout:
        """Return the memories of a bank, filled up as `read` wants them."""
        ...

    def read(self, features: Table, layout: Layout) -> Table:
        """Return a frame's features (N, C) with what they took from memories."""
        ...

    def head(
        self, embedding: Embedding, features: Table, prompt: Table, mask: Logits | None, *, multimask: bool
    ) -> HeadAnswer:
        """Return what the decoder finds.

        Args:
            embedding: the frame's.
            features: (N, C), the frame's, with what they took from memories.
            prompt: (1, T, C), its tokens.
            mask: (1, 1, h, w) logits to refine, or None.
            multimask: True asks for the candidates alone, False for all four masks.
        """
        ...

    def write(self, features: Table, mask: Table, *, from_logits: bool) -> Table:
        """Return the features of a memory, (N, D).

        Args:
            features: (N, C), the frame's own.
            mask: (h, w) logits; or (S, S), 1 on the object and 0 elsewhere.
            from_logits: which of both.
        """
        ...


class MemoryTracker:
    """Follows objects by SAM 2.1's memory; see `contract.TrackingEngine` for what its methods take and return."""

    def __init__(self, stages: Stages, table: MemoryTable, prompts: PromptTable) -> None:
        """Args: the model's parts, and the learned values of its memory and prompts."""
        self._stages, self._table, self._prompts = stages, table, prompts
        self._side = int(prompts.input_size[0])
        self._grid_hw = (self._side // CELL_PX, self._side // CELL_PX)

    def track(self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None, pick: int | None) -> Tracked:
        """Return one object on one frame."""
        frame_tokens = self._stages.tokens(embedding)
        features = self._table.plain_features(frame_tokens)
        if bank.memories:
            seen = self._stages.read(features, self._stages.layout(bank))
        elif prompt is None:
            raise ValueError("track needs a memory or a prompt, got neither")
        else:
            seen = frame_tokens - self._table.no_mask
        multimask = prompt is None or prompt.multimask
        answer = self._asked(embedding, seen, prompt, multimask=multimask)
        kept = kept_masks(answer.logits, answer.scores, multimask=multimask)
        found, logits = clipped(answer.logits[kept], answer.scores[kept]), answer.logits[kept]
        index = found.best if pick is None else pick
        if not 0 <= index < len(logits):
            raise ValueError(f"this prompt has {len(logits)} candidates, got candidate {index}; count from 0")
        is_present = answer.presence > 0
        if not is_present:
            found = Candidates(np.full_like(found.logits, -MAX_LOGIT), found.scores)
            logits = found.logits
        written = self._written(features, logits[index], is_prompted=prompt is not None)
        pointer = answer.pointers[1 + index] if multimask else answer.pointers[0]
        is_empty = not bool((found.logits[index] > 0).any())
        memory = self._table.memory_of(written, pointer, is_present=is_present, is_empty=is_empty)
        return Tracked(found, index, answer.presence, memory)

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> SpatialMemory:
        """Return what to remember of an object whose mask is known."""
        features = self._table.plain_features(self._stages.tokens(embedding))
        mask = stretched(mask_hw, self._side)
        logits = self._table.mask_logits(mask)[None, None]
        answer = self._stages.head(embedding, features, self._prompts.nothing(), logits, multimask=False)
        is_present = bool(mask.any())
        # sam2 keeps a given mask on the logit grid, and it is remembered as it looks from there
        coarse = resized(2 * GIVEN_LOGIT * mask - GIVEN_LOGIT, self._grid_hw[0])
        written = self._written(features, coarse, is_prompted=True)
        pointer = answer.pointers[0] if answer.presence > 0 else self._table.no_pointer
        return self._table.memory_of(written, pointer, is_present=is_present, is_empty=not is_present)

    def _asked(self, embedding: Embedding, seen: Table, prompt: Prompt | None, *, multimask: bool) -> HeadAnswer:
        if prompt is None:
            return self._stages.head(embedding, seen, self._prompts.nothing(), None, multimask=True)
        shape_of(prompt)
        prompt_tokens = self._prompts.tokens(*tokens([prompt], embedding.size_hw, self._side))
        mask = stacked_mask_logits([prompt], self._grid_hw)
        return self._stages.head(embedding, seen, prompt_tokens, mask, multimask=multimask)

    def _written(self, features: Table, logits: Logits, *, is_prompted: bool) -> Table:
        """Return a memory's features; a prompted mask goes in as it is seen, without doubt at its rim."""
        if not is_prompted:
            return self._stages.write(features, logits, from_logits=True)
        mask = (enlarged(logits, self._side) > 0).astype(np.float32)
        return self._stages.write(features, mask, from_logits=False)


def stretched(mask_hw: MaskArray, side: int) -> Table:
    """Return a mask stretched over a model's square input, (side, side) float32, 1 on the object and 0 elsewhere."""
    share = resized(mask_hw.astype(np.float32), side)
    half: Table = (share >= 0.5).astype(np.float32)
    return half


def resized(values: Table, side: int) -> Table:
    """Return values (H, W) on a square grid (side, side), averaged where that is coarser."""
    if values.shape == (side, side):
        return values
    result: Table = np.asarray(Pil.fromarray(values).resize((side, side), Pil.Resampling.BILINEAR))
    return result


def enlarged(logits: Logits, side: int) -> Table:
    """Return logits (h, w) enlarged to (side, side), linearly between the centres of their cells."""
    rows, columns = (between(count, side) for count in logits.shape)
    result: Table = (rows @ logits @ columns.T).astype(np.float32)
    return result


def between(count: int, size: int) -> Table:
    """Return the shares (size, count) that cells have in the pixels of a line, those beyond the outer ones as these."""
    place = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1).astype(np.float32)
    first = np.minimum(place.astype(int), count - 1)
    shares = np.zeros((size, count), np.float32)
    line = np.arange(size)
    np.add.at(shares, (line, first), 1 - (place - first))
    np.add.at(shares, (line, np.minimum(first + 1, count - 1)), place - first)
    return shares
