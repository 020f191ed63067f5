"""One object on one frame after the other, on the engines of this process.

Decision: a frame of an object is a job of the encodes' lane, behind every encode. Context: looking at seven memories
takes as long as two encodes, and what is shorter than that must not wait for it. Choice: hovers and clicks go on beside
it with half of the cores, as beside an encode; pictures that are opened wait for one frame of one object. Price: while
a picture is encoded, tracking stands still.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final

from app.arrays import MaskArray
from app.engine.contract import Embedding, Engine, TrackingEngine
from app.engine.memory_bank import Memory
from app.errors import EngineFailedError, Reason
from app.protocol.run_lengths import decode_mask
from app.service.embeddings import EmbeddingKey
from app.service.frame_step import bank_of, conditioning, followed
from app.service.scheduler import Lane, Priority
from app.service.track_memories import TrackMemories, kept_under
from app.service.tracking import Followed, FollowStep, PromptedFrame

AtHand = Callable[[EmbeddingKey], AbstractAsyncContextManager[tuple[Engine, Embedding]]]
"""Gives a model and what it knows of a frame, encoded now if need be."""
LOOK_S: Final = 0.1
"""So often it is looked whether what following takes has been compiled."""


class Follower:
    """Follows objects."""

    def __init__(self, at_hand: AtHand, lane: Lane, timeout_s: float, speck_share: float) -> None:
        """Join what it takes.

        Args:
            at_hand: gives models and embeddings.
            lane: where the model's work is done.
            timeout_s: how long a job may take.
            speck_share: specks and holes of a mask up to this share of the frame are left out.
        """
        self._at_hand, self._lane = at_hand, lane
        self._timeout_s, self._speck_share = timeout_s, speck_share
        self.memories = TrackMemories()

    async def follow(self, key: EmbeddingKey, size_hw: tuple[int, int], step: FollowStep) -> Followed:
        """Return an object on a frame; see `Backend.follow`."""
        own = replace(step, pass_id=kept_under(key.model, step.pass_id))
        before = self.memories.before(own)
        prompted = {each.frame: await self._conditioning(key.model, each) for each in conditioning(step)}
        bank = bank_of(step, prompted, before)
        async with self._at_hand(key) as (engine, embedding):
            tracking = await following(engine)
            found, memory = await self._lane.run(
                Priority.TRACK,
                lambda: followed(tracking, embedding, bank, size_hw, self._speck_share),
                self._timeout_s,
            )
        self.memories.keep(own, memory)
        return found

    async def _conditioning(self, model: str, prompted: PromptedFrame) -> Memory:
        """Return what to remember of a frame that a person prompted, made once."""
        digest = hashlib.sha256(prompted.mask.runs).hexdigest()
        name = kept_under(model, f"{prompted.source}\0{prompted.mask.size}\0{digest}")
        kept = self.memories.of(name).get(prompted.frame)
        if kept is not None:
            return kept
        mask_hw: MaskArray = decode_mask(prompted.mask)
        async with self._at_hand(EmbeddingKey(model, prompted.source)) as (engine, embedding):
            tracking = await following(engine)
            memory = await self._lane.run(
                Priority.TRACK, lambda: tracking.remember(embedding, mask_hw), self._timeout_s
            )
        self.memories.put(name, {prompted.frame: memory})
        return memory


async def following(engine: Engine) -> TrackingEngine:
    """Return an engine once it can follow objects.

    Raises:
        EngineFailedError: it can't.
        ModelUnavailableError: what it takes couldn't be compiled.
    """
    if not hasattr(engine, "track"):
        text = "{name} doesn't follow objects here; choose another model"
        raise EngineFailedError(Reason("follows_not", text, name=engine.model))
    tracking: TrackingEngine = engine  # type: ignore[assignment] # which has just been looked at
    while not tracking.can_track:
        tracking.prepare_tracking()
        await asyncio.sleep(LOOK_S)
    return tracking
