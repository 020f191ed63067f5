"""Replies on their way to one client: all of them in order, but of previews only the newest.

Bounded: a client that reads nothing is cut off when `max_waiting` replies wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from app.protocol.messages import Gone, Image, Object, Preview, ServerMessage
from app.realtime.flag import Flag
from app.realtime.transport import DisconnectedError


class Outbox:
    """The mailbox between a connection's workers and its writer."""

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._messages: deque[ServerMessage] = deque()
        self._preview: Preview | None = None
        self._wake = Flag()
        self._sending = False
        self._all_sent: asyncio.Future[None] | None = None

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
            self._messages.append(message)
        self._wake.set()

    def put_answer(self, messages: Sequence[Image | Object | Gone]) -> None:
        """Queue the whole answer to a change; the last of it says so. Raises as `put`."""
        for message in messages[:-1]:
            self.put(message)
        self.put(replace(messages[-1], last=True))

    @property
    def waiting(self) -> int:
        """Number of replies that wait, previews aside."""
        return len(self._messages)

    def send_preview(self) -> None:
        """Let the preview that was not sent yet go before what comes next, of which it knows nothing."""
        if self._preview is not None:
            self._messages.append(self._preview)
            self._preview = None

    def drop_preview(self) -> None:
        """Forget the preview that was not sent yet: the pointer has left, or the picture is another."""
        self._preview = None

    async def sent(self) -> None:
        """Return once nothing waits and what was taken last is sent."""
        if self._sending or self._messages:
            self._all_sent = asyncio.get_running_loop().create_future()
            await self._all_sent

    async def get(self) -> ServerMessage:
        """Return what goes next: ordinary replies first, then the newest preview. What was taken before is sent."""
        while not self._messages and self._preview is None:
            self._sending = False
            if self._all_sent is not None and not self._all_sent.done():
                self._all_sent.set_result(None)
            self._wake.clear()
            await self._wake.wait()
        self._sending = True
        if self._messages:
            return self._messages.popleft()
        message, self._preview = self._preview, None
        if message is None:
            raise AssertionError("the loop above leaves a preview")
        return message
