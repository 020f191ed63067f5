"""uvicorn's side of an HTTP request, with a deadline for its head and its body, and a bound for its head.

uvicorn itself waits for ever for the end of a head or of a body, and collects as long a head as is sent. The price
is that of `app.server.websocket_limits`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.limits import AppLimits
from app.server.websocket_limits import StallClock, host_of, keep_little_unsent

BODY_CHECK_S: Final = 10.0
"""How often the pace of a body is looked at."""
BODY_BYTES: Final = 32 * 2**20
"""What may come in the time for a body; a longer one has as much more time as it says that it is longer."""
MAX_TIMES: Final = 16
"""A clip of the largest size; the pace of a body is looked at beside it."""
LATE, TOO_LONG, FULL = 408, 431, 503

log = structlog.get_logger(__name__)


class HardenedHttp(HttpToolsProtocol):
    """One connection, until it closes or becomes a WebSocket.

    Attributes:
        limits: what it may keep the server waiting for.
        max_connections: of all kinds that the server takes.
        deadline: of the head or the body that is awaited; also from the connection to the first byte.
        pace: when the pace of the body is looked at next.
    """

    limits: AppLimits
    max_connections: int
    deadline: asyncio.TimerHandle | None = None
    pace: asyncio.TimerHandle | None = None
    in_head = True
    head_bytes = 0
    body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        self.stall = StallClock(self.loop, self.limits.connection)
        keep_little_unsent(transport)
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self.refuse(FULL, "all connections are in use (HOVERSAM_MAX_CONNECTIONS); try again")
        else:
            self.await_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes as they come."""
        if self.in_head:
            if self.deadline is None:  # the first bytes of a further request
                self.await_head()
            self.head_bytes += len(data)
        super().data_received(data)
        if self.in_head and self.head_bytes > self.limits.server.max_head_bytes and not self.transport.is_closing():
            self.refuse(TOO_LONG, "the request's headers are too long")

    def on_headers_complete(self) -> None:
        """Give the body its time."""
        self.in_head, self.head_bytes, self.body_bytes = False, 0, 0
        self.stop_clocks()
        wait_s = self.limits.server.body_timeout_s * times_as_long(self.headers)
        self.deadline = self.loop.call_later(wait_s, self.refuse, LATE, "the request's body took too long")
        self.pace = self.loop.call_later(BODY_CHECK_S, self.check_pace)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count a piece of the body."""
        self.body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.stop_clocks()
        self.in_head = True
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget every clock: the connection has ended."""
        super().connection_lost(exc)
        self.stop_clocks()
        self.stall.stop()

    def pause_writing(self) -> None:
        """The peer takes nothing for now."""
        super().pause_writing()
        self.stall.start(self.transport)

    def resume_writing(self) -> None:
        """The peer takes again."""
        super().resume_writing()
        self.stall.stop()

    def await_head(self) -> None:
        """Give the headers their time."""
        self.head_bytes = 0
        wait_s = self.limits.server.head_timeout_s
        self.deadline = self.loop.call_later(wait_s, self.refuse, LATE, "the request's headers are late")

    def check_pace(self) -> None:
        """Refuse a body that trickles; one that we don't read at the moment isn't late by its own fault."""
        least = BODY_CHECK_S * self.limits.connection.min_body_bytes_per_s
        if self.body_bytes < least and not self.flow.read_paused:
            self.refuse(LATE, "the request's body comes too slowly")
            return
        self.body_bytes = 0
        self.pace = self.loop.call_later(BODY_CHECK_S, self.check_pace)

    def stop_clocks(self) -> None:
        """Forget the deadlines of this part of the request."""
        for clock in (self.deadline, self.pace):
            if clock is not None:
                clock.cancel()
        self.deadline = self.pace = None

    def refuse(self, status: int, text: str) -> None:
        """Answer with a status, if nothing was answered yet, and close; a peer that doesn't read is cut off."""
        self.stop_clocks()
        log.info("request_refused", status=status, reason=text, client=host_of(self.transport))
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(answer(status, text))
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.stall.start(self.transport)


def times_as_long(headers: Sequence[tuple[bytes, bytes]]) -> float:
    """Return how many times the usual a request's body may take, by the length that its headers state."""
    stated = next((value for name, value in headers if name == b"content-length"), b"")
    return min(MAX_TIMES, max(1.0, int(stated) / BODY_BYTES)) if stated.isdigit() and len(stated) < 20 else 1.0


def hardened_http(limits: AppLimits, max_connections: int) -> type[HardenedHttp]:
    """Return uvicorn's HTTP protocol within bounds."""
    within = {"limits": limits, "max_connections": max_connections}
    return type(f"Bound{HardenedHttp.__name__}", (HardenedHttp,), within)


def answer(status: int, text: str) -> bytes:
    """Return a whole HTTP response."""
    head = f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[status] + head.encode() + text.encode()
