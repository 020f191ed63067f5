"""An object of a session: its prompt, the candidates that answered it, and the one that was chosen. Values only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.errors import TooManyPointsError, UnknownObjectError
from app.protocol.fields import BoxXyxy
from app.protocol.messages import Mask

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
        answer: None before the first answer, and in steps that were made with another model and not shown since.
        pick: the candidate that the person chose; None leaves the choice to the model's scores.
        trail: how the last points refined the object: one entry for each point since its prompt last began afresh,
            the `pick` whose logits that point was predicted from. `replay` makes the same answer from it.
    """

    id: int
    name: str
    color: int
    points: tuple[PointXyl, ...] = ()
    box: BoxXyxy | None = None
    answer: Answer | None = None
    pick: int | None = None
    trail: tuple[int | None, ...] = ()

    @property
    def chosen(self) -> int:
        """Index of the candidate that the object shows: the one picked, else the best."""
        if self.pick is not None:
            return self.pick
        return self.answer.best if self.answer else 0

    @property
    def feedback(self) -> bytes | None:
        """Packed logits of the chosen candidate, None before the first answer."""
        return self.answer.memory[self.chosen] if self.answer else None

    @property
    def shown(self) -> tuple[Mask, ...]:
        """The candidates as a client is told them: the chosen one in full, the others coarse where they can be."""
        if self.answer is None:
            return ()
        masks, chosen = self.answer.masks, self.chosen
        fine = self.answer.fine[chosen] if self.answer.fine else None
        return masks if fine is None else (*masks[:chosen], fine, *masks[chosen + 1 :])

    @property
    def nbytes(self) -> int:
        """About the memory that this step of the object holds."""
        if self.answer is None:
            return 0
        masks = (*self.answer.masks, *self.answer.fine)
        return sum(map(len, self.answer.memory)) + sum(len(mask.runs) for mask in masks if mask is not None)

    def answered(self, answer: Answer) -> SessionObject:
        """Return the object with its answer; picking the best is no choice, another model may have another best.

        Raises:
            UnknownObjectError: the answer has no candidate of the number that was picked.
        """
        count = len(answer.masks)
        if self.pick is not None and self.pick >= count:
            raise UnknownObjectError(f"this prompt has {count} candidates, got candidate {self.pick}; count from 0")
        return replace(self, answer=answer, pick=None if self.pick == answer.best else self.pick)

    def with_point(self, point: PointXyl, max_points: int, candidate: int | None = None) -> SessionObject:
        """Return the object with one more point, which is to show this candidate of its answer; None is the best.

        Raises:
            TooManyPointsError: it has all it may have.
        """
        if len(self.points) >= max_points:
            raise TooManyPointsError(f"an object takes at most {max_points} points; begin another object")
        refined = self.answer is not None
        trail = (*self.trail, self.pick) if refined else ()
        return replace(self, points=(*self.points, point), pick=candidate, trail=trail)

    def with_box(self, box: BoxXyxy) -> SessionObject:
        """Return the object with this box, predicted afresh."""
        return replace(self, box=box, pick=None, trail=())

    def moved(self, index: int, x: float, y: float) -> SessionObject:
        """Return the object with one point elsewhere, its label kept, predicted afresh."""
        points = (*self.points[:index], (x, y, self.point(index)[2]), *self.points[index + 1 :])
        return replace(self, points=points, pick=None, trail=())

    def without_point(self, index: int) -> SessionObject:
        """Return the object with one point less, predicted afresh."""
        self.point(index)
        return replace(self, points=self.points[:index] + self.points[index + 1 :], pick=None, trail=())

    def point(self, index: int) -> PointXyl:
        """Return a point by its number.

        Raises:
            UnknownObjectError: there is no such point.
        """
        if index >= len(self.points):
            raise UnknownObjectError(f"object {self.id} has {len(self.points)} points, got point {index}; count from 0")
        return self.points[index]

    def with_candidate(self, index: int) -> SessionObject:
        """Return the object with another candidate chosen.

        Raises:
            UnknownObjectError: there is no such candidate.
        """
        count = len(self.answer.masks) if self.answer else 0
        if index >= count:
            raise UnknownObjectError(f"object {self.id} has {count} candidates, got candidate {index}; count from 0")
        return replace(self, pick=index)


Answered = tuple[SessionObject, Answer]
"""An object of the history and what the model makes of it now."""
