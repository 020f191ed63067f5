"""Begins one session's work: on a picture, on a clip, on another frame of it; with all that was done there before."""

from __future__ import annotations

import contextlib

from app.clips import frame_source, is_clip_name
from app.errors import BadMessageError, HoverError, ImageTooLargeError, Reason
from app.protocol.messages import Open, Progress, ShowFrame
from app.realtime.hovers import HoverWorker
from app.realtime.outbox import Outbox
from app.realtime.queue_position import embedded_in_turn
from app.realtime.switching import ModelSwitch
from app.service.backend import Encoded
from app.service.predictor import Predictor
from app.session.clip_objects import as_clip_object
from app.session.clip_state import check_frame
from app.session.objects import Answered, SessionObject
from app.session.query import Query
from app.session.recipe import RecipeTimeline
from app.session.replies import StateMessage
from app.session.session import Session
from app.session.values import OpenImage


class Opening:
    """Opens what one session asks for. In turn with its other changes."""

    def __init__(
        self,
        session: Session,
        hovers: HoverWorker,
        outbox: Outbox,
        predictor: Predictor,
        models: ModelSwitch,
        *,
        max_inline_bytes: int,
    ) -> None:
        """Join what it takes.

        Args:
            session: what is opened for.
            hovers: of the same session; another picture concerns them.
            outbox: where progress goes.
            predictor: what encodes and answers.
            models: brings the session to the model of a recipe.
            max_inline_bytes: of a picture inside a message.
        """
        self._session, self._hovers, self._outbox, self._predictor = session, hovers, outbox, predictor
        self._models, self._max_inline_bytes = models, max_inline_bytes

    async def open(self, message: Open) -> list[StateMessage]:
        """Begin on a picture or clip, or go on with what a recipe says was done; return the replies.

        Raises:
            HoverError: it can't be; nothing of the session has changed.
        """
        image_id = message.image_id or ""
        if message.data is not None:
            image_id = await self._take_inline(message.seq, message.data)
        if is_clip_name(image_id):
            return await self._open_clip(message, image_id)
        if message.frame:
            raise BadMessageError(Reason("clip_none", "expected an open clip for this; open one first"))
        return await self._open_picture(message, image_id)

    async def show_frame(self, message: ShowFrame) -> list[StateMessage]:
        """Show another frame of the clip; return the replies. Raises as `open`."""
        session = self._session
        clip = session.require_clip().clip
        if session.has_handled(message.seq):
            return session.shown(message.seq)
        check_frame(clip, message.index)
        image = await self._predictor.sources.info(frame_source(clip.clip_id, message.index))
        key = self._predictor.key(image.image_id, session.answering)
        embedded = await embedded_in_turn(self._predictor.backend, self._outbox, message.seq, key)
        views = [as_clip_object(item).on(message.index) for item in session.objects.values()]
        answered = await self._answered(image, views, session.answering)
        # From here on the session is on this frame.
        self._hovers.drop()
        session.show_frame(message.seq, message.index, image)
        session.renew(answered)
        return session.shown(message.seq, cached=embedded.cached, encode_ms=embedded.encode_ms)

    async def _open_clip(self, message: Open, clip_id: str) -> list[StateMessage]:
        """Begin on a frame of a clip; objects are answered there, on the others when somebody looks at them."""
        session, seq = self._session, message.seq
        clip = await self._predictor.clips.info(clip_id)
        check_frame(clip, message.frame)
        image = await self._predictor.sources.info(frame_source(clip_id, message.frame))
        timeline, model = None, session.model
        views: list[SessionObject] = []
        if message.recipe is not None:
            timeline = session.timeline_of(message.recipe, clip)
            model = await self._models.made_with(message.recipe, seq)
            views = [as_clip_object(item).on(message.frame) for item in timeline.now.objects.values()]
        key = self._predictor.key(image.image_id, model)
        embedded = await embedded_in_turn(self._predictor.backend, self._outbox, seq, key)
        answered = await self._answered(image, views, model)
        # From here on the session is on this clip.
        self._hovers.drop()
        session.open(seq, image, message.name, timeline=timeline, model=model, clip=clip, frame=message.frame)
        session.renew(answered)
        return session.switched(seq, cached=embedded.cached, encode_ms=embedded.encode_ms)

    async def _open_picture(self, message: Open, image_id: str) -> list[StateMessage]:
        """Encode a picture, if it isn't yet, and begin on it."""
        session, seq = self._session, message.seq
        # Which picture, and what was done on it before.
        image = await self._predictor.sources.info(image_id)
        timeline, model = None, session.model
        if message.recipe is not None:
            timeline = session.timeline_of(message.recipe, image)
            model = await self._models.made_with(message.recipe, seq)
        # A model that is quicker may answer first. Whichever does, the session changes only once all is answered.
        stand_in = self._predictor.stand_in(image.image_id, model) if message.provisional else None
        embedded: Encoded | None = None
        if stand_in is not None:
            with contextlib.suppress(HoverError):  # what it can't do is left to the model itself
                embedded, done = await self._seen(seq, image, timeline, stand_in)
        if embedded is None:
            stand_in = None
            embedded, done = await self._seen(seq, image, timeline, model)
        # From here on the session is on this picture.
        self._hovers.drop()
        session.open(seq, image, message.name, timeline=done, model=model, stand_in=stand_in)
        return session.switched(seq, cached=embedded.cached, encode_ms=embedded.encode_ms)

    async def _seen(
        self, seq: int, image: OpenImage, timeline: RecipeTimeline | None, model: str
    ) -> tuple[Encoded, RecipeTimeline | None]:
        """Return a picture's embedding by a model, and what was done on it with that model's answers."""
        key = self._predictor.key(image.image_id, model)
        embedded = await embedded_in_turn(self._predictor.backend, self._outbox, seq, key)
        if timeline is not None:
            queries = [Query(seq, item) for item in timeline.now.objects.values()]
            timeline = timeline.answered([await self._predictor.answer(image, query, model) for query in queries])
        return embedded, timeline

    async def _answered(self, image: OpenImage, views: list[SessionObject], model: str) -> list[Answered]:
        """Return the answers of objects that were prompted on a frame and have none yet."""
        missing = [view for view in views if view.trail and view.answer is None]
        return [(view, await self._predictor.replayed(image, view, model)) for view in missing]

    async def _take_inline(self, seq: int, data: bytes) -> str:
        """Keep a picture that rode in a message; return its name."""
        limit = self._max_inline_bytes
        if len(data) > limit:
            raise ImageTooLargeError(f"a picture in a message may have {limit} bytes, got {len(data)}; upload it")
        self._outbox.put(Progress(seq=seq, stage="decoding"))
        return (await self._predictor.pictures.add(data)).image_id
