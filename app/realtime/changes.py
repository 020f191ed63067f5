"""The worker that makes changes: pictures opened, prompts answered, objects edited; one after the other."""

from __future__ import annotations

import contextlib

from app.errors import HoverError, ImageTooLargeError
from app.protocol.messages import Choose, Export, Model, Open, Progress
from app.realtime.closing import error_message
from app.realtime.exports import ExportWorker
from app.realtime.inbox import Inbox
from app.realtime.outbox import Outbox
from app.realtime.queue_position import embedded_in_turn
from app.realtime.switching import ModelSwitch
from app.service.encodes import Embedded
from app.service.predictor import Predictor
from app.service.shared_state import SharedState
from app.session.recipe import Work
from app.session.session import Change, Query, Session, Told
from app.session.values import OpenImage

RESUME_SEQ = 0
"""`seq` of what a resumed client is told without having asked."""


class ChangeWorker:
    """Makes one session's changes."""

    def __init__(
        self, session: Session, inbox: Inbox, outbox: Outbox, predictor: Predictor, shared_state: SharedState
    ) -> None:
        self._session, self._inbox, self._outbox = session, inbox, outbox
        self._predictor, self._shared_state = predictor, shared_state
        self.exports = ExportWorker(session, outbox, shared_state.exporter, predictor)
        self.models = ModelSwitch(session, inbox, outbox, predictor)

    async def run(self) -> None:
        """Work until the task is cancelled; a change that fails is answered, and the next goes on."""
        while True:
            message = await self._inbox.next_change()
            try:
                async with self.models.turn:
                    await self._change(message)
            except HoverError as error:
                self._outbox.put(error_message(error, message.seq))

    def tell_again(self, seq: int) -> None:
        """Send the picture and every object as they are now; no objects where no picture is open."""
        image = self._session.image
        cached = image is not None and self._predictor.holds(image.image_id, self._session.answering)
        self._outbox.put_answer(self._session.switched(seq, cached=cached))
        self.models.finish()

    async def _change(self, message: Change | Open | Model | Export) -> None:
        if isinstance(message, Open):
            try:
                await self._open(message)
            finally:
                self._inbox.opening -= 1
        elif isinstance(message, Model):
            if replies := await self.models.step(message):
                self._outbox.put_answer(replies)
        elif isinstance(message, Export):
            self.exports.put(message)
            self.models.finish()
        else:
            await self.models.renew(message)
            if isinstance(message, Choose):
                await self._draw(message)
            step = self._session.step(message)
            self._outbox.put_answer(await self._answered(step) if isinstance(step, Query) else step)

    async def _answered(self, query: Query) -> list[Told]:
        session = self._session
        if session.image is None:
            raise AssertionError("a query needs a picture")
        return session.commit(query, await self._predictor.answer(session.image, query, session.answering))

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
        image_id = message.image_id
        if message.data is not None:
            image_id = await self._take_inline(message.seq, message.data)
        image = self._predictor.pictures.info(image_id or "")
        work, model = None, self._session.model
        if message.recipe is not None:
            work = self._session.work(message.recipe, image)
            model = await self.models.made_with(message.recipe, message.seq)
        stand_in = self._predictor.stand_in(image.image_id, model) if message.provisional else None
        embedded: Embedded | None = None
        if stand_in is not None:
            with contextlib.suppress(HoverError):  # what it can't do is left to the model itself
                embedded, done = await self._seen(message.seq, image, work, stand_in)
        if embedded is None:
            stand_in = None
            embedded, done = await self._seen(message.seq, image, work, model)
        self._inbox.drop_hover()
        self._outbox.drop_preview()
        self._session.open(message.seq, image, message.name, work=done, model=model, stand_in=stand_in)
        self._outbox.put_answer(
            self._session.switched(message.seq, cached=embedded.cached, encode_ms=embedded.encode_ms)
        )
        self.models.finish()

    async def _seen(self, seq: int, image: OpenImage, work: Work | None, model: str) -> tuple[Embedded, Work | None]:
        """Return a picture's embedding by a model, and what was done on it with that model's answers."""
        embedded = await embedded_in_turn(self._predictor, self._outbox, seq, image.image_id, model)
        if work is not None:
            queries = [Query(seq, item) for item in work.now.values()]
            work = work.answered([await self._predictor.answer(image, query, model) for query in queries])
        return embedded, work

    async def _take_inline(self, seq: int, data: bytes) -> str:
        """Keep a picture that rode in a message; return its name."""
        limit = self._shared_state.limits.max_inline_bytes
        if len(data) > limit:
            raise ImageTooLargeError(f"a picture in a message may have {limit} bytes, got {len(data)}; upload it")
        self._outbox.put(Progress(seq=seq, stage="decoding"))
        return (await self._predictor.pictures.add(data)).image_id
