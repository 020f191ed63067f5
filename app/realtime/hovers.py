"""One session's hovers: only the newest waits, and it is answered when the device is free."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from app.errors import BusyError, HoverError
from app.protocol.fields import WindowXyxy
from app.protocol.messages import Hover
from app.realtime.closing import error_message
from app.realtime.flag import Flag
from app.realtime.outbox import Outbox
from app.realtime.rate_limit import RateLimit
from app.service.hover_slot import HoverSlot
from app.service.predictor import Predictor
from app.service.scheduler import Priority
from app.session.query import HoverQuery
from app.session.session import Session
from app.session.values import OpenImage

AGAIN_S: Final = 1.0
"""Until a hover that still waits is asked for again."""


class HoverWorker:
    """Keeps one session's newest hover and answers it, again and again.

    Attributes:
        on_lost: told of a window that a hover named and that isn't encoded any more.
    """

    def __init__(self, session: Session, outbox: Outbox, predictor: Predictor, rate: RateLimit) -> None:
        """Begin without a hover.

        Args:
            session: whose hovers.
            outbox: where previews go.
            predictor: what answers.
            rate: the client's allowance; who sends faster than it gives way to others.
        """
        self._session, self._outbox, self._predictor, self._rate = session, outbox, predictor, rate
        self._slot = HoverSlot()
        self._came = Flag()
        self.on_lost: Callable[[WindowXyxy], None] = lambda _: None
        self._left_seq = -1
        """Number of the newest `leave`; nothing that was asked before is to be shown."""

    def put(self, hover: HoverQuery) -> bool:
        """Keep a hover in the place of the one before; return whether there was one, which nobody will answer."""
        overtaken = self._slot.put(hover)
        self._came.set()
        return overtaken

    def leave(self, seq: int) -> None:
        """Forget the hover and what it wasn't told yet: the pointer left the picture with message number `seq`."""
        self._left_seq = seq
        self.drop()

    def drop(self) -> None:
        """Forget the hover and the preview that wasn't sent yet."""
        self._slot.drop()
        self._outbox.drop_preview()

    def ask_again(self) -> None:
        """Ask the model that answers from now on what waits for the one before."""
        hover = self._slot.drop()
        if hover is not None:
            self._ask_again(hover)

    async def run(self) -> None:
        """Answer until the task is cancelled. A hover that fails is lost; one for which nobody has time waits on."""
        while True:
            await self._came.wait()
            self._came.clear()
            image, asked = self._session.image, self._slot.seq
            if image is None or asked is None:
                continue
            try:
                await self._preview(image)
            except BusyError as error:
                asyncio.get_running_loop().call_later(error.retry_after_s or AGAIN_S, self._came.set)
            except HoverError as error:
                self._outbox.put(error_message(error, asked))

    async def _preview(self, image: OpenImage) -> None:
        """Answer the hover that is the newest when the device is free, unless the pointer has left since."""
        model = self._session.answering
        priority = Priority.THROTTLED if self._rate.throttled else Priority.HOVER
        done = await self._predictor.hover(image, self._slot, model, priority)
        if done is None or self._session.image is not image:
            return
        hover, answer = done
        window = hover.window
        if window is not None and not self._predictor.backend.holds(self._predictor.key(image.image_id, model, window)):
            self.on_lost(window)
        if hover.query.seq < self._left_seq:
            return
        if self._session.answering == model:
            self._outbox.put(self._session.preview(hover, answer))
        elif self._slot.seq is None:  # the model was changed meanwhile, and nothing newer was asked
            self._ask_again(hover)

    def _ask_again(self, hover: HoverQuery) -> None:
        *_, (_, _, label) = hover.query.subject.points
        message = Hover(seq=hover.query.seq, x=hover.x, y=hover.y, label=label, object=hover.object)
        with contextlib.suppress(HoverError):  # an object that is gone has nothing to show
            self.put(self._session.hover(message))
