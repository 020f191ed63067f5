"""uvicorn's side of an HTTP request, with a deadline for its head and its body, and a bound for its head.

uvicorn itself waits for ever for the end of a head or of a body, and collects as long a head as is sent. The price
is that of `app.server.websocket_limits`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.server.websocket_limits import StallClock, host_of, keep_little_unsent
from app.settings import Settings

BODY_CHECK_S: Final = 10.0
"""How often the pace of a body is looked at."""
LATE, TOO_LONG, FULL = 408, 431, 503

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RequestBounds:
    """What one HTTP connection may keep the server waiting for.

    Attributes:
        stall_s: how long a peer may take nothing of what is to be written.
        head_s: from the first byte to the end of the headers; also from the connection to the first byte.
        body_s: from there to the end of the body.
        min_body_bytes_per_s: the slowest pace of a body, of the request or of the answer.
        max_head_bytes: request line and headers.
        max_connections: connections of all kinds.
    """

    stall_s: float
    head_s: float
    body_s: float
    min_body_bytes_per_s: int
    max_head_bytes: int
    max_connections: int


def request_bounds(settings: Settings) -> RequestBounds:
    """Return the bounds that the operator set."""
    return RequestBounds(
        settings.send_timeout_s,
        settings.head_timeout_s,
        settings.body_timeout_s,
        settings.min_body_bytes_per_s,
        settings.max_head_bytes,
        settings.max_connections,
    )


class HardenedHttp(HttpToolsProtocol):
    """One connection, until it closes or becomes a WebSocket."""

    bounds: RequestBounds
    deadline: asyncio.TimerHandle | None = None
    pace: asyncio.TimerHandle | None = None
    in_head = True
    head_bytes = 0
    body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to serve a connection."""
        self.stall = StallClock(self.loop, self.bounds.stall_s, self.bounds.min_body_bytes_per_s)
        keep_little_unsent(transport)
        super().connection_made(transport)
        if len(self.connections) > self.bounds.max_connections:
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
        if self.in_head and self.head_bytes > self.bounds.max_head_bytes and not self.transport.is_closing():
            self.refuse(TOO_LONG, "the request's headers are too long")

    def on_headers_complete(self) -> None:
        """Give the body its time."""
        self.in_head, self.head_bytes, self.body_bytes = False, 0, 0
        self.stop_clocks()
        self.deadline = self.loop.call_later(self.bounds.body_s, self.refuse, LATE, "the request's body took too long")
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
        self.deadline = self.loop.call_later(self.bounds.head_s, self.refuse, LATE, "the request's headers are late")

    def check_pace(self) -> None:
        """Refuse a body that trickles; one that we don't read at the moment isn't late by its own fault."""
        if self.body_bytes < BODY_CHECK_S * self.bounds.min_body_bytes_per_s and not self.flow.read_paused:
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


def hardened_http(bounds: RequestBounds) -> type[HardenedHttp]:
    """Return uvicorn's HTTP protocol within bounds."""
    return type(f"Bound{HardenedHttp.__name__}", (HardenedHttp,), {"bounds": bounds})


def answer(status: int, text: str) -> bytes:
    """Return a whole HTTP response."""
    head = f"content-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[status] + head.encode() + text.encode()
