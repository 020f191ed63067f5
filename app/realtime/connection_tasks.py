"""The tasks of one connection: they run side by side until one of them ends, and then all of them end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from app.realtime.closing import ClosedError

CANCEL_AGAIN_S: Final = 0.1
"""How long a task may take to end before it is asked again."""


class ConnectionTasks:
    """Starts tasks at any time, and sees that none stays behind.

    It isn't anyio's task group, which would wrap what ended a connection into an exception group: here how each part
    ended is looked at in turn, and who ends it from outside says why.
    """

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._ended: asyncio.Future[ClosedError | None] = asyncio.get_running_loop().create_future()

    def start(self, *works: Coroutine[Any, Any, None]) -> None:
        """Let them work from now on."""
        for work in works:
            task = asyncio.create_task(work)
            task.add_done_callback(lambda _: self.end(None))
            self._tasks.append(task)

    def end(self, why: ClosedError | None) -> None:
        """Let the wait for the end be over, for a reason of its own or for none."""
        if not self._ended.done():
            self._ended.set_result(why)

    async def ended(self) -> None:
        """Return once one of them has ended, or `end` was called."""
        await asyncio.wait([self._ended])  # which, unlike a plain await, leaves it alone when it is cancelled

    async def stop(self) -> list[BaseException | None]:
        """Cancel what still runs and return how each ended; the last is what it was ended with from outside.

        Before Python 3.12 `wait_for` may swallow a cancellation, so it is asked for again.
        """
        while running := [task for task in self._tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=CANCEL_AGAIN_S)
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        return [*results, self._ended.result() if self._ended.done() else None]
