"""`/ws`: the session's socket. Litestar's side of `realtime.transport`."""

from __future__ import annotations

import contextlib
from typing import Any

from litestar import WebSocket, get, websocket
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, WebSocketDisconnect

from app.limits import AppLimits
from app.protocol.messages import SUBPROTOCOL
from app.realtime.connection import Connection
from app.realtime.transport import DisconnectedError
from app.service.predictor import Predictor
from app.service.refusals import RefusalLog
from app.service.shared_state import SharedState
from app.web.guards import require_same_origin

UPGRADE_REQUIRED = 426

Socket = WebSocket[Any, Any, State]


class LitestarTransport:
    """Fulfils `realtime.transport.Transport` with a Litestar WebSocket.

    Raw events are read, since Litestar's `receive_bytes` gives a text frame as `b""`.
    """

    def __init__(self, socket: Socket) -> None:
        self._socket = socket

    @property
    def address(self) -> str:
        """The peer's address, or the one that a trusted proxy names."""
        return self._socket.client.host if self._socket.client else ""

    async def receive(self) -> bytes | None:
        """Return the next binary frame, or None for a text frame."""
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise DisconnectedError("the client has gone")
        data = event.get("bytes")
        return data if isinstance(data, bytes) else None

    async def send(self, data: bytes) -> None:
        """Send a binary frame."""
        try:
            await self._socket.send_bytes(data)
        except (WebSocketDisconnect, OSError) as error:  # uvicorn's own is an OSError
            raise DisconnectedError("the client has gone") from error

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, if it is still open."""
        with contextlib.suppress(WebSocketDisconnect, OSError, RuntimeError):
            await self._socket.close(code=code, reason=reason)


@get("/ws", include_in_schema=False)
async def missing_upgrade(state: State) -> None:
    """Say what is wrong where a proxy makes a plain request of a socket.

    Raises:
        HTTPException: 426, always.
    """
    refusals: RefusalLog = state.refusals
    refusals.note("a proxy that passes on WebSockets: its Upgrade and Connection headers")
    raise HTTPException(
        status_code=UPGRADE_REQUIRED,
        detail="expected a WebSocket, got a plain request; a proxy in between has to pass Upgrade and Connection on",
        headers={"upgrade": "websocket"},
    )


@websocket("/ws", guards=[require_same_origin])
async def session_socket(
    socket: WebSocket[Any, Any, State],
    predictor: NamedDependency[Predictor],
    shared_state: NamedDependency[SharedState],
    limits: NamedDependency[AppLimits],
) -> None:
    """Run one session until either side goes away."""
    offered = socket.scope["subprotocols"]
    await socket.accept(subprotocols=SUBPROTOCOL if SUBPROTOCOL in offered else None)
    await Connection(LitestarTransport(socket), predictor, shared_state, limits.connection).run()
