"""A socket without a network: it takes what is sent, as much as it has room for."""

from __future__ import annotations

import asyncio
import sys

from app.protocol.codec import decode_server
from app.protocol.messages import ServerMessage


class FakeTransport:
    """Fulfils `realtime.transport.Transport`; nothing ever comes from it.

    Attributes:
        messages: what was sent.
        took: set once anything was.
    """

    address = ""

    def __init__(self, room_for: int = sys.maxsize) -> None:
        """Take so many messages; the next one waits until a test makes room."""
        self.messages: list[ServerMessage] = []
        self.took = asyncio.Event()
        self._room = asyncio.Semaphore(room_for)

    def make_room(self) -> None:
        """Take one message more."""
        self._room.release()

    async def send(self, data: bytes) -> None:
        """Take a message, once there is room."""
        await self._room.acquire()
        self.messages.append(decode_server(data))
        self.took.set()

    async def receive(self) -> bytes | None:
        """Wait for ever."""
        await asyncio.Event().wait()
        return None

    async def close(self, code: int, reason: str) -> None:
        """Have nothing to close."""
