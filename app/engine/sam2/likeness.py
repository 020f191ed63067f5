"""Following an object by the likeness of a model's own features, where nobody trained the model's memory.

A cell of a frame is as much on the object as the cells of the remembered frames that it is most like; what comes of it
is told to the model as a person would, by the box around it, its heart and its logits. It is rough: it loses what moves
far from one frame to the next, and it confuses things that look alike (`python -m app nano clips` measures it). NumPy
only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from app.arrays import Logits, MaskArray
from app.engine.contract import Candidates, Embedding, Prompt, Tracked
from app.engine.memory_bank import MemoryBank, Placed, memory_of_kind
from app.engine.sam2.memory import Table
from app.engine.sam2.selection import MAX_LOGIT
from app.engine.sam2.tracker import enlarged
from app.masks.given import SURE, box_around, heart_of
from app.masks.patches import labelled

WEIGHTS: Final = (1.0, 1.0, 0.7)
"""Of the features at strides 16, 8 and 4."""
NEIGHBOURS: Final = 8
"""Remembered cells that decide about a cell."""
TEMPERATURE: Final = 0.03
RECENT: Final = 3
"""So many frames before are looked at, besides those that were prompted; the older ones mislead more than they help."""
MAX_REMEMBERED: Final = 1024
"""Cells of a frame that are remembered: of a larger object every so many, since looking through all takes a second."""
ABOUT: Final = 0.5
"""Cells are remembered this much of an object's width and height around it."""
TRAVEL: Final = 0.35
"""So much of its width and height an object moves between two frames, at most."""
MIN_SHARE: Final = 1 / 8000
"""Of a frame; smaller patches are nothing."""


class FeatureMaps(NamedTuple):
    """What a model keeps of a frame, N cells of C channels.

    Attributes:
        coarse: (N, C).
        fine: (N, 4, 4, C / 8), nested: cell, then quarter, then quarter of the quarter.
        middle: (N, 4, C / 4), nested.
    """

    coarse: Table
    fine: Table
    middle: Table


@dataclass(frozen=True, eq=False)
class LikenessMemory:
    """What is remembered of an object on one frame; fulfils `memory_bank.Memory`.

    Attributes:
        features: (M, D) float16, of the cells in and around it.
        shares: (M,) float32, how much of each is on it.
        mask: (g, g) float32, how much of every cell of the frame is.
    """

    features: NDArray[np.float16]
    shares: Table
    mask: Table

    @property
    def nbytes(self) -> int:
        """Bytes that it holds in memory."""
        return int(self.features.nbytes + self.shares.nbytes + self.mask.nbytes)

    @property
    def is_empty(self) -> bool:
        """Whether the object wasn't to be seen."""
        return len(self.shares) == 0


class LikenessTracker:
    """Follows objects by likeness; see `contract.TrackingEngine` for what its methods take and return."""

    is_rough = True
    is_ready = True

    def __init__(
        self,
        decode: Callable[[Embedding, list[Prompt]], list[Candidates]],
        maps: Callable[[Embedding], FeatureMaps],
    ) -> None:
        """Args: what answers prompts, and what returns the features of a frame."""
        self._decode, self._maps = decode, maps

    def prepare(self) -> None:
        """Do nothing: all it takes is there."""

    def close(self) -> None:
        """Do nothing: nothing runs beside the calls."""

    def track(self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None, pick: int | None) -> Tracked:
        """Return one object on one frame; a prompt is answered as on a picture."""
        features = described(self._maps(embedding))
        if prompt is None:
            prompt = self._looked_for(embedding, features, bank)
        found = nothing(features) if prompt is None else self._decode(embedding, [prompt])[0]
        index = found.best if pick is None else pick
        if not 0 <= index < len(found.scores):
            raise ValueError(f"this prompt has {len(found.scores)} candidates, got candidate {index}; count from 0")
        side = features.shape[0]
        mask_hw = enlarged(found.logits[index], 4 * side) > 0
        memory = memory_of(features, mask_hw)
        return Tracked(found, index, -MAX_LOGIT if memory.is_empty else MAX_LOGIT, memory)

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> LikenessMemory:
        """Return what to remember of an object whose mask is known."""
        return memory_of(described(self._maps(embedding)), mask_hw)

    def _looked_for(self, embedding: Embedding, features: Table, bank: MemoryBank) -> Prompt | None:
        """Return what a person would point at, None where the object isn't to be seen."""
        placed = [one for one in bank.memories if one.conditioning or one.distance <= RECENT]
        if not placed:
            raise ValueError("track needs a memory or a prompt, got neither")
        last = min(placed, key=lambda one: abs(one.distance))
        seen = likeness(memory_of_kind(LikenessMemory, last), placed, features, abs(last.distance))
        return None if seen is None else prompt_about(seen, embedding.size_hw)


def nothing(features: Table) -> Candidates:
    """Return an empty mask on the logit grid of a frame."""
    side = 2 * features.shape[0]
    return Candidates(np.full((1, side, side), -MAX_LOGIT, np.float32), np.zeros(1, np.float32))


def described(maps: FeatureMaps) -> Table:
    """Return the features (g, g, D) of a frame's cells at stride 8, each of length 1."""
    count, channels = maps.coarse.shape
    side = round(count**0.5)
    coarse = maps.coarse.reshape(side, side, channels)
    coarse = np.stack([enlarged(coarse[..., channel], 2 * side) for channel in range(channels)], -1)
    middle = unnested(maps.middle, side)
    fine = unnested(maps.fine.mean(2), side)
    parts = [unit(part) * weight for part, weight in zip((coarse, middle, fine), WEIGHTS, strict=True)]
    return unit(np.concatenate(parts, -1))


def unnested(cells: Table, side: int) -> Table:
    """Return (N, 4, C), the quarters of each cell, as (2 side, 2 side, C)."""
    quarters = cells.reshape(side, side, 2, 2, -1).transpose(0, 2, 1, 3, 4)
    result: Table = quarters.reshape(2 * side, 2 * side, -1)
    return result


def unit(vectors: Table) -> Table:
    """Return vectors (..., D) at length 1."""
    result: Table = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-12))
    return result


def memory_of(features: Table, mask_hw: MaskArray) -> LikenessMemory:
    """Return what to remember of a mask (H, W) on a frame of features (g, g, D)."""
    side = features.shape[0]
    grey = Pil.fromarray(mask_hw.astype(np.float32)).resize((side, side), Pil.Resampling.BOX)
    shares = np.asarray(grey, np.float32)
    near = np.flatnonzero(surroundings(shares, ABOUT))
    near = near[:: max(1, -(-len(near) // MAX_REMEMBERED))]
    remembered = features.reshape(-1, features.shape[-1])[near].astype(np.float16)
    return LikenessMemory(remembered, shares.ravel()[near], shares)


def surroundings(shares: Table, part: float) -> MaskArray:
    """Return the cells (g, g) in and around an object, a part of its width and height on each side."""
    cells = np.zeros(shares.shape, np.bool_)
    if shares.any():
        x0, y0, x1, y1 = box_around(shares > 0)
        across, down = part * (x1 - x0), part * (y1 - y0)
        cells[
            max(0, int(y0 - down)) : int(np.ceil(y1 + down)), max(0, int(x0 - across)) : int(np.ceil(x1 + across))
        ] = True
    return cells


def likeness(last: LikenessMemory, placed: list[Placed], features: Table, frames: int) -> Table | None:
    """Return how much each cell of a frame is on an object, (g, g) in 0 to 1, None where it is nowhere.

    Args:
        last: where it was last.
        placed: what is remembered of it.
        features: (g, g, D) of the frame.
        frames: since it was there.
    """
    where = surroundings(last.mask, TRAVEL * frames)
    memories = [memory_of_kind(LikenessMemory, one) for one in placed]
    kept = [memory for memory in memories if not memory.is_empty]
    if not kept or not where.any():
        return None
    cells = features[where]
    scores, shares = [], []
    for memory in kept:
        score = cells @ memory.features.astype(np.float32).T
        count = min(NEIGHBOURS, score.shape[1])
        best = np.argpartition(score, -count, axis=1)[:, -count:]
        scores.append(np.take_along_axis(score, best, 1))
        shares.append(memory.shares[best])
    score, share = np.concatenate(scores, 1), np.concatenate(shares, 1)
    best = np.argpartition(score, -min(NEIGHBOURS, score.shape[1]), axis=1)[:, -NEIGHBOURS:]
    score, share = np.take_along_axis(score, best, 1), np.take_along_axis(share, best, 1)
    weights = np.exp((score - score.max(1, keepdims=True)) / np.float32(TEMPERATURE))
    seen = np.zeros(where.shape, np.float32)
    seen[where] = (weights * share).sum(1) / weights.sum(1)
    return seen


def prompt_about(seen: Table, size_hw: tuple[int, int]) -> Prompt | None:
    """Return what a person would point at of a rough mask, None where there is none.

    Args:
        seen: (g, g), how much each cell is on the object.
        size_hw: height and width of the frame.
    """
    side = 2 * len(seen)
    soft = enlarged(seen, side)
    parts, _ = labelled(soft > 0.5)
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    if areas.max() < MIN_SHARE * soft.size:
        return None
    rough = parts == areas.argmax()
    sx, sy = size_hw[1] / side, size_hw[0] / side
    x0, y0, x1, y1 = box_around(rough)
    x, y = heart_of(rough) or ((x0 + x1) / 2, (y0 + y1) / 2)
    return Prompt(
        points_xy=((x * sx, y * sy),),
        labels=(1,),
        box_xyxy=(x0 * sx, y0 * sy, x1 * sx, y1 * sy),
        mask_logits=logits_about(soft),
        multimask=False,
    )


def logits_about(soft: Table) -> Logits:
    """Return how much each cell is on an object as logits."""
    return ((2 * soft - 1) * np.float32(SURE)).astype(np.float32)
