"""An object of a clip: one over all frames, and on each of them what an object of a picture is. Values only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import msgspec

from app.protocol.recipe import Step, TrackStep
from app.session.objects import Answer, SessionObject
from app.session.passes import KEY_CHARS, Pass, Prompts, makes_mask, merged, passes_of, unframed


@dataclass(frozen=True)
class ClipObject(SessionObject):
    """One object over all frames of a clip. Its trail has the steps of all frames in the order in which they were made.

    Attributes:
        answers: what the model made of the prompts of a frame, by frame; none there for not yet. `answer` is None.
    """

    answers: Mapping[int, Answer] = field(default_factory=dict)

    @cached_property
    def prompted(self) -> Prompts:
        """The steps of each frame that was prompted, as of a picture."""
        steps: dict[int, tuple[Step, ...]] = {}
        for step in self.trail:
            if step.frame is not None and not isinstance(step, TrackStep):
                steps[step.frame] = (*steps.get(step.frame, ()), unframed(step))
        return {frame: own for frame, own in steps.items() if makes_mask(own)}

    @cached_property
    def prompt_keys(self) -> Mapping[int, str]:
        """A name of each prompted frame's steps."""
        return {
            frame: hashlib.sha256(msgspec.msgpack.encode(steps)).hexdigest()[:KEY_CHARS]
            for frame, steps in self.prompted.items()
        }

    @cached_property
    def passes(self) -> tuple[Pass, ...]:
        """How it is followed, in order: of two on one frame the later one counts."""
        return tuple(passes_of(self.trail))

    @cached_property
    def owned(self) -> Mapping[int, Pass]:
        """The pass that counts on each frame that wasn't prompted."""
        prompted = self.prompted
        return {frame: one for one in self.passes for frame in one.frames if frame not in prompted}

    @property
    def is_empty(self) -> bool:
        """True where nothing is left that makes a mask on any frame."""
        return not self.prompted

    @property
    def nbytes(self) -> int:
        """About the memory that this step of the object holds; masks of passes are counted where they are kept."""
        return self.trail_bytes + sum(answer.nbytes for answer in self.answers.values())

    def nbytes_beside(self, other: SessionObject | None) -> int:
        """Return what it holds that another step of the object hasn't."""
        if not isinstance(other, ClipObject):
            return self.nbytes
        own = (answer for frame, answer in self.answers.items() if other.answers.get(frame) is not answer)
        return self.trail_bytes + sum(answer.nbytes for answer in own)

    def on(self, frame: int) -> SessionObject:
        """Return the object as of a picture that is one of the frames; without a step where it wasn't prompted."""
        trail = self.prompted.get(frame, ())
        return SessionObject(self.id, self.name, self.color, trail, self.answers.get(frame) if trail else None)

    def with_view(self, frame: int, view: SessionObject) -> ClipObject:
        """Return the object as it is on one of its frames; one on which nothing makes a mask has no step any more."""
        steps = () if view.is_empty else view.trail
        answers = {number: answer for number, answer in self.answers.items() if number != frame}
        if steps and view.answer is not None:
            answers[frame] = view.answer
        trail = merged(self.trail, frame, steps)
        return replace(self, name=view.name, color=view.color, trail=trail, answers=answers)

    def predicted(self, answer: Answer | None) -> SessionObject:
        """Return the object without any answer: those of another model are of no use, and are asked for by frame."""
        del answer
        return replace(self, answers={})


def clip_object(view: SessionObject, frame: int) -> ClipObject:
    """Return a new object, prompted on one frame."""
    return ClipObject(view.id, view.name, view.color).with_view(frame, view)


def as_clip_object(item: SessionObject) -> ClipObject:
    """Return an object of a clip as what it is."""
    if not isinstance(item, ClipObject):
        raise TypeError(f"a clip has a ClipObject, got {type(item).__name__}")
    return item
