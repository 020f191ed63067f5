"""One model on its way from a server or the disk into memory, and all who wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable

Tell = Callable[[float], None]
"""Called in the event loop with the share of a download that is here, 0 to 1; must not raise."""


class LoadingStoppedError(Exception):
    """Nobody waited for the download any more; what came is kept."""


class Loading:
    """One model on its way. Lives in the event loop; `progress` alone is called from another thread.

    Decision: the download goes on as long as anyone waits. Context: it takes minutes, and those who asked may leave
    or choose another model. Choice: the last one who leaves stops it; what came is resumed by whoever asks next.
    Price: a page that is loaded again in the middle sends one more request.
    """

    def __init__(self, work: Callable[[Callable[[int, int], None]], Awaitable[None]]) -> None:
        """Begin.

        Args:
            work: brings the model into memory, given where to tell how far a download is.
        """
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Tell] = []
        self._unwanted = threading.Event()
        self._percent: int | None = None
        self.task = asyncio.ensure_future(work(self.progress))
        self.task.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may be left to see it

    async def wait(self, tell: Tell) -> None:
        """Return once the model is loaded; `tell` hears of its download.

        Raises:
            LoadingStoppedError: all had left just before; begin again.
            HoverError: it couldn't be loaded.
        """
        self._unwanted.clear()
        if self._percent is not None:
            tell(self._percent / 100)
        self._listeners.append(tell)
        try:
            await asyncio.shield(self.task)
        finally:
            self._listeners.remove(tell)
            if not self._listeners:
                self._unwanted.set()

    def stop(self) -> None:
        """Give the download up, whoever waits."""
        self._unwanted.set()

    def progress(self, done: int, total: int) -> None:
        """Tell the listeners of each whole percent of a download; called in the thread that fetches.

        Raises:
            LoadingStoppedError: nobody waits any more.
        """
        if self._unwanted.is_set():
            raise LoadingStoppedError
        percent = 100 * done // max(1, total)
        if percent != self._percent:
            self._percent = percent
            with contextlib.suppress(RuntimeError):  # the loop has closed: the server is going down
                self._loop.call_soon_threadsafe(self._tell, percent / 100)

    def _tell(self, fraction: float) -> None:
        for tell in list(self._listeners):
            tell(fraction)
