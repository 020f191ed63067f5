"""From a message to the object as it will be, and what the engine is asked for that. Pure; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.errors import BadMessageError, Reason, TooManyObjectsError, UnknownObjectError
from app.protocol.fields import WindowXyxy
from app.protocol.messages import Box, Click, Combine, Give, Hover, Morph, Move, Paint, Refine, Unpoint
from app.protocol.recipe import MaskStep, MorphStep, RefineStep, StrokeStep
from app.protocol.windows import check_window
from app.session.checks import check_box, check_point, check_trail
from app.session.history import Objects
from app.session.limits import SessionLimits
from app.session.names import unnamed
from app.session.objects import SessionObject
from app.session.query import Query
from app.session.sight import aimed, seen_whole
from app.session.values import OpenImage

Prompted = Click | Box | Move | Unpoint | Refine | Paint | Morph
"""Messages that make or change the mask of one object."""


@dataclass(frozen=True)
class Prompting:
    """What prompts are made on.

    Attributes:
        image: the open picture.
        objects: those that are there, by id.
        next_id: of the next new object.
        limits: the session's bounds.
    """

    image: OpenImage
    objects: Objects
    next_id: int
    limits: SessionLimits

    def hover(self, message: Hover) -> Query:
        """Return the query that shows what a click here would give.

        Raises:
            BadCoordError, UnknownObjectError, TooManyObjectsError, TooManyPointsError: see `app.errors`.
        """
        base = self._fresh() if message.object is None else self.object(message.object)
        self._check_point(message.x, message.y)
        subject = base.with_point((message.x, message.y, message.label), self.limits.max_points)
        return grown(message.seq, base, self._aimed(base, subject, message.window))

    def query(self, message: Prompted) -> Query:
        """Return the query for a changed prompt or mask; nothing is left of the object where `is_empty`.

        Raises:
            HoverError: it can't be done; nothing has changed.
        """
        base = self._base(message)
        subject = self._subject(base, message)
        if not subject.is_empty:
            check_trail(subject, self.image, self.limits)
        return grown(message.seq, base, subject)

    def given(self, message: Give) -> list[Query]:
        """Return a query for each object that was made elsewhere.

        Raises:
            TooManyObjectsError: there is no room for all of them.
            BadMessageError, BadCoordError, TooManyPointsError: no session could have made one; see `check_trail`.
        """
        room = self.limits.max_objects - len(self.objects)
        if len(message.objects) > room:
            raise TooManyObjectsError(
                Reason(
                    "objects_room",
                    "a picture takes at most {most} objects, there is room for {room}, got {got}; leave some out",
                    most=self.limits.max_objects,
                    room=room,
                    got=len(message.objects),
                )
            )
        items = [
            SessionObject(id=id_, name=made.name or unnamed(id_), color=id_ - 1, trail=made.trail)
            for id_, made in enumerate(message.objects, self.next_id)
        ]
        for item in items:
            check_trail(item, self.image, self.limits)
        return [Query(message.seq, item) for item in items]

    def combining(self, message: Combine) -> list[SessionObject]:
        """Return the objects that are to be combined, the first one first.

        Raises:
            UnknownObjectError: one isn't there.
            BadMessageError: one is named twice.
        """
        if len(set(message.objects)) < len(message.objects):
            raise BadMessageError("expected each object once in combine")
        return [self.object(id_) for id_ in message.objects]

    def combined(self, message: Combine, together: MaskStep | None) -> Query:
        """Return the query for what objects are together.

        Raises:
            BadMessageError: that is nothing.
            UnknownObjectError: an object isn't there.
            TooManyPointsError: it is too intricate to be kept.
        """
        if together is None:
            raise AssertionError("what objects are together is found before the step")
        first, *others = self.combining(message)
        subject = replace(first, trail=(together,), answer=None)
        gone = tuple(item.id for item in others) if message.operation == "union" else ()
        check_trail(subject, self.image, self.limits)
        return Query(message.seq, subject, gone=gone)

    def object(self, id_: int) -> SessionObject:
        """Return an object by its number.

        Raises:
            UnknownObjectError: it isn't there.
        """
        found = self.objects.get(id_)
        if found is None:
            raise UnknownObjectError(f"there is no object {id_} on this picture; it may have been deleted or undone")
        return found

    def _base(self, message: Prompted) -> SessionObject:
        """Return the object that a prompt changes, or begins under the name that it is to have.

        Raises:
            BadMessageError: a name for an object that has one.
            TooManyObjectsError, UnknownObjectError: see `_fresh`, `object`.
        """
        name = message.name if isinstance(message, (Click, Box, Paint)) else None
        if message.object is None:
            fresh = self._fresh()
            return replace(fresh, name=name or fresh.name)
        if name is not None:
            raise BadMessageError(
                f"expected a name for a new object alone; object {message.object} is renamed by label"
            )
        return self.object(message.object)

    def _fresh(self) -> SessionObject:
        """Return an object that doesn't exist yet; it gets its place when an answer is committed."""
        if len(self.objects) >= self.limits.max_objects:
            raise TooManyObjectsError(
                Reason("objects", "a picture takes at most {most} objects; delete one", most=self.limits.max_objects)
            )
        return SessionObject(id=self.next_id, name=unnamed(self.next_id), color=self.next_id - 1)

    def _subject(self, base: SessionObject, message: Prompted) -> SessionObject:
        """Return an object as a message changes it."""
        max_points = self.limits.max_points
        if isinstance(message, Click):
            self._check_point(message.x, message.y)
            subject = base.with_point((message.x, message.y, message.label), max_points, message.candidate)
            return self._aimed(base, subject, message.window)
        if isinstance(message, Box):
            check_box(message.box, self.image.width, self.image.height)
            return self._aimed(base, base.with_box(message.box), message.window)
        if isinstance(message, Move):
            self._check_point(message.x, message.y)
            return seen_whole(base.moved(message.point, message.x, message.y), self.image.size_hw)
        if isinstance(message, Unpoint):
            return base.without_point(message.point)
        return self._by_hand(base, message)

    def _by_hand(self, base: SessionObject, message: Refine | Morph | Paint) -> SessionObject:
        """Return an object after a step that is no prompt of one's own.

        Raises:
            BadMessageError: there is nothing to refine, or nothing to erase.
        """
        if isinstance(message, Refine):
            if base.given is None or base.prompts:
                raise BadMessageError(f"expected object {base.id} to be a given mask that the model wasn't asked about")
            return self._aimed(base, base.with_step(RefineStep()), message.window)
        if isinstance(message, Morph):
            return base.with_step(MorphStep(operation=message.operation, size=message.size))
        if not message.label and not base.trail:
            raise BadMessageError("expected an object to erase from; a new one begins with paint")
        if message.click is not None:
            self._check_point(*message.click)
            clicked = base.with_point((*message.click, message.label), self.limits.max_points)
            base = self._aimed(base, clicked, message.window)
        return base.with_step(StrokeStep(path=message.path, radius=message.radius, label=message.label))

    def _aimed(self, base: SessionObject, subject: SessionObject, window: WindowXyxy | None) -> SessionObject:
        """Return an object with its new prompt asked where it is seen best: see `aimed`.

        Raises:
            BadCoordError: the window isn't on the picture.
        """
        if window is not None:
            check_window(window, self.image.size_hw)
        return aimed(base, subject, window, self.image.size_hw)

    def _check_point(self, x: float, y: float) -> None:
        check_point(x, y, self.image.width, self.image.height)


def grown(seq: int, base: SessionObject, subject: SessionObject) -> Query:
    """Return the query for an object out of another: what that was answered isn't asked again, if it still holds."""
    if base.answer is None or subject.trail[: len(base.trail)] != base.trail:
        return Query(seq, subject)
    return Query(seq, subject, len(base.trail), base.feedback, base.answer)
