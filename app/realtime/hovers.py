"""The worker that answers hovers: the newest, again and again."""

from __future__ import annotations

from app.errors import BusyError, HoverError
from app.realtime.closing import error_message
from app.realtime.inbox import Inbox
from app.realtime.outbox import Outbox
from app.realtime.rate_limit import RateLimit
from app.service.predictor import Predictor
from app.service.scheduler import Priority
from app.session.session import HoverQuery, Session
from app.session.values import OpenImage


class HoverWorker:
    """Answers one session's hovers."""

    def __init__(self, session: Session, inbox: Inbox, outbox: Outbox, predictor: Predictor, rate: RateLimit) -> None:
        self._session, self._inbox, self._outbox, self._predictor = session, inbox, outbox, predictor
        self._rate = rate

    async def run(self) -> None:
        """Answer until the task is cancelled. A hover that fails is lost, like one that was overtaken."""
        while True:
            await self._inbox.hover_came.wait()
            self._inbox.hover_came.clear()
            image, asked = self._session.image, self._inbox.hover_seq()
            if image is None or asked is None:
                continue
            try:
                await self._preview(image)
            except BusyError:
                continue
            except HoverError as error:
                self._outbox.put(error_message(error, asked))

    async def _preview(self, image: OpenImage) -> None:
        """Answer the hover that is the newest when the device is free, unless the pointer has left since."""
        model = self._session.answering

        def newest() -> HoverQuery | None:  # one for the next model stays for the next round
            return self._inbox.take_hover(self._session, image) if self._session.answering == model else None

        priority = Priority.HASTY if self._rate.hasty else Priority.HOVER
        done = await self._predictor.hover(image, newest, model, priority)
        if done is None or self._session.image is not image:
            return
        if self._session.answering != model:
            self._inbox.ask_again(self._session, done[0])
            return
        if self._inbox.still_wanted(done[0]):
            self._outbox.put(self._session.preview(*done))
