"""The state of a session: what is open, what was made of it, which model answers, and how that is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.errors import BadMessageError, NoImageError, Reason
from app.protocol.messages import Redo, Undo
from app.session.classes import ClassList
from app.session.clip_objects import ClipObject
from app.session.clip_state import ClipState, Views
from app.session.history import Objects, State, Timeline, difference
from app.session.limits import SessionLimits
from app.session.objects import Answered, SessionObject
from app.session.recipe import RecipeTimeline
from app.session.replies import StateMessage, Teller, Touched
from app.session.seqs import SeqNumbers
from app.session.tracked_masks import TrackedMasks
from app.session.values import OpenClip, OpenImage, StandIn


class SessionState:
    """What one person has open and has made.

    Attributes:
        limits: the session's bounds.
        image: the open picture, or the frame of a clip that is shown; None before the first.
        clip: what is worked on where it is a clip, else None.
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
        self.limits = limits
        self.model = model
        self.stand_in: StandIn | None = None
        self._timeline = Timeline(limits.max_history, limits.max_history_bytes)
        self._next_id = 1
        self.seqs = SeqNumbers()
        self.image: OpenImage | None = None
        self.clip: ClipState | None = None
        self.image_name: str | None = None

    @property
    def objects(self) -> Objects:
        """Objects by id, oldest first; those of a clip over all its frames."""
        return self._timeline.now.objects

    @property
    def views(self) -> Objects:
        """Objects by id, on a clip as they are on the frame that is shown."""
        return self.objects if self.clip is None else Views(self.objects, self.clip.view)

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
        clip: OpenClip | None = None,
        frame: int = 0,
    ) -> None:
        """Begin on a picture or clip; what was done on another is left behind, but for the classes.

        Args:
            seq: the message that asks.
            image: the picture.
            name: of its file, as the client gave it.
            timeline: what was done on it before, with the session's classes; None begins afresh.
            model: the one to go on with; None goes on with the one that the session has.
            stand_in: name of the model that answered it and goes on until `switch`; None where `model` did.
            clip: where it is one, `image` being a frame of it.
            frame: number of that frame.
        """
        self.model = model or self.model
        self.stand_in = None if stand_in is None else StandIn(stand_in, seq)
        self.image, self.image_name = image, name
        self.clip = None if clip is None else ClipState(clip, frame, TrackedMasks(self.limits.max_tracked_bytes))
        self._timeline = Timeline(self.limits.max_history, self.limits.max_history_bytes, self.classes)
        if timeline is not None:
            self._timeline.adopt(timeline.past, timeline.now, timeline.future)
            self._next_id = max(
                [
                    self._next_id,
                    *(1 + id_ for each in (timeline.now, *timeline.past, *timeline.future) for id_ in each.objects),
                ]
            )
        self.seqs.done[seq] = Touched()

    def show_frame(self, seq: int, index: int, image: OpenImage) -> None:
        """Show another frame of the clip, on which prompts are made from now on.

        Args:
            seq: the message that asks.
            index: number of the frame.
            image: the frame.
        """
        self.require_clip().frame, self.image = index, image
        self.seqs.done[seq] = Touched()

    def unchanged(self, seq: int) -> list[StateMessage]:
        """Return the replies to a message that changes nothing of the session."""
        self.seqs.done[seq] = Touched()
        return self.told_again(seq)

    def has_handled(self, seq: int) -> bool:
        """Return whether this change was made before: it is to be answered from the state."""
        return seq in self.seqs.done

    def told_again(self, seq: int) -> list[StateMessage]:
        """Return the replies to a change that was made before, from the state as it is now."""
        return self._tell(seq, self.seqs.done[seq])

    def missing(self, message: Undo | Redo) -> list[SessionObject]:
        """Return the objects that an undo or redo brings back without an answer of the model that answers now.

        On a clip they are as of the frame that is shown. They are to be predicted again and handed to `renew` before
        the change is stepped.
        """
        if self.has_handled(message.seq):
            return []
        state = self._timeline.before if isinstance(message, Undo) else self._timeline.after
        return [item for item in self._prompted(state) if item.answer is None]

    def prompted(self) -> list[SessionObject]:
        """Return the objects that were prompted on the picture, or on the frame that is shown."""
        return self._prompted(self._timeline.now)

    def renew(self, answered: Sequence[Answered], frame: int | None = None) -> None:
        """Give objects of the history their answers, in every step in which they are made in the same way.

        Args:
            answered: objects, those of a clip as of one frame.
            frame: the number of that one; None for what is shown.
        """
        at = self.clip.frame if self.clip is not None and frame is None else frame

        def changed(item: SessionObject) -> SessionObject:
            for view, answer in answered:
                if view.id != item.id:
                    continue
                if not isinstance(item, ClipObject):
                    item = replace(item, answer=answer) if item.trail == view.trail else item
                elif at is not None and item.prompted.get(at) == view.trail:
                    item = item.with_view(at, item.on(at).predicted(answer))
            return item

        self._timeline.rewrite(changed)

    def switch(self, seq: int, model: str, answered: Sequence[Answered]) -> None:
        """Go on with another model, or with the session's own after a stand-in; it has predicted what is shown again.

        Decision: a switch is no step of the history. Context: each step holds its objects' masks and logits, which
        another model can neither show nor refine. Choice: steps keep their prompts and lose their answers; undo and
        redo predict what they bring back, when they do (`missing`). Price: the first undo after a switch waits for
        the model, and undo never goes back to the old one.
        """
        answers = {id(item): answer for item, answer in answered}
        self._timeline.rewrite(lambda item: item.predicted(answers.get(id(item))))
        if self.clip is not None:
            self.clip.forget(self.limits.max_tracked_bytes)
            self.renew(answered)
        self.model, self.stand_in = model, None
        self.seqs.done[seq] = Touched()

    def require_clip(self) -> ClipState:
        """Return the clip that is worked on.

        Raises:
            BadMessageError: none is.
        """
        if self.clip is None:
            raise BadMessageError(Reason("clip_none", "expected an open clip for this; open one first"))
        return self.clip

    def everything(self, seq: int) -> list[StateMessage]:
        """Return the classes and every object as they are now, for a client that starts from nothing."""
        return self._teller.everything(seq)

    def switched(self, seq: int, *, cached: bool = True, encode_ms: float = 0.0) -> list[StateMessage]:
        """Return the replies to a switch: picture, classes and every object; an empty `gone` without a picture."""
        return [*self._teller.opened_clip(seq), *self.shown(seq, cached=cached, encode_ms=encode_ms)]

    def shown(self, seq: int, *, cached: bool = True, encode_ms: float = 0.0) -> list[StateMessage]:
        """Return the same without what is told of a clip as a whole."""
        if self.image is None:
            return [*self._teller.everything(seq), self._teller.gone(seq, [])]
        image = self._teller.image(seq, self.image, self.model, cached=cached, encode_ms=encode_ms)
        return self._teller.picture(seq, image)

    @property
    def _teller(self) -> Teller:
        return Teller(self._timeline, self.clip, self.stand_in is not None)

    def _prompted(self, state: State) -> list[SessionObject]:
        """Return the objects of a state that were prompted on what is shown."""
        items = state.objects.values()
        return [*items] if self.clip is None else [one for one in map(self.clip.prompted, items) if one.trail]

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
        self.seqs.done[seq] = touched
        return self._tell(seq, touched)

    def _tell(self, seq: int, touched: Touched) -> list[StateMessage]:
        return self._teller.touched(seq, touched)
