"""The writer: the one task that sends on a socket once it is welcomed."""

from __future__ import annotations

import asyncio
import contextlib

from app.protocol.codec import encode
from app.protocol.messages import ServerMessage
from app.realtime.limits import ConnectionLimits
from app.realtime.outbox import Outbox
from app.realtime.transport import DisconnectedError, Transport
from app.service.meters import Meters


class Writer:
    """Empties an outbox into a socket.

    A socket takes a message whole and then makes the next one wait, so that it is the bytes of the message before that
    decide how long a message may take.
    """

    def __init__(self, transport: Transport, outbox: Outbox, limits: ConnectionLimits, meters: Meters) -> None:
        """Send nothing yet.

        Args:
            transport: the socket.
            outbox: what is to be sent.
            limits: how slowly it may be taken.
            meters: what counts replies.
        """
        self._transport, self._outbox, self._meters = transport, outbox, meters
        self._timeout_s, self._bytes_per_s = limits.send_timeout_s, limits.min_body_bytes_per_s
        self._before = 0

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
        data = encode(message)
        patience_s = self._timeout_s + (self._before + len(data)) / self._bytes_per_s
        self._before = len(data)
        try:
            await asyncio.wait_for(self._transport.send(data), patience_s)
        except asyncio.TimeoutError as error:
            raise DisconnectedError("the client reads too slowly") from error

    async def flush(self) -> None:
        """Send what waits, such as the error that explains a close; not longer than a moment."""
        with contextlib.suppress(DisconnectedError, asyncio.TimeoutError):
            while self._outbox.waiting:
                await asyncio.wait_for(self.send(await self._outbox.get()), self._timeout_s)
