"""What is made ready beside a session's changes, one at a time, the newest request: another model, or its regions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.session.values import StandIn

R = TypeVar("R")


@dataclass(frozen=True)
class SwitchRequest:
    """A model to change over to.

    Attributes:
        seq: the message that asks, a `model` or an `open`.
        name: of the model.
        stand_in: whose place the session's own model is to take; None for a model that a person chose.
    """

    seq: int
    name: str
    stand_in: StandIn | None = None


class Preparation(Generic[R]):
    """Carries out one request at a time, the newest: a task group would let the one before go on.

    Attributes:
        request: the one that isn't carried out yet; whoever carries it out takes it away.
    """

    def __init__(self, carry_out: Callable[[R], Coroutine[Any, Any, None]]) -> None:
        """Have no request yet.

        Args:
            carry_out: makes a request true, or tells why it can't.
        """
        self._carry_out = carry_out
        self._came = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.request: R | None = None

    def begin(self, request: R) -> None:
        """Give up what is being done, and do this."""
        self.drop()
        self.request = request
        self._came.set()

    def drop(self) -> None:
        """Give up what is being done."""
        self.request = None
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Work until the task is cancelled; a bug ends it."""
        while True:
            await self._came.wait()
            self._came.clear()
            if self.request is None:
                continue
            self._task = asyncio.create_task(self._carry_out(self.request))
            try:
                await asyncio.wait([self._task])
            finally:
                self._task.cancel()
            if not self._task.cancelled():
                self._task.result()
