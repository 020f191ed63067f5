"""One session's changes, in order: pictures opened, prompts answered, objects edited; one after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Final, TypeAlias

from msgspec import structs

from app.errors import BadMessageError, BusyError, HoverError, ImageTooLargeError, Reason
from app.protocol.messages import (
    Choose,
    Combine,
    Export,
    FindRegions,
    Give,
    Look,
    Model,
    Open,
    Paint,
    Progress,
    Redo,
    ShowFrame,
    Stop,
    Track,
    Undo,
)
from app.protocol.recipe import MaskStep, StrokeStep
from app.realtime.closing import error_message
from app.realtime.exports import ExportWorker
from app.realtime.flag import Flag
from app.realtime.hovers import HoverWorker
from app.realtime.looks import LookOut
from app.realtime.outbox import Outbox
from app.realtime.queue_position import embedded_in_turn
from app.realtime.regions import RegionSearch
from app.realtime.switching import ModelSwitch
from app.service.backend import Encoded
from app.service.by_hand import click_of
from app.service.predictor import Predictor
from app.service.shared_state import SharedState
from app.session.query import Query
from app.session.recipe import RecipeTimeline
from app.session.replies import StateMessage
from app.session.session import Change, Session
from app.session.values import OpenImage

Ordered: TypeAlias = Change | Give | Open | ShowFrame | Track | Stop | Model | FindRegions | Look | Export
"""Messages that are worked off in the order in which they came."""
RESUME_SEQ: Final = 0
"""`seq` of what a resumed client is told without having asked."""
BUSY_RETRY_S: Final = 0.5
"""A client may send a change again after it; a few changes are made in it, so that there is room by then."""


class ChangeWorker:
    """Keeps one session's changes in order and makes them.

    Attributes:
        opening: number of pictures that were asked for and aren't ready.
        exports: makes the files that were asked for.
        models: brings the session to other models.
        regions: looks for the things of the picture.
        looks: has what is seen of it encoded by itself.
    """

    def __init__(
        self,
        session: Session,
        hovers: HoverWorker,
        outbox: Outbox,
        predictor: Predictor,
        shared_state: SharedState,
        *,
        max_waiting: int,
    ) -> None:
        """Begin without a change.

        Args:
            session: what is changed.
            hovers: of the same session; another picture or model concerns them.
            outbox: where the answers go.
            predictor: what answers prompts.
            shared_state: what all sessions share.
            max_waiting: changes that may wait; one more is `busy`.
        """
        self._max_waiting = max_waiting
        self._session, self._hovers, self._outbox = session, hovers, outbox
        self._predictor, self._shared_state = predictor, shared_state
        self._backend = predictor.backend
        self.exports = ExportWorker(session, outbox, shared_state.exporter, predictor)
        self.models = ModelSwitch(session, hovers, outbox, predictor)
        self.regions = RegionSearch(session, outbox, predictor)
        self.looks = LookOut(session, outbox, predictor)
        self.opening = 0
        self._queue: deque[Ordered] = deque()
        self._came = Flag()
        self._at_work = self._is_held = False
        self._at_rest: asyncio.Future[None] | None = None

    def put(self, message: Ordered) -> None:
        """Queue a change.

        Raises:
            BusyError: as many wait as may.
        """
        if len(self._queue) >= self._max_waiting:
            waiting = f"{self._max_waiting} changes of this session wait already; send it again"
            raise BusyError(waiting, retry_after_s=BUSY_RETRY_S)
        self._queue.append(message)
        self._came.set()
        self.opening += isinstance(message, Open)

    def hold(self) -> None:
        """Let no further change begin; what waits is asked again of the next server."""
        self._is_held = True

    async def at_rest(self) -> None:
        """Return once the change at hand is made."""
        if self._at_work:
            self._at_rest = asyncio.get_running_loop().create_future()
            await self._at_rest

    async def run(self) -> None:
        """Work until the task is cancelled; a change that fails is answered, and the next goes on."""
        while True:
            message = await self._next()
            try:
                async with self.models.turn:
                    await self._change(message)
            except HoverError as error:
                self._outbox.put(error_message(error, message.seq))

    def tell_again(self, seq: int) -> None:
        """Send the picture and every object as they are now; no objects where no picture is open."""
        image = self._session.image
        cached = image is not None and self._backend.holds(self._predictor.key(image.image_id, self._session.answering))
        self._outbox.put_answer(self._session.switched(seq, cached=cached))
        self.models.finish()

    async def _next(self) -> Ordered:
        """Return the oldest change, once there is one and unless no more are to be made; the one before is done."""
        self._at_work = False
        if self._at_rest is not None and not self._at_rest.done():
            self._at_rest.set_result(None)
        while self._is_held or not self._queue:
            self._came.clear()
            await self._came.wait()
        self._at_work = True
        return self._queue.popleft()

    async def _change(self, message: Ordered) -> None:
        if isinstance(message, (Open, Model)):
            self.regions.drop()
            self.looks.drop()
        if isinstance(message, Open):
            try:
                await self._open(message)
            finally:
                self.opening -= 1
        elif isinstance(message, (ShowFrame, Track, Stop)):
            raise BadMessageError(Reason("clip_none", "expected an open clip for this; open one first"))
        elif isinstance(message, Model):
            if replies := await self.models.step(message):
                self._outbox.put_answer(replies)
        elif isinstance(message, FindRegions):
            self.regions.begin(message)
        elif isinstance(message, Look):
            self.looks.begin(message)
        elif isinstance(message, Export):
            self.exports.put(message)
            self.models.finish()
        elif isinstance(message, Give):
            self._outbox.put_answer(await self._given(message))
        else:
            self._outbox.put_answer(await self._stepped(message))

    async def _stepped(self, message: Change) -> list[StateMessage]:
        """Make a change of objects or classes; return the replies."""
        if isinstance(message, (Undo, Redo)):
            await self.models.renew(message)
        elif isinstance(message, Choose):
            await self._draw(message)
        combined = await self._combined(message) if isinstance(message, Combine) else None
        step = self._session.step(await self._clicked(message) if isinstance(message, Paint) else message, combined)
        return await self._answered(step) if isinstance(step, Query) else step

    async def _answered(self, query: Query) -> list[StateMessage]:
        session, image = self._session, self._session.image
        if image is None:
            raise AssertionError("a query needs a picture")
        if query.subject.is_windowed:
            return session.commit(*await self._predictor.answer_whole(image, query, session.answering))
        key = self._predictor.key(image.image_id, session.answering)  # as most are: of the whole picture
        return session.commit(query, await self._backend.answer(key, image.size_hw, query))

    async def _given(self, message: Give) -> list[StateMessage]:
        """Answer objects that were made elsewhere, all of them or none; return the replies."""
        session = self._session
        if session.has_handled(message.seq):
            return session.told_again(message.seq)
        queries, image = session.given(message), session.image
        if image is None:
            raise AssertionError("a query needs a picture")
        answers = [await self._predictor.answer(image, query, session.answering) for query in queries]
        items = [query.subject for query in queries]
        return session.commit_all(message.seq, list(zip(items, answers, strict=True)), listed=message.classes)

    async def _combined(self, message: Combine) -> MaskStep | None:
        """Return what objects are together, None where that was found before.

        It stays whatever model comes later, so that what a stand-in has answered is answered by the session's own.
        """
        session = self._session
        items, image = session.combining(message), session.image
        if not items or image is None:
            return None
        if session.stand_in is not None:
            items = [item.predicted(await self._predictor.replayed(image, item, session.model)) for item in items]
        return await self._shared_state.exporter.combined(image, items, message.operation)

    async def _clicked(self, message: Paint) -> Paint:
        """Return a smart stroke with its click."""
        item, image = self._session.smart(message), self._session.image
        if item is None or image is None:
            return message
        stroke = StrokeStep(path=message.path, radius=message.radius, label=message.label)
        return structs.replace(message, click=await asyncio.to_thread(click_of, item, stroke, image.size_hw))

    async def _draw(self, message: Choose) -> None:
        """Draw in full what a choice takes; until then a candidate is kept on the logit grid alone."""
        item, image = self._session.undrawn(message), self._session.image
        if item is not None and item.answer is not None and image is not None:
            answer = await self._predictor.drawn(image, item, item.answer, message.candidate)
            self._session.renew([(item, answer)])

    async def _open(self, message: Open) -> None:
        """Encode a picture, if it isn't yet, and begin on it, or go on with what a recipe says was done."""
        if self._session.image is not None and self._session.has_handled(message.seq):
            self.tell_again(message.seq)
            return
        # Which picture, and what was done on it before.
        image_id = message.image_id
        if message.data is not None:
            image_id = await self._take_inline(message.seq, message.data)
        image = await self._predictor.sources.info(image_id or "")
        timeline, model = None, self._session.model
        if message.recipe is not None:
            timeline = self._session.timeline_of(message.recipe, image)
            model = await self.models.made_with(message.recipe, message.seq)
        # A model that is quicker may answer first. Whichever does, the session changes only once all is answered.
        stand_in = self._predictor.stand_in(image.image_id, model) if message.provisional else None
        embedded: Encoded | None = None
        if stand_in is not None:
            with contextlib.suppress(HoverError):  # what it can't do is left to the model itself
                embedded, done = await self._seen(message.seq, image, timeline, stand_in)
        if embedded is None:
            stand_in = None
            embedded, done = await self._seen(message.seq, image, timeline, model)
        # From here on the session is on this picture.
        self._hovers.drop()
        self._session.open(message.seq, image, message.name, timeline=done, model=model, stand_in=stand_in)
        self._outbox.put_answer(
            self._session.switched(message.seq, cached=embedded.cached, encode_ms=embedded.encode_ms)
        )
        self.models.finish()

    async def _seen(
        self, seq: int, image: OpenImage, timeline: RecipeTimeline | None, model: str
    ) -> tuple[Encoded, RecipeTimeline | None]:
        """Return a picture's embedding by a model, and what was done on it with that model's answers."""
        key = self._predictor.key(image.image_id, model)
        embedded = await embedded_in_turn(self._backend, self._outbox, seq, key)
        if timeline is not None:
            queries = [Query(seq, item) for item in timeline.now.objects.values()]
            timeline = timeline.answered([await self._predictor.answer(image, query, model) for query in queries])
        return embedded, timeline

    async def _take_inline(self, seq: int, data: bytes) -> str:
        """Keep a picture that rode in a message; return its name."""
        limit = self._shared_state.limits.max_inline_bytes
        if len(data) > limit:
            raise ImageTooLargeError(f"a picture in a message may have {limit} bytes, got {len(data)}; upload it")
        self._outbox.put(Progress(seq=seq, stage="decoding"))
        return (await self._predictor.pictures.add(data)).image_id
