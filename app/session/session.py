"""The session: what one person has open, prompted and done. A pure state machine, no `await`, no model.

A message becomes either replies that are ready, or a `Query` for the engine whose `Answer` is handed back
to `commit`. Messages that change something are stepped one after the other; hovers only read and may overtake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cachetools import FIFOCache
from msgspec import structs

from app.errors import BadMessageError, NoImageError
from app.protocol.messages import (
    Box,
    Choose,
    Clear,
    Click,
    Combine,
    Delete,
    Give,
    Hover,
    Label,
    Morph,
    Move,
    Paint,
    Preview,
    Redo,
    Refine,
    RenameClass,
    SetClasses,
    Undo,
    Unpoint,
)
from app.protocol.recipe import MaskStep, Recipe
from app.session.classes import ClassList, Listed, classified
from app.session.contrast import visible_color
from app.session.history import Objects, State, Timeline, difference
from app.session.limits import SessionLimits
from app.session.names import given_class
from app.session.objects import Answer, Answered, SessionObject
from app.session.prompting import Prompted, Prompting
from app.session.query import HoverQuery, Query
from app.session.recipe import RecipeTimeline, timeline_of
from app.session.replies import (
    REMEMBERED_SEQS,
    StateMessage,
    Touched,
    tell_everything,
    tell_gone,
    tell_image,
    tell_touched,
)
from app.session.values import OpenImage, StandIn

Change = Prompted | Combine | Choose | Label | SetClasses | RenameClass | Delete | Clear | Undo | Redo
"""Messages that change the objects or their classes, in ways that one query at most answers; `Give` takes several."""


class Session:
    """The state of one session and every decision about it.

    Attributes:
        image: the open picture, or None.
        image_name: the picture's file name as the client gave it, or None.
        model: name of the session's model.
        stand_in: what answers until the model has seen the picture; None where the model itself does. Every answer of
            the objects as they are now is of the one that does.
    """

    def __init__(self, limits: SessionLimits, model: str) -> None:
        """Begin without a picture.

        Args:
            limits: the session's bounds.
            model: name of the model that it begins with.
        """
        self._limits = limits
        self.model = model
        self.stand_in: StandIn | None = None
        self._timeline = Timeline(limits.max_history, limits.max_history_bytes)
        self._next_id = 1
        self._last_seq = -1
        self._admitted: FIFOCache[int, None] = FIFOCache(REMEMBERED_SEQS)
        self._handled: FIFOCache[int, Touched] = FIFOCache(REMEMBERED_SEQS)
        self.image: OpenImage | None = None
        self.image_name: str | None = None

    @property
    def objects(self) -> Objects:
        """Objects by id, oldest first."""
        return self._timeline.now.objects

    @property
    def classes(self) -> ClassList:
        """The classes, which go on from picture to picture."""
        return self._timeline.now.classes

    @property
    def answering(self) -> str:
        """Name of the model that answers now."""
        return self.model if self.stand_in is None else self.stand_in.model

    def open(
        self,
        seq: int,
        image: OpenImage,
        name: str | None = None,
        *,
        timeline: RecipeTimeline | None = None,
        model: str | None = None,
        stand_in: str | None = None,
    ) -> None:
        """Begin on a picture; what was done on another is left behind, but for the classes.

        Args:
            seq: the message that asks.
            image: the picture.
            name: of its file, as the client gave it.
            timeline: what was done on it before, with the session's classes; None begins afresh.
            model: the one to go on with; None goes on with the one that the session has.
            stand_in: name of the model that answered it and goes on until `switch`; None where `model` did.
        """
        self.model = model or self.model
        self.stand_in = None if stand_in is None else StandIn(stand_in, seq)
        self.image, self.image_name = image, name
        self._timeline = Timeline(self._limits.max_history, self._limits.max_history_bytes, self.classes)
        if timeline is not None:
            self._timeline.adopt(timeline.past, timeline.now, timeline.future)
            self._next_id = max(
                [
                    self._next_id,
                    *(1 + id_ for each in (timeline.now, *timeline.past, *timeline.future) for id_ in each.objects),
                ]
            )
        self._handled[seq] = Touched()

    def timeline_of(self, recipe: Recipe, image: OpenImage) -> RecipeTimeline:
        """Return what a recipe holds, to be answered and handed to `open`; raises as `recipe.timeline_of`."""
        return timeline_of(recipe, image, self._limits, self.classes)

    def has_handled(self, seq: int) -> bool:
        """Return whether this change was made before: it is to be answered from the state."""
        return seq in self._handled

    def admit(self, seq: int, *, change: bool) -> None:
        """Take note of a message as it arrives; a change that was admitted before may come again.

        Raises:
            BadMessageError: the number isn't above every number before, and no change had it.
        """
        if seq > self._last_seq:
            self._last_seq = seq
        elif not (change and seq in self._admitted):
            raise BadMessageError(f"seq must rise with every message: expected more than {self._last_seq}, got {seq}")
        if change:
            self._admitted[seq] = None

    def hover(self, message: Hover) -> HoverQuery:
        """Return the query that shows what a click here would give.

        Raises:
            NoImageError, BadCoordError, UnknownObjectError, TooManyPointsError: see `app.errors`.
        """
        query = self._prompting.hover(message)
        return HoverQuery(query, self._require_image(), message.x, message.y, message.object, self.answering)

    def told_again(self, seq: int) -> list[StateMessage]:
        """Return the replies to a change that was made before, from the state as it is now."""
        return self._tell(seq, self._handled[seq])

    def preview(self, hover: HoverQuery, answer: Answer) -> Preview:
        """Return the reply to a hover."""
        return Preview(
            seq=hover.query.seq,
            x=hover.x,
            y=hover.y,
            object=hover.object,
            best=answer.best,
            masks=answer.masks,
            provisional=hover.model != self.model,
        )

    def step(self, message: Change, combined: MaskStep | None = None) -> Query | list[StateMessage]:
        """Return what a change needs: its replies, or a query whose answer goes to `commit`.

        A `seq` that was handled before is answered from the state.

        Args:
            message: the change.
            combined: what the objects of a `combine` are together, see `combining`.

        Raises:
            HoverError: the change can't be made; nothing of the session has changed.
        """
        if self.has_handled(message.seq):
            return self.told_again(message.seq)
        before = self._timeline.now
        if isinstance(message, (SetClasses, RenameClass)):
            self._classify(message)
            return self._shown(message.seq, before, classes=True)
        self._require_image()
        if isinstance(message, Combine):
            return self._prompting.combined(message, combined)
        if isinstance(message, (Click, Box, Move, Unpoint, Refine, Paint, Morph)):
            return self._prompt(message)
        self._edit(message)
        return self._shown(message.seq, before)

    def commit(self, query: Query, answer: Answer) -> list[StateMessage]:
        """Take the engine's answer into the history; return the replies.

        Raises:
            UnknownObjectError: the click was to take a candidate that there isn't; nothing has changed.
            BadMessageError: it begins a class that has no room; nothing has changed.
        """
        return self.commit_all(query.seq, [(query.subject, answer)], query.gone)

    def commit_all(
        self, seq: int, answered: Sequence[Answered], gone: Sequence[int] = (), listed: Sequence[Listed] = ()
    ) -> list[StateMessage]:
        """Take objects and their answers into the history in one step; return the replies. Raises as `commit`.

        Args:
            seq: of the change.
            answered: new and changed objects.
            gone: objects that go with it.
            listed: classes that come to the end of the list, before those of the objects.
        """
        before, classes, items = self._timeline.now, self.classes.with_listed(listed), []
        used = [before.classes.color_of(item) for item in before.objects.values()]
        for subject, answer in answered:
            item = subject.answered(answer)
            if self.image is not None and item.id not in before.objects:
                item = replace(item, color=visible_color(item.color, self.image, answer.masks[item.chosen], used))
                used.append(item.color)
            classes = classes.with_class(given_class(item), item.color)
            items.append(item)
        self._timeline.put(*items, classes=classes, gone=gone)
        self._next_id = max(self._next_id, *(item.id + 1 for item in items))
        return self._shown(seq, before)

    def given(self, message: Give) -> list[Query]:
        """Return a query for each object that was made elsewhere; the answers go to `commit_all`, or none of them.

        Raises:
            HoverError: there is no room for all of them, or no session could have made one; see `Prompting.given`.
        """
        return self._prompting.given(message)

    def combining(self, message: Combine) -> list[SessionObject]:
        """Return the objects that are to be combined, the first one first; none where it was done before.

        What they are together goes to `step` with the message.

        Raises:
            UnknownObjectError: one isn't there.
            BadMessageError: one is named twice.
        """
        return [] if self.has_handled(message.seq) else self._prompting.combining(message)

    def smart(self, message: Paint) -> SessionObject | None:
        """Return the object for which a stroke's click is to be found, or None where it needs none.

        The click goes to `step` as that of the message.
        """
        wants = message.smart and message.click is None and not self.has_handled(message.seq)
        item = self.objects.get(message.object) if wants and message.object is not None else None
        return None if item is None or len(item.points) >= self._limits.max_points else item

    def missing(self, message: Undo | Redo) -> list[SessionObject]:
        """Return the objects that an undo or redo brings back without an answer of the model that answers now.

        They are to be predicted again and handed to `renew` before the change is stepped.
        """
        if self.has_handled(message.seq):
            return []
        state = self._timeline.before if isinstance(message, Undo) else self._timeline.after
        return [item for item in state.objects.values() if item.answer is None]

    def undrawn(self, message: Choose) -> SessionObject | None:
        """Return the object of a choice whose candidate isn't drawn in full yet.

        It is to be drawn, and the object's new answer handed to `renew`, before the change is stepped.
        """
        item = None if self.has_handled(message.seq) else self.objects.get(message.object)
        return item if item is not None and item.answer is not None and item.answer.lacks(message.candidate) else None

    def renew(self, answered: Sequence[Answered]) -> None:
        """Give objects of the history their answers, in every step in which they are."""
        answers = {id(item): answer for item, answer in answered}
        self._timeline.rewrite(lambda item: replace(item, answer=answers[id(item)]) if id(item) in answers else item)

    def switch(self, seq: int, model: str, answered: Sequence[Answered]) -> None:
        """Go on with another model, or with the session's own after a stand-in; it has predicted all objects again.

        Decision: a switch is no step of the history. Context: each step holds its objects' masks and logits, which
        another model can neither show nor refine. Choice: steps keep their prompts and lose their answers; undo and
        redo predict what they bring back, when they do (`missing`). Price: the first undo after a switch waits for
        the model, and undo never goes back to the old one.
        """
        answers = {id(item): answer for item, answer in answered}
        self._timeline.rewrite(lambda item: item.predicted(answers.get(id(item))))
        self.model, self.stand_in = model, None
        self._handled[seq] = Touched()

    def everything(self, seq: int) -> list[StateMessage]:
        """Return the classes and every object as they are now, for a client that starts from nothing."""
        return tell_everything(self._timeline, seq, provisional=self.stand_in is not None)

    def switched(self, seq: int, *, cached: bool = True, encode_ms: float = 0.0) -> list[StateMessage]:
        """Return the replies to a switch: picture, classes and every object; an empty `gone` without a picture."""
        if self.image is None:
            return [*self.everything(seq), tell_gone(self._timeline, seq, [])]
        image = tell_image(self.image, self.model, seq, provisional=self.stand_in is not None)
        told: list[StateMessage] = [structs.replace(image, cached=cached, encode_ms=encode_ms), *self.everything(seq)]
        may_travel = self._timeline.can_undo or self._timeline.can_redo
        if may_travel and not self.objects:
            told.append(tell_gone(self._timeline, seq, []))  # which says that there are steps
        return told

    def _prompt(self, message: Prompted) -> Query | list[StateMessage]:
        """Return the query for a changed prompt or mask; an object left without either is gone."""
        query = self._prompting.query(message)
        if not query.subject.is_empty:
            return query
        before = self._timeline.now
        self._timeline.remove({query.subject.id})
        return self._shown(message.seq, before)

    def _classify(self, message: SetClasses | RenameClass) -> None:
        """Change the list of classes; before a picture is open that is no step of the history."""
        classes, renamed = classified(self.classes, self.objects.values(), message)
        if classes == self.classes and not renamed:
            return
        if self.image is None:
            self._timeline = Timeline(self._limits.max_history, self._limits.max_history_bytes, classes)
        else:
            self._timeline.put(*renamed, classes=classes)

    def _edit(self, message: Choose | Label | Delete | Clear | Undo | Redo) -> None:
        """Make a change that needs no engine."""
        if isinstance(message, Choose):
            self._timeline.put(self._prompting.object(message.object).with_candidate(message.candidate))
        elif isinstance(message, Label):
            item = replace(self._prompting.object(message.object), name=message.name)
            self._timeline.put(item, classes=self.classes.with_class(given_class(item), item.color))
        elif isinstance(message, Delete):
            self._timeline.remove({self._prompting.object(message.object).id})
        elif isinstance(message, Clear):
            self._timeline.remove(set(self.objects))
        elif isinstance(message, Undo):
            self._timeline.undo()
        else:
            self._timeline.redo()

    @property
    def _prompting(self) -> Prompting:
        """What prompts are made on now."""
        return Prompting(self._require_image(), self.objects, self._next_id, self._limits)

    def _require_image(self) -> OpenImage:
        if self.image is None:
            raise NoImageError("expected an open picture before a prompt; send open first")
        return self.image

    def _shown(self, seq: int, before: State, *, classes: bool = False) -> list[StateMessage]:
        """Return the messages that bring a client from `before` to now, and remember whom they concern.

        Args:
            seq: of the change.
            before: the state that it found.
            classes: True tells the list also where it is the same.
        """
        changed, gone = difference(before, self._timeline.now)
        classes |= before.classes != self.classes
        touched = Touched((*(item.id for item in changed), *gone), classes)
        self._handled[seq] = touched
        return self._tell(seq, touched)

    def _tell(self, seq: int, touched: Touched) -> list[StateMessage]:
        return tell_touched(self._timeline, seq, touched, provisional=self.stand_in is not None)
