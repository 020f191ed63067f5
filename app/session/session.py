"""The session: what one person has open, prompted and done. A pure state machine, no `await`, no model.

A message becomes either replies that are ready, or a `Query` for the engine whose `Answer` is handed back
to `commit`. Messages that change something are stepped one after the other; hovers only read and may overtake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.errors import BadMessageError, Reason
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
    Track,
    Undo,
    Unpoint,
)
from app.protocol.recipe import MaskStep, Recipe
from app.session.checks import check_room
from app.session.classes import Listed, classified
from app.session.clip_objects import as_clip_object
from app.session.contrast import visible_color
from app.session.following import cut, unfollowed
from app.session.history import Timeline
from app.session.names import given_class
from app.session.objects import Answer, Answered, SessionObject
from app.session.prompting import Prompted, Prompting
from app.session.query import HoverQuery, Query
from app.session.recipe import RecipeTimeline, timeline_of
from app.session.replies import StateMessage
from app.session.session_state import SessionState
from app.session.values import OpenClip, OpenImage

Change = Prompted | Combine | Choose | Label | SetClasses | RenameClass | Delete | Clear | Undo | Redo
"""Messages that change the objects or their classes, in ways that one query at most answers; `Give` takes several."""


class Session(SessionState):
    """Every decision about one session: what a message asks of the engine, and what its answer changes."""

    def timeline_of(self, recipe: Recipe, source: OpenImage | OpenClip) -> RecipeTimeline:
        """Return what a recipe holds, to be answered and handed to `open`; raises as `recipe.timeline_of`."""
        return timeline_of(recipe, source, self.limits, self.classes)

    def hover(self, message: Hover) -> HoverQuery:
        """Return the query that shows what a click here would give.

        Raises:
            NoImageError, BadCoordError, UnknownObjectError, TooManyPointsError: see `app.errors`.
        """
        query = self._prompting.hover(message)
        return HoverQuery(query, self._require_image(), message.x, message.y, message.object, self.answering)

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
            return self._with_room(self._prompting.combined(message, combined))
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
            items.append(self._whole(item))
        self._timeline.put(*items, classes=classes, gone=gone)
        self._next_id = max(self._next_id, *(item.id + 1 for item in items))
        return self._shown(seq, before)

    def given(self, message: Give) -> list[Query]:
        """Return a query for each object that was made elsewhere; the answers go to `commit_all`, or none of them.

        Raises:
            HoverError: there is no room for all of them, or no session could have made one; see `Prompting.given`.
        """
        queries = self._prompting.given(message)
        self._check_room([query.subject for query in queries])
        return queries

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
        item = self.views.get(message.object) if wants and message.object is not None else None
        return None if item is None or len(item.points) >= self.limits.max_points else item

    def undrawn(self, message: Choose) -> SessionObject | None:
        """Return the object of a choice whose candidate isn't drawn in full yet.

        It is to be drawn, and the object's new answer handed to `renew`, before the change is stepped.
        """
        item = None if self.has_handled(message.seq) else self.views.get(message.object)
        return item if item is not None and item.answer is not None and item.answer.lacks(message.candidate) else None

    def track(self, message: Track) -> list[StateMessage]:
        """Have objects followed through the clip: it is in their trails from now on. Return the replies.

        Raises:
            BadMessageError: no clip is open, an object isn't on the frame, or there is nowhere to follow it to.
            UnknownObjectError: there is no such object.
            TooManyObjectsError: too many are followed at once.
        """
        if self.has_handled(message.seq):
            return self.told_again(message.seq)
        clip, before = self.require_clip(), self._timeline.now
        for id_ in message.objects or ():
            self._prompting.object(id_)
        items = clip.followed(message, self.objects, self.limits.max_tracked_objects)
        self._check_room([], items)
        if items:
            self._timeline.put(*items)
        return self._shown(message.seq, before)

    def stop(self, seq: int) -> list[StateMessage]:
        """Have no object followed any further: their trails say how far they came. Return the replies.

        Raises:
            BadMessageError: no clip is open, or nothing is followed.
        """
        if self.has_handled(seq):
            return self.told_again(seq)
        clip = self.require_clip()
        items = map(as_clip_object, self.objects.values())
        keys = frozenset(each.one.key for item in items for each in unfollowed(item, clip.tracked))
        if not keys:
            raise BadMessageError(Reason("track_idle", "expected objects that are being followed; nothing is"))
        return self.cut_short(seq, keys)

    def cut_short(self, seq: int, keys: frozenset[str]) -> list[StateMessage]:
        """Let some passes end where they have come to, in every step of the history; return the replies.

        Args:
            seq: of the change.
            keys: of the passes.
        """
        clip, before = self.require_clip(), self._timeline.now
        self._timeline.rewrite(lambda item: cut(as_clip_object(item), clip.tracked, keys))
        self._timeline.drop_idle_step()
        return self._shown(seq, before)

    def _prompt(self, message: Prompted) -> Query | list[StateMessage]:
        """Return the query for a changed prompt or mask; an object left without either is gone."""
        query = self._prompting.query(message)
        if not query.subject.is_empty:
            return self._with_room(query)
        before, left = self._timeline.now, self._whole(query.subject)
        if left.is_empty:
            self._timeline.remove({left.id})
        else:
            self._timeline.put(left)
        return self._shown(message.seq, before)

    def _classify(self, message: SetClasses | RenameClass) -> None:
        """Change the list of classes; before a picture is open that is no step of the history."""
        classes, renamed = classified(self.classes, self.objects.values(), message)
        if classes == self.classes and not renamed:
            return
        if self.image is None:
            self._timeline = Timeline(self.limits.max_history, self.limits.max_history_bytes, classes)
        else:
            self._timeline.put(*renamed, classes=classes)

    def _edit(self, message: Choose | Label | Delete | Clear | Undo | Redo) -> None:
        """Make a change that needs no engine."""
        if isinstance(message, Choose):
            self._timeline.put(self._whole(self._prompting.object(message.object).with_candidate(message.candidate)))
        elif isinstance(message, Label):
            item = replace(self.objects[self._prompting.object(message.object).id], name=message.name)
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
        return Prompting(self._require_image(), self.views, self._next_id, self.limits)

    def _whole(self, view: SessionObject) -> SessionObject:
        """Return an object as the history has it: that of a clip over all frames."""
        return view if self.clip is None else self.clip.merged(view, self.objects)

    def _with_room(self, query: Query) -> Query:
        """Return a query whose object there is room for; raises as `check_room`."""
        self._check_room([query.subject], gone=query.gone)
        return query

    def _check_room(
        self, views: Sequence[SessionObject], items: Sequence[SessionObject] = (), gone: Sequence[int] = ()
    ) -> None:
        """Refuse what no session could be made again from; raises as `check_room`."""
        changed = [*map(self._whole, views), *items]
        left_out = {*(item.id for item in changed), *gone}
        check_room([*changed, *(item for id_, item in self.objects.items() if id_ not in left_out)], self.limits)
