"""The reader: decodes, checks and stores. It never computes, so pings are answered whatever the model does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from app.errors import BadMessageError, BusyError, HoverError, RateLimitedError, Reason, TooManyObjectsError
from app.protocol.codec import decode_client
from app.protocol.fields import MAX_RECIPE_BYTES
from app.protocol.messages import ClientMessage, CloseCode, Give, Hello, Hover, Leave, Open, Ping, Pong
from app.realtime.changes import ChangeWorker
from app.realtime.closing import ClosedError, error_message
from app.realtime.hovers import HoverWorker
from app.realtime.limits import ConnectionLimits
from app.realtime.outbox import Outbox
from app.realtime.rate_limit import RateLimit
from app.realtime.transport import Transport
from app.service.meters import Meters
from app.session.query import HoverQuery
from app.session.session import Session


class IdleClock:
    """Cancels the task that made it when nothing was heard for a while. One timer, not one for each message.

    Attributes:
        over: whether it has.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s, self._loop = limit_s, asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(limit_s, self._look)
        self.over = False

    def heard(self) -> None:
        """Something came."""
        self._heard_at = self._loop.time()

    def stop(self) -> None:
        """Let the task alone."""
        self._timer.cancel()

    def _look(self) -> None:
        left_s = self._heard_at + self._limit_s - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look)
        elif self._task is not None:
            self.over = True
            self._task.cancel()


class Workers(NamedTuple):
    """Who does what the reader takes in."""

    changes: ChangeWorker
    hovers: HoverWorker


class Reader:
    """Sorts what one client sends: changes to one worker, hovers to the other; pings it answers itself."""

    def __init__(
        self,
        transport: Transport,
        session: Session,
        outbox: Outbox,
        *,
        meters: Meters,
        limits: ConnectionLimits,
        rate: RateLimit,
        begin: Callable[[], Workers],
    ) -> None:
        """Read nothing yet.

        Args:
            transport: an accepted socket, past its hello.
            session: which numbers and hovers it takes.
            outbox: takes what is answered at once.
            meters: what counts messages, and knows how busy the model is.
            limits: what the client may send.
            rate: the client's allowance.
            begin: returns the session's workers, which begin with the first message that needs one.
        """
        self._transport, self._session, self._outbox = transport, session, outbox
        self._meters, self._limits = meters, limits
        self._begin = begin
        self._bad_in_row = 0
        self._told_full = False
        self._rate = rate

    async def run(self) -> None:
        """Read until the socket is to be closed.

        Raises:
            ClosedError: the client was idle too long, or sent what no client of the protocol sends.
            DisconnectedError: the client has gone.
        """
        idle = IdleClock(self._limits.idle_timeout_s)
        try:
            await self._read(idle)
        except asyncio.CancelledError:
            if idle.over:
                raise ClosedError(CloseCode.IDLE, "idle") from None
            raise
        finally:
            idle.stop()

    async def _read(self, idle: IdleClock) -> None:
        while True:
            data = await self._transport.receive()
            idle.heard()
            if data is None:
                raise ClosedError(CloseCode.TEXT_FRAME, "binary frames only")
            self._take(data)
            if self._rate.exhausted:
                self._outbox.put(error_message(self._too_fast(), None, fatal=True))
                raise ClosedError(CloseCode.RATE, "too many messages")
            await asyncio.sleep(0)  # a flood that has arrived already would let nobody else have a turn

    def _take(self, data: bytes) -> None:
        """Sort one frame; what is wrong with it is answered, and ten bad ones in a row close."""
        message: ClientMessage | None = None
        try:
            message = decode_client(data)
            self._meters.messages.labels(type(message).__name__.lower()).inc()
            check_size(message, len(data), self._limits.max_prompt_bytes)
            self._store(message)
            self._bad_in_row = 0
        except HoverError as error:
            if not isinstance(error, (BusyError, RateLimitedError)):  # which have paid
                self._rate.spend()
            self._outbox.put(error_message(error, getattr(message, "seq", error.seq)))
            self._bad_in_row = self._bad_in_row + 1 if isinstance(error, BadMessageError) else 0
            if self._bad_in_row >= self._limits.max_bad_messages:
                raise ClosedError(CloseCode.BAD_MESSAGES, "too many bad messages") from error

    def _store(self, message: ClientMessage) -> None:
        if isinstance(message, Ping):
            self._rate.spend()  # it is answered without a token too, or a busy client would take its link for dead
            meter = self._meters.decodes
            self._outbox.put(Pong(at=message.at, queue_ms=meter.queue_ms, decode_ms=meter.work_ms))
        elif isinstance(message, Hello):
            raise BadMessageError("expected hello only once; the session is open")
        elif isinstance(message, (Hover, Leave)):
            workers = self._begin()
            self._session.seqs.admit(message.seq, change=False)
            self._point(message, workers)
        else:
            self._session.seqs.admit(message.seq, change=True)
            if not self._rate.spend():
                raise self._too_fast()
            self._begin().changes.put(message)

    def _point(self, message: Hover | Leave, workers: Workers) -> None:
        """Replace the pending hover, or drop it and what it wasn't told yet.

        What gets no answer costs a token; it is done without one too, since it may be the last, and a flood ends all
        the same.
        """
        unanswered = True
        if isinstance(message, Leave):
            workers.hovers.leave(message.seq)
        elif not workers.changes.opening:  # else what it points at isn't there yet
            hover = self._query_of(message)
            unanswered = hover is None or workers.hovers.put(hover)
            self._meters.overtaken.inc(unanswered)
        if unanswered:
            self._rate.spend()

    def _query_of(self, message: Hover) -> HoverQuery | None:
        """Return the query of a hover; None where it could make no object, of which the client was told before."""
        try:
            query = self._session.hover(message)
        except TooManyObjectsError:
            if self._told_full:
                return None
            self._told_full = True
            raise
        self._told_full = False
        return query

    def _too_fast(self) -> RateLimitedError:
        most = self._limits.max_messages_per_s
        return RateLimitedError(
            f"this client may send {most} messages a second; send this again later",
            retry_after_s=self._rate.retry_after_s,
        )


def check_size(message: ClientMessage, nbytes: int, max_prompt_bytes: int) -> None:
    """Refuse a message that is longer than one of its kind may be; the picture in an `open` has its own bound.

    Raises:
        BadMessageError: so it is.
    """
    if isinstance(message, Give):
        if nbytes > MAX_RECIPE_BYTES:
            raise BadMessageError(
                Reason(
                    "give_bytes",
                    "give may have {most} bytes, got {got}; give fewer objects",
                    most=MAX_RECIPE_BYTES,
                    got=nbytes,
                )
            )
    elif not isinstance(message, Open):
        if nbytes > max_prompt_bytes:
            raise BadMessageError(f"a message other than open or give may have {max_prompt_bytes} bytes, got {nbytes}")
    elif nbytes - len(message.data or b"") > MAX_RECIPE_BYTES:
        raise BadMessageError(f"open may have {MAX_RECIPE_BYTES} bytes beside its picture; leave older undo steps out")
