"""Who waits for which reply, across sockets. Bookkeeping only: no socket, no clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from app.client.session_view import Reply
from app.client.timeline import ClipSource, PictureSource
from app.client.values import Preview
from app.errors import UnknownObjectError
from app.protocol.messages import ClientMessage, Hover, Progress

ReplyFuture: TypeAlias = "asyncio.Future[Reply | None]"
"""The reply, or None for a hover that was given up."""
UNNUMBERED: Final = 0
"""`seq` of a message that gets its own when it is sent."""
MAX_WAITING: Final = 1024
"""Questions without an answer; beyond that the oldest is given up."""
MAX_SENDS: Final = 5
"""Sockets on which one change is tried. One that ends each of them is not worth the session."""


@dataclass(eq=False)
class Request:
    """A message that is answered.

    Attributes:
        message: what is sent, once it has its number.
        kinds: the replies that answer it.
        answer: the reply, None for a hover that was given up.
        picture: what `open` opens.
        progress: called with what comes before the answer.
        again: True for what takes the session up on a new socket; it belongs to that socket.
        sends: how often it was sent.
    """

    message: ClientMessage
    kinds: tuple[type, ...]
    answer: ReplyFuture = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    picture: PictureSource | ClipSource | None = None
    progress: Callable[[Progress], None] | None = None
    again: bool = False
    sends: int = 0

    @property
    def is_hover(self) -> bool:
        """True for what is worthless once it is overtaken."""
        return isinstance(self.message, Hover)

    def once_more(self) -> Request:
        """Return the same request, to be asked again."""
        return Request(self.message, self.kinds, picture=self.picture, progress=self.progress)

    def settle(self, reply: Reply | None) -> None:
        """Answer it, where anyone still waits."""
        if not self.answer.done():
            self.answer.set_result(reply)

    def refuse(self, error: Exception) -> None:
        """Raise the error where it is awaited."""
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # seen, even where the caller has stopped waiting


class PendingRequests:
    """The open requests by their `seq`. A change stays until it is answered, even where its caller has gone."""

    def __init__(self) -> None:
        self._requests: dict[int, Request] = {}

    def __len__(self) -> int:
        """Number of requests without an answer."""
        return len(self._requests)

    def expect(self, seq: int, request: Request) -> None:
        """Wait for the reply to `seq`."""
        self._requests[seq] = request
        if len(self._requests) > MAX_WAITING:
            self._requests.pop(next(iter(self._requests))).refuse(TimeoutError("too many requests wait"))

    def get(self, seq: int) -> Request | None:
        """Return the request with this number."""
        return self._requests.get(seq)

    def forget(self, seq: int) -> None:
        """Stop waiting for a reply to `seq`, whatever becomes of it."""
        request = self._requests.pop(seq, None)
        if request is not None:
            request.answer.cancel()

    def resolve(self, seq: int, answer: Sequence[Reply]) -> Request | None:
        """Hand a whole answer to whoever waits for it and return the request, None where nobody does.

        Of several messages the caller gets the first of the kind that he asked for. A preview also ends the wait of
        every older hover.
        """
        if isinstance(answer[0], Preview):
            self.overtake(seq)
        request = self._requests.pop(seq, None)
        if request is None:
            return None
        reply = next((each for each in answer if isinstance(each, request.kinds)), None)
        if reply is None:  # the change was made before its answer was lost, and something else since
            request.refuse(UnknownObjectError("the change was made, and what it was made to is gone since"))
        else:
            request.settle(reply)
        return request

    def overtake(self, before: int | None = None) -> None:
        """Answer None to every hover older than `before`, to all where that is None."""
        for seq, request in list(self._requests.items()):
            if request.is_hover and (before is None or seq < before):
                del self._requests[seq]
                request.settle(None)

    def refuse(self, seq: int | None, error: Exception) -> None:
        """Raise the error where `seq` is awaited; without a `seq` everywhere, as nobody can know whom it meant."""
        for number in list(self._requests) if seq is None else [seq]:
            request = self._requests.pop(number, None)
            if request is not None:
                request.refuse(error)

    def changes(self) -> list[tuple[int, Request]]:
        """Return the changes without an answer, in the order in which they were sent."""
        waiting = [(seq, each) for seq, each in self._requests.items() if not (each.is_hover or each.again)]
        return sorted(waiting, key=lambda pair: pair[0])

    def renumber(self, old: int, new: int) -> None:
        """Give a request another number."""
        self._requests[new] = self._requests.pop(old)
