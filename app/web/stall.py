"""uvicorn's side of a WebSocket, with an end for clients that don't read.

Decision: the connection is aborted. Context: closing waits until the peer has taken what was sent before, which a
frozen or hostile one never does; its session, buffers and descriptor would stay for ever. Choice: abort where nothing
could be written for a while, or where pongs pile up. Price: methods are overridden that uvicorn doesn't promise to
keep, so its minor version is pinned, and the tests of slow clients stand guard.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MAX_PONG_BYTES: Final = 4 * 2**20
"""Bytes that may wait for a client that goes on pinging and takes nothing."""


def impatient_protocol(stall_s: float) -> type[WebSocketsSansIOProtocol]:
    """Return uvicorn's WebSocket protocol that aborts a connection once writing has stalled for `stall_s`."""

    class ImpatientProtocol(WebSocketsSansIOProtocol):
        """One socket; `stall` runs while its peer takes nothing."""

        stall: asyncio.TimerHandle | None = None

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stop_waiting()
            self.stall = self.loop.call_later(stall_s, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self._stop_waiting()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._stop_waiting()

        def handle_ping(self) -> None:
            super().handle_ping()
            if self.transport.get_write_buffer_size() > MAX_PONG_BYTES:
                self.transport.abort()

        def keepalive_timeout(self) -> None:
            super().keepalive_timeout()
            if self.transport.get_write_buffer_size():  # the close frame won't get through either
                self.transport.abort()

        def _stop_waiting(self) -> None:
            if self.stall is not None:
                self.stall.cancel()
                self.stall = None

    return ImpatientProtocol
