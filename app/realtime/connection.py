"""One socket and its session: a reader that never computes, two workers, and an outbox that is sent in order.

The reader decodes, checks and hands on: changes go into a bounded queue that is worked off in order, a hover replaces
the one before. So a hover that was overtaken costs nothing, and a click is never lost. The parts are in modules of
their names: `reader`, `changes`, `hovers`, `outbox`; `greeting` comes before them, `closing` after.

Decision: the workers start with the first message that needs one. Context: four tasks and their queues are a fifth of
the memory of a session that only waits. Choice: the reader says when. Price: a session's cost steps up once.
"""

from __future__ import annotations

import contextlib
from typing import Any

import structlog

from app.protocol.messages import CloseCode, Error
from app.realtime.changes import RESUME_SEQ, ChangeWorker
from app.realtime.closing import ClosedError
from app.realtime.connection_tasks import ConnectionTasks
from app.realtime.greeting import greet
from app.realtime.hovers import HoverWorker
from app.realtime.limits import ConnectionLimits
from app.realtime.outbox import Outbox
from app.realtime.rate_limit import RateLimit
from app.realtime.reader import Reader, Workers
from app.realtime.transport import DisconnectedError, Transport
from app.service.predictor import Predictor
from app.service.registry import Entry
from app.service.shared_state import SharedState

GONE, BUG = 1000, 1011

log = structlog.get_logger(__name__)


class Connection:
    """Runs one client until either side goes away."""

    def __init__(
        self, transport: Transport, predictor: Predictor, shared_state: SharedState, limits: ConnectionLimits
    ) -> None:
        """Serve nothing yet.

        Args:
            transport: an accepted socket.
            predictor: the way to the models.
            shared_state: what all sessions share.
            limits: what the client may send, and how slowly it may read.
        """
        self._transport, self._predictor, self._shared_state = transport, predictor, shared_state
        self._limits = limits
        self._rate = RateLimit(limits.max_messages_per_s, limits.max_messages_burst, limits.rate_grace_s)
        self._outbox = Outbox(
            transport,
            shared_state.meters,
            max_waiting=limits.max_replies_waiting + shared_state.limits.max_objects,  # one change may show them all
            timeout_s=limits.send_timeout_s,
            bytes_per_s=limits.min_body_bytes_per_s,
        )
        self._tasks = ConnectionTasks()
        self._workers: Workers | None = None
        self._is_draining = False

    async def run(self) -> None:
        """Serve the client; returns when the socket is closed. Raises nothing that a client could cause."""
        try:
            entry, resumed = await greet(
                self._transport, self._outbox, self._shared_state, self, self._limits.hello_timeout_s
            )
        except ClosedError as closed:
            await self._close(closed.code, closed.reason)
            return
        except DisconnectedError:
            return
        structlog.contextvars.bind_contextvars(session=entry.id[:8])
        try:
            await self._serve(entry, resumed)
        finally:
            self._shared_state.registry.leave(entry, self)

    def taken_over(self) -> None:
        """Close this socket: the session goes on in a newer one."""
        self._tasks.end(ClosedError(CloseCode.TAKEN_OVER, "taken over by a newer socket"))

    async def drain(self) -> None:
        """Begin no further change, and return once the one at hand is made and told."""
        self._is_draining = True
        if self._workers is not None:
            self._workers.changes.hold()
            await self._workers.changes.at_rest()
        await self._outbox.sent()

    async def _serve(self, entry: Entry, resumed: bool) -> None:
        """Welcome the client, then run reader, writer and workers until one of them ends."""
        self._outbox.put(self._shared_state.welcome(entry, resumed))

        def begin() -> Workers:
            if self._workers is None:
                self._workers = self._begin(entry, resumed)
            return self._workers

        reader = Reader(
            self._transport,
            entry.session,
            self._outbox,
            meters=self._shared_state.meters,
            limits=self._limits,
            rate=self._rate,
            begin=begin,
        )
        try:
            if resumed:
                begin()
            self._tasks.start(self._outbox.run(), reader.run())
            await self._tasks.ended()
        finally:
            await self._say_goodbye(await self._tasks.stop())

    def _begin(self, entry: Entry, resumed: bool) -> Workers:
        """Start the workers; a resumed client is told what the session holds before anything else."""
        session = entry.session
        hovers = HoverWorker(session, self._outbox, self._predictor, self._rate)
        changes = ChangeWorker(
            session,
            hovers,
            self._outbox,
            self._predictor,
            self._shared_state,
            owner=entry.id,
            max_waiting=self._limits.max_clicks_queued,
        )
        if self._is_draining:
            changes.hold()
        if resumed:
            changes.tell_again(RESUME_SEQ)
        self._tasks.start(
            changes.run(),
            *(preparation.run() for preparation in changes.models.preparations),
            changes.regions.preparation.run(),
            changes.looks.preparation.run(),
            changes.exports.run(),
            changes.tracks.run(),
            hovers.run(),
        )
        return Workers(changes, hovers)

    async def _say_goodbye(self, results: list[Any]) -> None:
        """Close the socket as the first part that ended asks for."""
        for result in results:
            if isinstance(result, ClosedError):
                await self._outbox.flush()
                await self._close(result.code, result.reason)
                return
        bugs = [r for r in results if isinstance(r, Exception) and not isinstance(r, DisconnectedError)]
        if bugs:
            log.error("connection_failed", exc_info=bugs[0])
            with contextlib.suppress(DisconnectedError):
                await self._outbox.send(Error(code="internal", message="the server made a mistake", fatal=True))
        await self._close(BUG if bugs else GONE, "internal" if bugs else "")

    async def _close(self, code: int, reason: str) -> None:
        """Close the socket, count it, and log why where it was our request."""
        self._shared_state.meters.closed.labels(str(int(code))).inc()
        if code != GONE:
            log.info("socket_closed", code=int(code), reason=reason, client=self._transport.address)
        await self._transport.close(code, reason)
