"""What a backend is asked of an object in a clip, one frame at a time. Values only.

Decision: a pass goes one way, from a prompted frame, and knows nothing of other passes. Context: sam2 keeps one pile of
memories, so that a mask depends on everything that was tracked before, in which order. Choice: a frame is shown the
prompted frames and those that its own pass went through; so the same prompts give the same masks, after a restart too.
Price: a pass back from a frame doesn't know what lies ahead of it, unless that was prompted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.engine.memory_bank import FULL, Reach
from app.protocol.values import Mask
from app.session.objects import Answer


@dataclass(frozen=True)
class PromptedFrame:
    """A frame on which a person said what the object is.

    Attributes:
        frame: its number, from 0.
        source: of its embedding, see `EmbeddingKey`.
        mask: what is shown there, with all that was done by hand; on any grid over the frame.
    """

    frame: int
    source: str
    mask: Mask


@dataclass(frozen=True)
class FollowStep:
    """One frame of a pass.

    Attributes:
        pass_id: names the pass among all of all sessions; one with other prompts, another start or another model has
            another name. What is remembered of it lies with whoever keeps the clip's embeddings.
        frame: the number of the frame that is asked about.
        frames: of the clip.
        start: the number of the prompted frame that the pass began at. Its frames are asked about in order, the first
            being the one beside it.
        backward: whether it goes to the clip's beginning.
        prompted: every frame on which the object was prompted.
        reach: how much is remembered, `FULL` or `FAST`.
    """

    pass_id: str
    frame: int
    frames: int
    start: int
    backward: bool
    prompted: tuple[PromptedFrame, ...]
    reach: Reach = FULL

    @property
    def before(self) -> int:
        """The frame that the pass was on last: the nearest before this one that nobody prompted, or its start."""
        sign, prompted = -1 if self.backward else 1, {each.frame for each in self.prompted}
        frame = self.frame - sign
        while frame != self.start and frame in prompted:
            frame -= sign
        return frame


def steps_of(
    pass_id: str,
    frames: int,
    start: int,
    prompted: Sequence[PromptedFrame],
    *,
    backward: bool = False,
    reach: Reach = FULL,
) -> Iterator[FollowStep]:
    """Give the steps of a pass in their order, from beside its start to an end of the clip; prompted frames stay.

    Args:
        pass_id: names the pass, see `FollowStep`.
        frames: of the clip.
        start: the number of the prompted frame that it begins at.
        prompted: every frame on which the object was prompted.
        backward: whether it goes to the clip's beginning.
        reach: how much is remembered.
    """
    known = {each.frame for each in prompted}
    for frame in range(start - 1, -1, -1) if backward else range(start + 1, frames):
        if frame not in known:
            yield FollowStep(pass_id, frame, frames, start, backward, tuple(prompted), reach)


@dataclass(frozen=True)
class Followed:
    """An object on a frame.

    Attributes:
        answer: one mask, drawn like a click's; an empty one where the object isn't to be seen.
        object_logit: how sure the model is that it is to be seen: above 0 it is.
    """

    answer: Answer
    object_logit: float

    @property
    def mask(self) -> Mask:
        """The mask as it is shown, at the clip's own size or the largest that is shown."""
        [fine] = self.answer.fine or self.answer.masks
        return self.answer.masks[0] if fine is None else fine
