"""Pictures on their way through the encoder: each once, and those that somebody waits for before the prepared ones.

Decision: order is kept here and not in the scheduler's queue. Context: a script may upload many pictures, each is
prepared, and one of them may be opened at any moment. Choice: prepared pictures stay out of the queue while anything
else is in it, and one that is opened goes in at once. Price: somebody waits for one prepared picture at most, the one
that the encoder is at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from app.service.backend import Encoded
from app.service.embeddings import EmbeddingKey

T = TypeVar("T", bound=Encoded)

MAX_PREPARED: Final = 8
"""Encodes that may be under way before a picture that nobody has asked for yet has to wait until someone does."""


@dataclass(eq=False)
class Encode(Generic[T]):
    """One picture on its way.

    Attributes:
        turn: done once it may go into the scheduler's queue.
        behind: those who wait for it, and would rather have others go first.
        task: its end.
    """

    turn: asyncio.Future[None]
    behind: int = 0
    task: asyncio.Task[T] = field(init=False)


class Encodes(Generic[T]):
    """All encodes that are under way."""

    def __init__(self, encode: Callable[[EmbeddingKey], Awaitable[T]], patience_s: float) -> None:
        """Encode nothing yet.

        Args:
            encode: encodes a picture.
            patience_s: how long a prepared picture lets others go first.
        """
        self._encode, self._patience_s = encode, patience_s
        self._under_way: dict[EmbeddingKey, Encode[T]] = {}  # whose turn has come, in its order

    def want(self, key: EmbeddingKey) -> asyncio.Task[T]:
        """Return the one task that encodes a picture somebody waits for, begun now if need be."""
        encode = self._under_way.get(key) or self._begin(key)
        self._let(key, encode)
        return encode.task

    def prepare(self, key: EmbeddingKey) -> None:
        """Begin on a picture that nobody has asked for yet; left out where many are under way."""
        if key not in self._under_way and len(self._under_way) < MAX_PREPARED:
            self._begin(key)

    async def behind(self, key: EmbeddingKey) -> T:
        """Return what a picture's encode gives, which lets all others go first.

        Where all who wait for it have left before its turn came, it is given up.
        """
        encode = self._under_way.get(key) or self._begin(key)
        encode.behind += 1
        try:
            return await asyncio.shield(encode.task)
        finally:
            encode.behind -= 1
            if not encode.behind and not encode.turn.done():
                self._under_way.pop(key, None)  # at once: whoever asks now gets another
                encode.task.cancel()

    def under_way(self, key: EmbeddingKey) -> asyncio.Task[T] | None:
        """Return the task that encodes a picture, None where none does."""
        encode = self._under_way.get(key)
        return None if encode is None else encode.task

    def before(self, key: EmbeddingKey) -> list[asyncio.Task[T]]:
        """Return the encodes of other pictures that come before this one, were it asked for now."""
        queue = [other for other, encode in self._under_way.items() if encode.turn.done()]
        place = queue.index(key) if key in queue else len(queue)
        return [self._under_way[other].task for other in queue[:place]]

    def _begin(self, key: EmbeddingKey) -> Encode[T]:
        encode: Encode[T] = Encode(asyncio.get_running_loop().create_future())
        self._under_way[key] = encode
        encode.task = asyncio.create_task(self._run(key, encode))
        encode.task.add_done_callback(lambda done: self._ended(key, encode, done))
        return encode

    async def _run(self, key: EmbeddingKey, encode: Encode[T]) -> T:
        """Encode, once it is wanted, or the others are done, or it has let them go first for long enough."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience_s
        while not encode.turn.done() and (others := self.before(key)) and (left_s := until - loop.time()) > 0:
            news: list[asyncio.Future[Any]] = [encode.turn, *others]
            await asyncio.wait(news, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        self._let(key, encode)
        return await self._encode(key)

    def _let(self, key: EmbeddingKey, encode: Encode[T]) -> None:
        """Give a picture its turn, behind those that have theirs."""
        if not encode.turn.done():
            encode.turn.set_result(None)
            self._under_way[key] = self._under_way.pop(key)

    def _ended(self, key: EmbeddingKey, encode: Encode[T], done: asyncio.Task[T]) -> None:
        """Make room for the next encode of this picture; those who wait see what went wrong, if anyone still does."""
        if self._under_way.get(key) is encode:
            del self._under_way[key]
        if not done.cancelled():
            done.exception()
