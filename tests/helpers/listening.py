"""A port of a test's own, of whose connections nothing is left when it is closed.

Decision: who listens lets in who was accepted, then closes, then cuts off what is still connected. Context: asyncio
leaves a connection open for good that it accepted in the turn of the loop in which its server is closed, a task that is
cancelled before it begins closes nothing, and what stays open fails whichever later test the garbage collector finds it
in. Choice: nothing is accepted for a few turns before the close, and the writers are kept here. Price: no connection
outlives its port.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

Serve: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
TURNS = 3
"""Of the loop, after which who was accepted has a transport, and its protocol knows of it."""


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """Give a port of this machine at which each connection is served in a task of its own, until the end.

    `serve` closes what else it has opened however it ends, also when it is cancelled.
    """
    serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving[asyncio.create_task(serve(reader, writer))] = writer

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield int(listener.sockets[0].getsockname()[1])
    finally:
        await accept_no_more(listener)
        listener.close()
        for task, writer in serving.items():
            task.cancel()
            writer.transport.abort()  # one that is closed may still have something to send
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is gone then


async def until_one_ends(*ways: Coroutine[Any, Any, None]) -> None:
    """Let several ways of a connection go on until one of them ends; none goes on after it."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def accept_no_more(listener: asyncio.AbstractServer) -> None:
    """Return once a server of asyncio's own loop has let in all that it accepted; it may be closed then."""
    assert isinstance(listener, asyncio.Server)
    for port in listener.sockets:
        asyncio.get_running_loop().remove_reader(port.fileno())
    for _ in range(TURNS):
        await asyncio.sleep(0)
