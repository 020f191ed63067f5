"""Who waits for which reply. Bookkeeping only: no socket, no clock."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TypeAlias

from app.client.book import Reply
from app.client.values import Preview

Answer: TypeAlias = "asyncio.Future[Reply | None]"
"""The reply, or None for a hover that a newer one replaced."""


@dataclass(frozen=True)
class _Wait:
    kinds: tuple[type, ...]
    answer: Answer


class Waiters:
    """The open questions of one socket by their `seq`; each leaves with its answer, or by `forget`."""

    def __init__(self) -> None:
        self._waits: dict[int, _Wait] = {}
        self._broken: Exception | None = None

    def expect(self, seq: int, kinds: tuple[type, ...]) -> Answer:
        """Return the future of the first reply to `seq` that is of one of the kinds.

        Raises:
            Exception: what broke the socket before; connect again.
        """
        if self._broken is not None:
            raise self._broken
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waits[seq] = _Wait(kinds, answer)
        return answer

    def forget(self, seq: int) -> None:
        """Stop waiting for a reply to `seq`, whatever became of it."""
        wait = self._waits.pop(seq, None)
        if wait is not None:
            wait.answer.cancel()

    def resolve(self, seq: int, reply: Reply) -> None:
        """Hand the reply to whoever waits for it; a preview also ends the wait of every older hover."""
        wait = self._waits.get(seq)
        if wait is not None and isinstance(reply, wait.kinds):
            self._settle(seq, reply)
        if isinstance(reply, Preview):
            self.overtake(seq)

    def overtake(self, seq: int) -> None:
        """Answer None to every hover older than `seq`."""
        for older in [s for s, wait in self._waits.items() if s < seq and wait.kinds == (Preview,)]:
            self._settle(older, None)

    def refuse(self, seq: int | None, error: Exception) -> None:
        """Raise the error where `seq` is awaited; without a `seq` everywhere, as nobody can know whom it meant."""
        for number in list(self._waits) if seq is None else [seq]:
            wait = self._waits.pop(number, None)
            if wait is not None and not wait.answer.done():
                wait.answer.set_exception(error)
                wait.answer.exception()  # seen, even where the caller has stopped waiting

    def close(self, error: Exception) -> None:
        """Raise the error everywhere, now and from now on; the first error stays."""
        self._broken = self._broken or error
        self.refuse(None, self._broken)

    def _settle(self, seq: int, reply: Reply | None) -> None:
        answer = self._waits.pop(seq).answer
        if not answer.done():
            answer.set_result(reply)
