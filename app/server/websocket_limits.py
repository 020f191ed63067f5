"""uvicorn's side of a WebSocket, with an end for clients that don't read, flood with pings or never finish a message.

Decision: such a connection is aborted. Context: closing waits until the peer has taken what was sent before, which a
frozen or hostile one never does; its session, buffers and descriptor would stay for ever. Choice: abort where nothing
could be written for a while, or where control frames pile up. Price: methods are overridden that uvicorn doesn't
promise to keep, so its minor version is pinned, and the tests of slow clients stand guard.

Decision: who reads slowly but steadily is waited for. Context: a file of 32 MiB takes a slow link minutes, and while it
is on its way neither a pong nor anything else gets through. Choice: what counts is how much left in the last while, and
the kernel is kept from swallowing megabytes ahead of the peer, which would hide it. Price: such a client may hold the
bytes of its file for as long as the slowest pace takes.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import structlog
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from app.limits import AppLimits
from app.realtime.limits import ConnectionLimits

PIECE_BYTES: Final = 4096
"""How much of what came is parsed before frames are counted."""
UNSENT_BYTES: Final = 2**17
"""So much the kernel takes of us ahead of what it has sent. It asks for more at once: no link is slower for it."""
LOOKS: Final = 4
"""How often a stalled peer is looked at within the time that it has."""
NO_TEXT, TOO_LARGE = 1007, 1009

log = structlog.get_logger(__name__)


class StallClock:
    """Aborts a transport whose peer takes nothing for a while, or so little that it would never end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: ConnectionLimits) -> None:
        """Count nothing yet.

        Args:
            loop: the event loop.
            limits: how long a peer may take nothing, and the slowest pace over that time.
        """
        self._loop, self._stall_s = loop, limits.send_timeout_s
        self._step = max(1, round(limits.send_timeout_s * limits.min_body_bytes_per_s))
        self._timer: asyncio.TimerHandle | None = None
        self._left, self._since = 0, 0.0

    @property
    def runs(self) -> bool:
        """True while a peer is waited for."""
        return self._timer is not None

    def start(self, transport: asyncio.Transport) -> None:
        """Count from now."""
        self.stop()
        self._left, self._since = transport.get_write_buffer_size(), self._loop.time()
        self._look_later(transport)

    def stop(self) -> None:
        """The peer takes again, or has gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self, transport: asyncio.Transport) -> None:
        self._timer = self._loop.call_later(self._stall_s / LOOKS, self._look, transport)

    def _look(self, transport: asyncio.Transport) -> None:
        left, now = transport.get_write_buffer_size(), self._loop.time()
        if self._left - left >= self._step:
            self._left, self._since = left, now
        elif now - self._since >= self._stall_s:
            self._timer = None
            cut(transport, "write_stall")
            return
        self._look_later(transport)


def keep_little_unsent(transport: asyncio.BaseTransport) -> None:
    """Keep the kernel from taking much more than the peer does, where it lets itself be told."""
    plain = transport.get_extra_info("socket")
    if hasattr(socket, "TCP_NOTSENT_LOWAT") and plain is not None and plain.family in (socket.AF_INET, socket.AF_INET6):
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def cut(transport: asyncio.Transport, reason: str) -> None:
    """Abort a connection and log why. What was still to be written is dropped."""
    if not transport.is_closing() or transport.get_write_buffer_size():
        log.warning("connection_cut", reason=reason, client=host_of(transport))
        transport.abort()


def host_of(transport: asyncio.Transport) -> str:
    """Return the peer's address without its port, or an empty string for a Unix socket."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


class HardenedWebSocket(WebSocketsSansIOProtocol):
    """One socket.

    Attributes:
        limits: what it may keep the server waiting for.
        pings, frames_now: how many came since `counted_since`, within one second.
    """

    limits: AppLimits
    pings = frames_now = 0
    counted_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve a connection."""
        self.stall = StallClock(self.loop, self.limits.connection)
        self.close_timeout = self.limits.connection.send_timeout_s
        super().connection_made(transport)

    async def send(self, message: Any) -> None:  # noqa: ANN401
        """Send an event of the application's."""
        await super().send(message)
        if message["type"] == "websocket.accept":  # the handshake's headers, which nobody reads any more
            vars(self).update(request=None, response=None)

    async def run_asgi(self) -> None:
        """Run the application, and see that the connection ends after it."""
        await super().run_asgi()
        if not self.disconnected:  # closing waits for a peer that may take nothing any more
            self.stall.start(self.transport)

    def pause_writing(self) -> None:
        """The peer takes nothing for now."""
        super().pause_writing()
        self.stall.start(self.transport)

    def resume_writing(self) -> None:
        """The peer takes again."""
        super().resume_writing()
        self.stall.stop()
        if self.pong_timer is not None:  # the ping only now gets on its way
            self.await_pong()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget every clock: the connection has ended."""
        super().connection_lost(exc)
        self.stall.stop()

    def data_received(self, data: bytes) -> None:
        """Take bytes as they come."""
        for start in range(0, len(data), PIECE_BYTES):  # thousands of frames would be parsed before one is counted
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + PIECE_BYTES])

    def handle_events(self) -> None:
        """Count frames before they are handled."""
        self.count(len(self.conn.events))
        super().handle_events()

    def count(self, frames: int) -> None:
        """Count frames; each second begins a new count."""
        now = self.loop.time()
        if now - self.counted_since >= 1:
            self.pings, self.frames_now, self.counted_since = 0, 0, now
        self.frames_now += frames
        if self.frames_now > self.limits.server.max_frames_per_s:
            cut(self.transport, "frame_flood")

    def handle_ping(self) -> None:
        """Answer a ping, if there are not too many."""
        self.pings += 1
        super().handle_ping()
        if self.transport.get_write_buffer_size() > self.limits.server.max_write_buffer_bytes:
            cut(self.transport, "pongs_unread")
        elif self.pings > self.limits.server.max_pings_per_s:
            cut(self.transport, "ping_flood")

    def handle_cont(self, event: Frame) -> None:
        """Take a further frame of a message, if there are not too many."""
        if len(self.frames) >= self.limits.server.max_fragments and not self.close_sent:
            self.conn.fail(TOO_LARGE, "too many fragments")
            self.handle_parser_exception()
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message over, if it is what it says."""
        if self.curr_msg_data_type == "text" and not is_utf8(b"".join(self.frames)):
            self.frames = []  # uvicorn would log what came, as a traceback
            self.conn.fail(NO_TEXT, "invalid UTF-8")
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def await_pong(self) -> None:
        """Give the answer to a ping its time from now."""
        if self.pong_timer is not None:
            self.pong_timer.cancel()
        if self.ping_timeout is not None:
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)

    def keepalive_timeout(self) -> None:
        """End a connection that answered no ping, unless the ping still waits behind what the peer is taking."""
        if self.stall.runs:
            self.await_pong()
            return
        super().keepalive_timeout()
        if self.transport.get_write_buffer_size():  # the close frame won't get through either
            cut(self.transport, "keepalive_timeout")


def hardened_websocket(limits: AppLimits) -> type[HardenedWebSocket]:
    """Return uvicorn's WebSocket protocol within bounds."""
    return type(f"Bound{HardenedWebSocket.__name__}", (HardenedWebSocket,), {"limits": limits})


def is_utf8(data: bytes) -> bool:
    """Return whether some bytes are text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
