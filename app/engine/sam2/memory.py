"""What SAM 2.1 remembers of an object on a frame, and how memories are laid out for its attention. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.memory_bank import MemoryBank, memory_of_kind
from app.engine.sam2.stored_table import StoredTable

Table = NDArray[np.float32]
Bits = NDArray[np.uint16]
"""bfloat16, which NumPy doesn't know, as the upper half of float32."""
WAVELENGTH = 10000
"""The longest of the sines that a distance is coded by."""


@dataclass(frozen=True, eq=False)
class SpatialMemory:
    """What is remembered of an object on one frame; fulfils `memory_bank.Memory`.

    Attributes:
        features: (N, D) bits of bf16, row by row of the frame's grid. sam2 keeps them so too.
        pointer: (C,) float32, what the object is as one vector.
        is_empty: whether the object wasn't to be seen.
    """

    features: Bits
    pointer: Table
    is_empty: bool

    @property
    def nbytes(self) -> int:
        """Bytes that it holds in memory."""
        return int(self.features.nbytes + self.pointer.nbytes)


class Layout(NamedTuple):
    """Memories and pointers as attention reads them: M memories of N cells, P tokens of pointers, D channels.

    Attributes:
        memory: (M, N, D) float32.
        code: (M, D) float32, how far away each is; the code of a cell's place is the model's own.
        pointers: (P, D) float32.
        pointer_code: (P, D) float32.
        counts: (M * N + P, 1) float32, 0 where a cell or token only fills up, 1 elsewhere.
    """

    memory: Table
    code: Table
    pointers: Table
    pointer_code: Table
    counts: Table


@dataclass(frozen=True, eq=False)
class MemoryTable(StoredTable):
    """The learned values of a model's memory that are used outside of its modules. C channels, D of a memory.

    Attributes:
        temporal: (7, D), the codes of memories 1 to 6 frames before, and of one that was prompted.
        pointer_weight: (D, C), projects the code of a pointer's distance.
        pointer_bias: (D,).
        no_object: (D,), added to each cell of a frame on which the object isn't to be seen.
        no_pointer: (C,), the pointer of such a frame.
        no_memory: (C,), what an embedding has besides the frame's own features, where no memory is looked at.
        no_mask: (C,), and what it has since no mask was given.
        mask_weight: (4, 4), by which a mask that a person made becomes logits.
        mask_bias: (1,).
    """

    temporal: Table
    pointer_weight: Table
    pointer_bias: Table
    no_object: Table
    no_pointer: Table
    no_memory: Table
    no_mask: Table
    mask_weight: Table
    mask_bias: Table

    def plain_features(self, tokens: Table) -> Table:
        """Return a frame's own features (N, C), of its tokens in the decoder's terms."""
        result: Table = tokens - (self.no_memory + self.no_mask)
        return result

    def mask_logits(self, mask: Table) -> Table:
        """Return the logits (S / 4, S / 4) by which a prompt tells a mask (S, S) of 0 and 1."""
        step = len(self.mask_weight)
        cells = mask.reshape(mask.shape[0] // step, step, mask.shape[1] // step, step)
        logits: Table = (np.einsum("ajbk,jk->ab", cells, self.mask_weight) + self.mask_bias).astype(np.float32)
        return logits

    def memory_of(self, features: Table, pointer: Table, *, is_present: bool, is_empty: bool) -> SpatialMemory:
        """Return what to keep of a frame.

        Args:
            features: (N, D) float32, as the memory encoder made them.
            pointer: (C,) float32.
            is_present: whether the model is sure that the object is to be seen.
            is_empty: whether its mask is empty.
        """
        if not is_present:
            features, pointer = features + self.no_object, self.no_pointer
        return SpatialMemory(bits_of(features), pointer.astype(np.float32), is_empty)

    def layout(self, bank: MemoryBank, slots: int = 0, pointer_slots: int = 0) -> Layout:
        """Return a bank for the attention.

        Args:
            bank: at least one memory.
            slots: memories to fill up to, repeating the first, so that no score becomes larger by it.
            pointer_slots: pointers to fill up to.

        Raises:
            TypeError: a memory is another model's.
        """
        kept = [memory_of_kind(SpatialMemory, placed) for placed in bank.memories]
        memory = np.stack([floats_of(one.features) for one in kept])
        places = [-1 if placed.conditioning else placed.distance - 1 for placed in bank.memories]
        pointers, code = self._pointers(bank)
        per_pointer = self.no_pointer.size // self.no_object.size
        lacking = max(0, slots - len(memory))
        tokens_lacking = max(0, pointer_slots * per_pointer - len(pointers))
        cells = memory.shape[1]
        counts = np.ones(((len(memory) + lacking) * cells + len(pointers) + tokens_lacking, 1), np.float32)
        counts[len(memory) * cells : (len(memory) + lacking) * cells] = 0
        counts[len(counts) - tokens_lacking :] = 0
        return Layout(
            filled(memory, lacking),
            filled(self.temporal[places], lacking),
            filled(pointers, tokens_lacking),
            filled(code, tokens_lacking),
            counts,
        )

    def _pointers(self, bank: MemoryBank) -> tuple[Table, Table]:
        """Return the tokens of a bank's pointers and their codes, (P, D) each; a pointer is C / D tokens."""
        depth = self.no_object.size
        kept = [memory_of_kind(SpatialMemory, placed) for placed in bank.pointers]
        pointers = [one.pointer.reshape(-1, depth) for one in kept]
        if not pointers:
            return np.zeros((0, depth), np.float32), np.zeros((0, depth), np.float32)
        distances = np.array([placed.distance for placed in bank.pointers], np.float32) / np.float32(bank.span)
        code = sines(distances, self.no_pointer.size) @ self.pointer_weight.T + self.pointer_bias
        return np.concatenate(pointers), np.repeat(code, len(pointers[0]), axis=0).astype(np.float32)


def filled(rows: Table, lacking: int) -> Table:
    """Return rows (n, ...) with so many more behind, repeating the first; zeros where there is none."""
    if not lacking:
        return rows
    first = rows[:1] if len(rows) else np.zeros((1, *rows.shape[1:]), np.float32)
    return np.concatenate([rows, np.repeat(first, lacking, axis=0)])


def sines(positions: Table, width: int) -> Table:
    """Return sam2's sine code of positions (n,), (n, width) float32."""
    half = width // 2
    period = np.float32(WAVELENGTH) ** (2 * (np.arange(half, dtype=np.float32) // 2) / half)
    angle = positions[:, None] / period.astype(np.float32)
    code: Table = np.concatenate([np.sin(angle), np.cos(angle)], -1).astype(np.float32)
    return code


def bits_of(values: Table) -> Bits:
    """Return float32 as bits of bf16, rounded to the nearest, even ones where two are as near."""
    words = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (words + np.uint32(0x7FFF) + ((words >> 16) & 1)) >> 16
    bits: Bits = rounded.astype(np.uint16)
    return bits


def floats_of(bits: NDArray[Any]) -> Table:
    """Return bits of bf16 as float32."""
    values: Table = (bits.astype(np.uint32) << 16).view(np.float32)
    return values
