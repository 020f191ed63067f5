"""One session's changes, in order: pictures opened, prompts answered, objects edited; one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, TypeAlias

from msgspec import structs

from app.errors import BusyError, HoverError
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
from app.realtime.opening import Opening
from app.realtime.outbox import Outbox
from app.realtime.regions import RegionSearch
from app.realtime.switching import ModelSwitch
from app.realtime.tracks import TrackWorker
from app.service.by_hand import click_of, strays
from app.service.predictor import Predictor
from app.service.shared_state import SharedState
from app.session.objects import Answer
from app.session.query import Query
from app.session.replies import StateMessage
from app.session.session import Change, Session

Ordered: TypeAlias = Change | Give | Open | ShowFrame | Track | Stop | Model | FindRegions | Look | Export
"""Messages that are worked off in the order in which they came."""
RESUME_SEQ: Final = 0
"""`seq` of what a resumed client is told without having asked."""
AGAIN: Final = (Open, ShowFrame, Track, Model, Undo, Redo)
"""Changes after which is tried again what couldn't be followed before."""
BUSY_RETRY_S: Final = 0.5
"""A client may send a change again after it; a few changes are made in it, so that there is room by then."""


class ChangeWorker:
    """Keeps one session's changes in order and makes them.

    Attributes:
        opening: number of pictures and frames that were asked for and aren't ready.
        exports: makes the files that were asked for.
        models: brings the session to other models.
        regions: looks for the things of the picture.
        looks: has what is seen of it encoded by itself.
        tracks: follows the objects of a clip.
    """

    def __init__(
        self,
        session: Session,
        hovers: HoverWorker,
        outbox: Outbox,
        predictor: Predictor,
        shared_state: SharedState,
        *,
        owner: str,
        max_waiting: int,
    ) -> None:
        """Begin without a change.

        Args:
            session: what is changed.
            hovers: of the same session; another picture or model concerns them.
            outbox: where the answers go.
            predictor: what answers prompts.
            shared_state: what all sessions share.
            owner: names the session among all that the models work for.
            max_waiting: changes that may wait; one more is `busy`.
        """
        self._max_waiting = max_waiting
        self._session, self._hovers, self._outbox = session, hovers, outbox
        self._predictor, self._shared_state = predictor, shared_state
        self._backend = predictor.backend
        self.exports = ExportWorker(session, outbox, shared_state.exporter, predictor)
        self.tracks = TrackWorker(session, outbox, predictor, owner)
        self.models = ModelSwitch(session, hovers, outbox, predictor, self.tracks)
        self._openings = Opening(
            session,
            hovers,
            outbox,
            predictor,
            self.models,
            max_inline_bytes=shared_state.limits.max_inline_bytes,
        )
        self.regions = RegionSearch(session, outbox, predictor)
        self.looks = LookOut(session, outbox, predictor)
        hovers.on_lost = self.looks.lost
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
        if isinstance(message, ShowFrame) and self._queue and isinstance(self._queue[-1], ShowFrame):
            self._queue[-1] = message
            return
        if len(self._queue) >= self._max_waiting:
            waiting = f"{self._max_waiting} changes of this session wait already; send it again"
            raise BusyError(waiting, retry_after_s=BUSY_RETRY_S)
        self._queue.append(message)
        self._came.set()
        self.opening += isinstance(message, (Open, ShowFrame))
        if self._ends_tracking(message):
            self.tracks.halt()

    @staticmethod
    def _ends_tracking(message: Ordered) -> bool:
        return isinstance(message, Open) or (isinstance(message, Stop) and message.of is None)

    def hold(self) -> None:
        """Let no further change begin; what waits is asked again of the next server."""
        self._is_held = True
        self.tracks.halt()

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
            finally:
                self.opening -= isinstance(message, (Open, ShowFrame))
                if self._ends_tracking(message):
                    self.tracks.go_on()
            self.tracks.look(message.seq, is_track=isinstance(message, Track), again=isinstance(message, AGAIN))

    def tell_again(self, seq: int) -> None:
        """Send the picture and every object as they are now; no objects where no picture is open."""
        image = self._session.image
        cached = image is not None and self._backend.holds(self._predictor.key(image.image_id, self._session.answering))
        self._outbox.put_answer(self._session.switched(seq, cached=cached))
        self.models.finish()
        self.tracks.look(seq, again=True, is_answered=True)

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
        is_other = isinstance(message, ShowFrame) and self._session.clip is not None
        if is_other or isinstance(message, (Open, Model)):
            self.regions.drop()
            self.looks.drop()
        if isinstance(message, Open):
            await self._open(message)
        elif isinstance(message, ShowFrame):
            self._outbox.put_answer(await self._openings.show_frame(message))
        elif isinstance(message, Stop) and message.of is not None:
            self.exports.stop(message.of)
            self._outbox.put_answer(self._session.unchanged(message.seq))
        elif isinstance(message, Stop):
            replies = self._session.stop(message.seq)
            self.tracks.end()
            self._outbox.put_answer(replies)
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

    async def _stepped(self, message: Change | Track) -> list[StateMessage]:
        """Make a change of objects or classes; return the replies."""
        if isinstance(message, Track):
            return self._session.track(message)
        if isinstance(message, (Undo, Redo)):
            await self.models.renew(message)
        elif isinstance(message, Choose):
            await self._draw(message)
        elif isinstance(message, Paint):
            return await self._painted(message)
        combined = await self._combined(message) if isinstance(message, Combine) else None
        return await self._made(self._session.step(message, combined))

    async def _made(self, step: Query | list[StateMessage]) -> list[StateMessage]:
        """Have a step answered, where it needs that, and take it in; return the replies."""
        return self._session.commit(*await self._answered(step)) if isinstance(step, Query) else step

    async def _answered(self, query: Query) -> tuple[Query, Answer]:
        """Return the answer to a query, and the query that gave it."""
        session, image = self._session, self._session.image
        if image is None:
            raise AssertionError("a query needs a picture")
        if query.subject.is_windowed:
            return await self._predictor.answer_whole(image, query, session.answering)
        key = self._predictor.key(image.image_id, session.answering)  # as most are: of the whole picture
        return query, await self._backend.answer(key, image.size_hw, query)

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

    async def _painted(self, message: Paint) -> list[StateMessage]:
        """Paint or erase; a smart stroke clicks too, unless the model takes that to be about something else."""
        session, image = self._session, self._session.image
        item = session.smart(message)
        if item is None or image is None:
            return await self._made(session.step(message))
        stroke = StrokeStep(path=message.path, radius=message.radius, label=message.label)
        click = await asyncio.to_thread(click_of, item, stroke, image.size_hw)
        clicked = session.step(structs.replace(message, click=click))
        if click is None or not isinstance(clicked, Query):
            return await self._made(clicked)
        query, answer = await self._answered(clicked)
        if await asyncio.to_thread(strays, item, answer.masks[answer.best], stroke, image.size_hw):
            return await self._made(session.step(message))
        return session.commit(query, answer)

    async def _draw(self, message: Choose) -> None:
        """Draw in full what a choice takes; until then a candidate is kept on the logit grid alone."""
        item, image = self._session.undrawn(message), self._session.image
        if item is not None and item.answer is not None and image is not None:
            answer = await self._predictor.drawn(image, item, item.answer, message.candidate)
            self._session.renew([(item, answer)])

    async def _open(self, message: Open) -> None:
        """Begin on a picture or clip."""
        if self._session.image is not None and self._session.has_handled(message.seq):
            self.tell_again(message.seq)
            return
        self._outbox.put_answer(await self._openings.open(message))
        self.models.finish()
