"""Replies on their way to one client: all of them in order, but of previews only the newest.

Bounded: a client that reads nothing is cut off when `max_waiting` replies wait, or one isn't taken in time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from app.protocol.codec import encode
from app.protocol.messages import Error, Preview, ServerMessage
from app.realtime.flag import Flag
from app.realtime.transport import DisconnectedError, Transport
from app.service.meters import Meters
from app.session.replies import StateMessage


class Outbox:
    """Filled by a connection's workers, emptied into the socket by one task.

    A socket takes a message whole and then makes the next one wait, so that it is the bytes of the message before that
    decide how long a message may take. It isn't an `asyncio.Queue`, in which a newer preview couldn't take the place of
    one that waits.
    """

    def __init__(
        self, transport: Transport, meters: Meters, *, max_waiting: int, timeout_s: float, bytes_per_s: float
    ) -> None:
        """Begin empty.

        Args:
            transport: an accepted socket.
            meters: what counts the errors that are told.
            max_waiting: replies that may wait, previews aside.
            timeout_s: seconds that a client may take for a message.
            bytes_per_s: it gets another second for each so many bytes.
        """
        self._transport, self._meters = transport, meters
        self._max_waiting, self._timeout_s, self._bytes_per_s = max_waiting, timeout_s, bytes_per_s
        self._messages: deque[ServerMessage] = deque()
        self._preview: Preview | None = None
        self._wake = Flag()
        self._all_sent = asyncio.Event()
        self._all_sent.set()
        self._bytes_before = 0
        """Of the message before."""

    @property
    def waiting(self) -> int:
        """Replies that wait, previews aside."""
        return len(self._messages)

    def put(self, message: ServerMessage) -> None:
        """Queue a reply; a preview takes the place of one that was not sent yet.

        Raises:
            DisconnectedError: the client doesn't read; it has to connect again.
        """
        if isinstance(message, Preview):
            self._preview = message
        elif len(self._messages) >= self._max_waiting:
            raise DisconnectedError(f"{self._max_waiting} replies wait for a client that reads none")
        else:
            self._append(message)
        self._wake.set()

    def put_answer(self, messages: Sequence[StateMessage]) -> None:
        """Queue the whole answer to a change; the last of it says so. Raises as `put`."""
        for message in messages[:-1]:
            self.put(message)
        self.put(replace(messages[-1], last=True))

    def send_preview(self) -> None:
        """Let the preview that was not sent yet go before what comes next, of which it knows nothing."""
        if self._preview is not None:
            self._append(self._preview)
            self._preview = None

    def drop_preview(self) -> None:
        """Forget the preview that was not sent yet: the pointer has left, or the picture is another."""
        self._preview = None

    async def run(self) -> None:
        """Send what comes until the task is cancelled.

        Raises:
            DisconnectedError: the client has gone, or reads too slowly.
        """
        while True:
            await self.send(await self._next())

    async def send(self, message: ServerMessage) -> None:
        """Send one message at once, before all that wait.

        Raises:
            DisconnectedError: the client has gone, or reads too slowly.
        """
        if isinstance(message, Error):
            self._meters.errors.labels(message.code).inc()
        data = encode(message)
        patience_s = self._timeout_s + (self._bytes_before + len(data)) / self._bytes_per_s
        self._bytes_before = len(data)
        try:
            await asyncio.wait_for(self._transport.send(data), patience_s)
        except asyncio.TimeoutError as error:
            raise DisconnectedError("the client reads too slowly") from error

    async def sent(self) -> None:
        """Return once nothing waits and what was taken last is sent; several may wait for that at a time."""
        await self._all_sent.wait()

    async def flush(self) -> None:
        """Send what waits, such as the error that explains a close; not longer than a moment."""
        with contextlib.suppress(DisconnectedError, asyncio.TimeoutError):
            while self._messages:
                await asyncio.wait_for(self.send(await self._next()), self._timeout_s)

    def _append(self, message: ServerMessage) -> None:
        self._messages.append(message)
        self._all_sent.clear()

    async def _next(self) -> ServerMessage:
        """Return what goes next: ordinary replies first, then the newest preview. What was taken before is sent."""
        while not self._messages and self._preview is None:
            self._all_sent.set()
            self._wake.clear()
            await self._wake.wait()
        self._all_sent.clear()
        if self._messages:
            return self._messages.popleft()
        message, self._preview = self._preview, None
        if message is None:
            raise AssertionError("the loop above leaves a preview")
        return message
