"""An object is followed by the likeness of features, without a model: what is red stays red."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from app.arrays import MaskArray
from app.engine.contract import Candidates, Embedding, Prompt
from app.engine.memory_bank import EMPTY_BANK, FrameMemory, attended
from app.engine.sam2.likeness import MAX_REMEMBERED, FeatureMaps, LikenessTracker, memory_of

SIDE, CHANNELS = 16, 16


@dataclass(frozen=True)
class Frame:
    """A frame whose features tell a square from the ground."""

    left: int | None
    size_hw: tuple[int, int] = (64, 64)
    nbytes: int = 0

    @property
    def mask_hw(self) -> MaskArray:
        mask = np.zeros((64, 64), np.bool_)
        if self.left is not None:
            mask[20:40, self.left : self.left + 20] = True
        return mask


def maps(embedding: Embedding) -> FeatureMaps:
    assert isinstance(embedding, Frame)
    share = embedding.mask_hw.reshape(4 * SIDE, 4 * SIDE).astype(np.float32)

    def coded(cells: np.ndarray, channels: int) -> np.ndarray:
        return np.stack([cells if number % 2 else 1 - cells for number in range(channels)], -1).astype(np.float32)

    nested = share.reshape(SIDE, 2, 2, SIDE, 2, 2).transpose(0, 3, 1, 4, 2, 5).reshape(SIDE**2, 4, 4)
    return FeatureMaps(
        coded(nested.mean((1, 2)), CHANNELS), coded(nested, CHANNELS // 8), coded(nested.mean(2), CHANNELS // 4)
    )


def decode(_: Embedding, prompts: list[Prompt]) -> list[Candidates]:
    """Answer with the logits that are to be refined."""
    return [Candidates(p.mask_logits[None], np.ones(1, np.float32)) for p in prompts if p.mask_logits is not None]


def overlap(logits: np.ndarray, mask_hw: MaskArray) -> float:
    found = logits > 0
    return float((found & mask_hw).sum() / (found | mask_hw).sum())


def test_an_object_is_found_where_it_has_moved_to_and_is_remembered_there() -> None:
    tracker, frames = LikenessTracker(decode, maps), [Frame(10), Frame(15), Frame(21)]
    remembered = {0: FrameMemory(tracker.remember(frames[0], frames[0].mask_hw), conditioning=True)}
    for number in (1, 2):
        found = tracker.track(frames[number], attended(remembered, number, frames=3), None, None)
        assert found.object_logit > 0
        assert overlap(found.logits, frames[number].mask_hw) > 0.7
        remembered[number] = FrameMemory(found.memory, conditioning=False)
    assert 0 < remembered[2].memory.nbytes < 100_000


def test_an_object_that_is_gone_is_nowhere_and_found_again_when_it_comes_back() -> None:
    tracker, frames = LikenessTracker(decode, maps), [Frame(10), Frame(None), Frame(14)]
    remembered = {0: FrameMemory(tracker.remember(frames[0], frames[0].mask_hw), conditioning=True)}
    gone = tracker.track(frames[1], attended(remembered, 1, frames=3), None, None)
    assert gone.object_logit < 0
    assert gone.memory.is_empty
    assert not (gone.logits > 0).any()
    remembered[1] = FrameMemory(gone.memory, conditioning=False)
    back = tracker.track(frames[2], attended(remembered, 2, frames=3), None, None)
    assert overlap(back.logits, frames[2].mask_hw) > 0.7


def test_of_a_large_object_no_more_is_remembered_from_all_over_it() -> None:
    large, small = np.zeros((64, 64), np.bool_), np.zeros((64, 64), np.bool_)
    large[4:60, 4:60], small[20:30, 20:30] = True, True
    places = np.indices((64, 64)).transpose(1, 2, 0).astype(np.float32)
    memory = memory_of(places, large)
    assert MAX_REMEMBERED / 2 < len(memory.shares) <= MAX_REMEMBERED
    assert 0.7 < memory.shares.mean() < 0.8
    for axis in (0, 1):
        assert np.bincount(memory.features[:, axis].astype(int) // 8, minlength=8).min() > 0
    assert len(memory_of(places, small).shares) == 20 * 20


def test_without_a_memory_or_a_prompt_nothing_can_be_followed() -> None:
    with pytest.raises(ValueError, match="a memory or a prompt"):
        LikenessTracker(decode, maps).track(Frame(10), EMPTY_BANK, None, None)
