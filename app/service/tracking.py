"""What a backend is asked of an object in a clip, one frame at a time. Values only.

Decision: a pass goes one way, from a prompted frame, and knows nothing of other passes. Context: sam2 keeps one pile of
memories, so that a mask depends on everything that was tracked before, in which order. Choice: a frame is shown the
prompted frames and those that its own pass went through; so the same prompts give the same masks, after a restart too.
Price: a pass back from a frame doesn't know what lies ahead of it, unless that was prompted.
"""

from __future__ import annotations

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


@dataclass(frozen=True)
class Followed:
    """An object on a frame.

    Attributes:
        answer: one mask, drawn like a click's; an empty one where the object isn't to be seen.
        object_logit: how sure the model is that it is to be seen: above 0 it is.
    """

    answer: Answer
    object_logit: float
