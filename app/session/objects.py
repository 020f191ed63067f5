"""An object of a session: its prompt, the candidates that answered it, and the one that was chosen. Values only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeGuard

import msgspec
from msgspec.structs import replace as replace_step

from app.errors import Reason, TooManyPointsError, UnknownObjectError
from app.protocol.counts import box_of_counts
from app.protocol.fields import BoxXyxy, WindowXyxy
from app.protocol.messages import Mask
from app.protocol.recipe import BoxStep, MaskStep, MorphStep, PointStep, PromptStep, RefineStep, Step, StrokeStep

PointXyl = tuple[float, float, int]
"""`(x, y, label)` in pixels of the upright image; label 1 on the object, 0 off it."""


@dataclass(frozen=True)
class Answer:
    """What the engine made of one prompt.

    Attributes:
        masks: the candidates, each as it goes to the client while another one is chosen.
        memory: each candidate's packed logits, opaque here, to be fed back when the object is refined.
        best: index of the candidate with the highest score.
        fine: each candidate as it goes out once it is chosen, None until it is; empty where `masks` are no coarser.
    """

    masks: tuple[Mask, ...]
    memory: tuple[bytes, ...]
    best: int
    fine: tuple[Mask | None, ...] = ()

    @property
    def nbytes(self) -> int:
        """About the memory that it holds."""
        masks = (*self.masks, *self.fine)
        return sum(map(len, self.memory)) + sum(len(mask.runs) for mask in masks if mask is not None)

    def with_fine(self, index: int, mask: Mask) -> Answer:
        """Return the answer with one more candidate drawn in full."""
        return replace(self, fine=(*self.fine[:index], mask, *self.fine[index + 1 :]))

    def lacks(self, index: int) -> bool:
        """Return whether a candidate is to be drawn in full before it is chosen."""
        return index < len(self.fine) and self.fine[index] is None


@dataclass(frozen=True)
class SessionObject:
    """One object, never changed in place: every step of the history holds its own.

    Attributes:
        color: its own, in which it is shown while it has no class.
        trail: what makes it: first the mask that it was given and its box, where it has them, then the rest in order.
        answer: None before the first answer, and in steps of the history that were made with another model, or before
            the session was lost, and not shown since.
    """

    id: int
    name: str
    color: int
    trail: tuple[Step, ...] = ()
    answer: Answer | None = None

    @property
    def points(self) -> tuple[PointXyl, ...]:
        """Its points in order."""
        return tuple((step.x, step.y, step.label) for step in self.trail if isinstance(step, PointStep))

    @property
    def box(self) -> BoxXyxy | None:
        """Its box, or None."""
        return next((step.box for step in self.trail if isinstance(step, BoxStep)), None)

    @property
    def given(self) -> MaskStep | None:
        """The mask that it begins with, or None."""
        first = self.trail[0] if self.trail else None
        return first if isinstance(first, MaskStep) else None

    @property
    def prompts(self) -> tuple[AskedStep, ...]:
        """The steps that the model is asked about, in order."""
        return tuple(step for step in self.trail if is_asked(step))

    @property
    def layers(self) -> tuple[HandStep, ...]:
        """What was done by hand, in order: it lies over whatever mask the model makes."""
        return tuple(step for step in self.trail if isinstance(step, (StrokeStep, MorphStep)))

    @property
    def is_empty(self) -> bool:
        """True where nothing is left that makes a mask."""
        return not (self.given or self.prompts or any(isinstance(step, StrokeStep) for step in self.trail))

    @cached_property
    def trail_bytes(self) -> int:
        """What its trail takes in a message."""
        return len(msgspec.msgpack.encode(self.trail))

    @property
    def pick(self) -> int | None:
        """The candidate that a person took of the present answer; None leaves the choice to the model's scores."""
        prompts = self.prompts
        return prompts[-1].pick if prompts else None

    @property
    def window(self) -> WindowXyxy | None:
        """The part of the picture that the model saw when it last answered; None for the whole."""
        prompts = self.prompts
        return prompts[-1].window if prompts else None

    @property
    def is_windowed(self) -> bool:
        """Whether a window answered one of its prompts."""
        return any(prompt.window is not None for prompt in self.prompts)

    @property
    def chosen(self) -> int:
        """Index of the candidate that the object shows: the one picked, else the best."""
        if self.pick is not None:
            return self.pick
        return self.answer.best if self.answer else 0

    @property
    def feedback(self) -> bytes | None:
        """Packed logits of the chosen candidate, None where the model wasn't asked yet."""
        return self.answer.memory[self.chosen] if self.answer and self.prompts else None

    @property
    def shown(self) -> tuple[Mask, ...]:
        """The candidates as a client is told them: the chosen one in full, the others coarse where they can be."""
        if self.answer is None:
            return ()
        masks, chosen = self.answer.masks, self.chosen
        fine = self.answer.fine[chosen] if self.answer.fine else None
        return masks if fine is None else (*masks[:chosen], fine, *masks[chosen + 1 :])

    @property
    def mask(self) -> Mask | None:
        """What is shown of it; None before the first answer."""
        shown = self.shown
        return shown[self.chosen] if shown else None

    @property
    def nbytes(self) -> int:
        """About the memory that this step of the object holds."""
        by_hand = self.trail_bytes if self.given or self.layers else 0
        return by_hand + (0 if self.answer is None else self.answer.nbytes)

    def nbytes_beside(self, other: SessionObject | None) -> int:
        """Return what it holds that another step of the object hasn't."""
        return 0 if other is self else self.nbytes

    def answered(self, answer: Answer) -> SessionObject:
        """Return the object with its answer; picking the best is no choice, another model may have another best.

        Raises:
            UnknownObjectError: the answer has no candidate of the number that was picked.
        """
        if self.pick is None:
            return replace(self, answer=answer)
        return replace(self, answer=answer).with_candidate(self.pick)

    def predicted(self, answer: Answer | None) -> SessionObject:
        """Return the object as another model answers it, None for not yet. A pick that this one hasn't is none."""
        if answer is None or self.pick is None or self.pick < len(answer.masks):
            return replace(self, answer=answer)
        return replace(self._picked(None), answer=answer)

    def unpicked(self) -> SessionObject:
        """Return the object with every choice left to the model's scores."""
        return replace(self, trail=tuple(without_pick(step) for step in self.trail))

    def seen_in(self, window: WindowXyxy | None) -> SessionObject:
        """Return the object with its last prompt answered in another window; itself where the model wasn't asked."""
        return self._with_last(lambda step: replace_step(step, window=window))

    def with_step(self, step: Step) -> SessionObject:
        """Return the object with one more step at the end of its trail."""
        return replace(self, trail=(*self.trail, step))

    def with_point(self, point: PointXyl, max_points: int, candidate: int | None = None) -> SessionObject:
        """Return the object with one more point, which is to show this candidate of its answer; None is the best.

        Raises:
            TooManyPointsError: it has all it may have.
        """
        if len(self.points) >= max_points:
            raise TooManyPointsError(
                Reason("points", "an object takes at most {most} points; begin another object", most=max_points)
            )
        x, y, label = point
        return self.with_step(PointStep(x=x, y=y, label=label, pick=candidate))

    def with_box(self, box: BoxXyxy) -> SessionObject:
        """Return the object with this box, before its points; what was picked without it isn't any more."""
        given = () if self.given is None else (self.given,)
        rest = (without_pick(step) for step in self.trail[len(given) :] if not isinstance(step, BoxStep))
        return replace(self, trail=(*given, BoxStep(box=box), *rest))

    def moved(self, index: int, x: float, y: float) -> SessionObject:
        """Return the object with one point elsewhere; its label and what was picked there are kept."""
        at = self._step_of(index)
        return self._with_step_at(at, replace_step(self.trail[at], x=x, y=y))

    def without_point(self, index: int) -> SessionObject:
        """Return the object with one point less."""
        at = self._step_of(index)
        return replace(self, trail=self.trail[:at] + self.trail[at + 1 :])

    def _step_of(self, index: int) -> int:
        """Return the place in the trail of a point by its number.

        Raises:
            UnknownObjectError: there is no such point.
        """
        places = [place for place, step in enumerate(self.trail) if isinstance(step, PointStep)]
        if index >= len(places):
            raise UnknownObjectError(f"object {self.id} has {len(places)} points, got point {index}; count from 0")
        return places[index]

    def _with_step_at(self, at: int, step: Step) -> SessionObject:
        return replace(self, trail=(*self.trail[:at], step, *self.trail[at + 1 :]))

    def _picked(self, pick: int | None) -> SessionObject:
        """Return the object with another pick of its last answer; itself where the model wasn't asked."""
        return self._with_last(lambda step: replace_step(step, pick=pick))

    def _with_last(self, change: Callable[[AskedStep], AskedStep]) -> SessionObject:
        for at in reversed(range(len(self.trail))):
            if is_asked(step := self.trail[at]):
                return self._with_step_at(at, change(step))
        return self

    def with_candidate(self, index: int) -> SessionObject:
        """Return the object with another candidate chosen; the best is left to the model's scores.

        Raises:
            UnknownObjectError: there is no such candidate.
        """
        count = len(self.answer.masks) if self.answer else 0
        if self.answer is None or index >= count:
            raise UnknownObjectError(f"this prompt has {count} candidates, got candidate {index}; count from 0")
        return self._picked(None if index == self.answer.best else index)


AskedStep = PointStep | BoxStep | RefineStep
"""A step that the model is asked about."""
HandStep = StrokeStep | MorphStep
"""A step that is done to the mask itself."""


def is_asked(step: Step) -> TypeGuard[AskedStep]:
    """Return whether the model is asked about a step."""
    return isinstance(step, PromptStep)


def in_window(trail: Iterable[Step], window: WindowXyxy | None) -> tuple[Step, ...]:
    """Return a trail whose every prompt is asked in a window."""
    return tuple(replace_step(step, window=window) if is_asked(step) else step for step in trail)


def without_pick(step: Step) -> Step:
    """Return a step with its choice left to the model's scores."""
    return replace_step(step, pick=None) if is_asked(step) else step


def prompted(trail: Iterable[Step]) -> list[BoxXyxy]:
    """Return the box around each prompt and the given mask of a trail; that of a point has no area."""
    boxes: list[BoxXyxy] = []
    for step in trail:
        if isinstance(step, PointStep):
            boxes.append((step.x, step.y, step.x, step.y))
        elif isinstance(step, BoxStep):
            boxes.append(step.box)
        elif isinstance(step, MaskStep) and (box := box_of_counts(step.counts, step.size)) is not None:
            boxes.append(box)
    return boxes


Answered = tuple[SessionObject, Answer]
"""An object of the history and what the model makes of it now."""
