"""Work that a test holds up, and lanes that do it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from app.errors import EngineFailedError
from app.service.scheduler import Lane, Priority

LONG_S = 20.0


class Gate:
    """Work that tells when it has begun and ends when it may."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.open.wait(LONG_S)
        return "through"

    async def wait_until_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, LONG_S)


def noting(notes: list[str], name: str) -> Callable[[], str]:
    def work() -> str:
        notes.append(name)
        return name

    return work


async def start(lane: Lane, priority: Priority, work: Callable[[], str]) -> asyncio.Task[str]:
    """Queue a job and return once it waits."""
    task = asyncio.create_task(lane.run(priority, work, LONG_S))
    await asyncio.sleep(0)
    return task


async def hang(lane: Lane, gate: Gate, hung: int) -> None:
    """Let a job hang, and look as the watchdog does until so many threads are given up.

    On a busy machine a job may be given up before it begins: then it never hangs, and another one is tried.
    """
    begun, timeout_s = threading.Event(), 0.01

    def work() -> str:
        begun.set()
        return gate()

    while not begun.is_set():
        with pytest.raises(EngineFailedError, match="no answer within"):
            await lane.run(Priority.CLICK, work, timeout_s)
        timeout_s *= 2
        if lane.hung >= hung:
            return
    while lane.hung < hung:
        lane.replace_hung_thread()
        await asyncio.sleep(0.001)
