"""One object on one frame: what the frame is shown of it, and what comes of that. Pure but for the engine.

The one way from memories to masks, for sessions and for the command.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.engine.contract import Candidates, Embedding, TrackingEngine
from app.engine.memory_bank import FrameMemory, Memory, MemoryBank, attended, nearest
from app.masks.packing import as_kept
from app.service.answers import object_answer
from app.service.tracking import Followed, FollowStep, PromptedFrame
from app.session.objects import SessionObject

NOBODY = SessionObject(0, "", 0)
"""Whose points and strokes lie on a frame that nobody prompted."""


def conditioning(step: FollowStep) -> list[PromptedFrame]:
    """Return the prompted frames that a step is shown, the nearest first."""
    prompted = {each.frame: each for each in step.prompted}
    return [prompted[number] for number in nearest(prompted, step.frame, step.reach.conditioning)]


def bank_of(step: FollowStep, prompted: Mapping[int, Memory], before: Mapping[int, Memory]) -> MemoryBank:
    """Return what a step is shown.

    Args:
        step: which frame looks.
        prompted: what is remembered of the frames of `conditioning`, by frame.
        before: what its pass remembers of those that it went through, by frame.
    """
    remembered = {frame: FrameMemory(memory, conditioning=False) for frame, memory in before.items()}
    remembered |= {frame: FrameMemory(memory, conditioning=True) for frame, memory in prompted.items()}
    return attended(remembered, step.frame, frames=step.frames, backward=step.backward, reach=step.reach)


def followed(
    engine: TrackingEngine, embedding: Embedding, bank: MemoryBank, size_hw: tuple[int, int], speck_share: float
) -> tuple[Followed, Memory]:
    """Return an object on a frame, and what to remember of it there.

    Args:
        engine: the model.
        embedding: the frame's, made by it.
        bank: what the frame is shown.
        size_hw: height and width of the clip in its own pixels.
        speck_share: of the frame, up to which specks and holes are left out.

    Raises:
        EngineFailedError: the device gave up.
    """
    tracked = engine.track(embedding, bank)
    found = Candidates(as_kept(tracked.logits)[None], tracked.candidates.scores[tracked.index][None])
    return Followed(object_answer(found, size_hw, speck_share, NOBODY), tracked.object_logit), tracked.memory
