"""The writer: the one task that sends on a socket once it is welcomed."""

from __future__ import annotations

import asyncio
import contextlib

from app.protocol.codec import encode
from app.protocol.messages import ServerMessage
from app.realtime.meters import Meters
from app.realtime.outbox import Outbox
from app.realtime.wire import DisconnectedError, Wire


class Writer:
    """Empties an outbox into a socket."""

    def __init__(self, wire: Wire, outbox: Outbox, timeout_s: float, meters: Meters) -> None:
        """Args: the socket, what is to be sent, how long one message may take, and what counts replies."""
        self._wire, self._outbox, self._timeout_s, self._meters = wire, outbox, timeout_s, meters

    async def run(self) -> None:
        """Send what comes until the task is cancelled.

        Raises:
            DisconnectedError: the client has gone, or reads too slowly.
        """
        while True:
            await self.send(await self._outbox.get())

    async def send(self, message: ServerMessage) -> None:
        """Send one message at once.

        Raises:
            DisconnectedError: the client has gone, or reads too slowly.
        """
        self._meters.sent(message)
        try:
            await asyncio.wait_for(self._wire.send(encode(message)), self._timeout_s)
        except asyncio.TimeoutError as error:
            raise DisconnectedError("the client reads too slowly") from error

    async def flush(self) -> None:
        """Send what waits, such as the error that explains a close; not longer than a moment."""
        with contextlib.suppress(DisconnectedError):
            while self._outbox.waiting:
                await self.send(await self._outbox.get())
