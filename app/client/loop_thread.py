"""An event loop in a thread of its own, for callers whose own thread may run one already, as a notebook's cell does.

Decision: what lives on the loop lives in one task, from its beginning to its end. Context: a loop can't be run where
another runs, libraries replace `asyncio.run`, and a caller may be interrupted anywhere or forget to say that he is
done. Choice: the thread alone runs the loop and cleans it up; the caller asks, waits, and joins. Price: whoever calls
from that very thread, as a callback does, would wait for himself, and is told so.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from app.client.errors import LostError

S = TypeVar("S")
T = TypeVar("T")


class LoopThread(Generic[S]):
    """Holds an async context open in a thread, from `enter` to `end`."""

    def __init__(self, context: AbstractAsyncContextManager[S]) -> None:
        """Take a context; nothing begins yet, so that whoever is interrupted has something to end."""
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._value: Future[S] = Future()
        self._gate = threading.RLock()
        """Held to ask for something, so that nothing is asked of a loop that has ended."""
        self._is_open = True
        self._process = os.getpid()
        """Where the thread is: a process that is forked from it has the session's values, and no thread."""
        self._thread = threading.Thread(target=self._live, name="hoversam client", daemon=True)

    def enter(self) -> S:
        """Begin: return what the context gives, or raise why it gives nothing."""
        self._thread.start()
        return self._value.result()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns; it is cancelled where the caller is interrupted.

        Raises:
            LostError: this has ended, or the caller is in a process that was forked from the one that has it.
            RuntimeError: the caller is a callback, in this very thread.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("expected no call of the session from its own callback, which it waits for")
        if os.getpid() != self._process:
            work.close()
            raise LostError("the session stayed in the process that this one was forked from; connect in this one, too")
        with self._gate:
            future = asyncio.run_coroutine_threadsafe(work, self._loop) if self._is_open else None
        if future is None:
            work.close()
            raise LostError("the session was closed; connect again")
        try:
            return future.result()
        except CancelledError:
            raise LostError("the session was closed meanwhile; connect again") from None
        finally:
            future.cancel()

    def start(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Let a coroutine run and don't wait for it; nothing happens where this has ended, or is another process's."""
        if os.getpid() != self._process:
            return
        with self._gate:
            if self._is_open:
                asyncio.run_coroutine_threadsafe(work(), self._loop)

    def end(self) -> None:
        """Leave the context and return once the thread is gone. What goes wrong in leaving is nobody's any more."""
        if os.getpid() != self._process:
            return  # it goes on where it is
        with self._gate:
            if self._is_open:
                self._loop.call_soon_threadsafe(self._stop)
        if self._thread.ident is None:  # interrupted before it began
            self._loop.close()
        elif threading.current_thread() is not self._thread:  # where a garbage collector may call from
            self._thread.join()

    def _stop(self) -> None:
        self._over.set()
        if not self._value.done():
            self._task.cancel()

    def _live(self) -> None:
        self._task = self._loop.create_task(self._hold())
        self._loop.run_until_complete(self._task)
        with self._gate:
            self._is_open = False
        self._loop.run_until_complete(_cancel_others())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()  # an upload that is under way in a worker is not waited for

    async def _hold(self) -> None:
        try:
            async with self._context as value:
                self._value.set_result(value)
                await self._over.wait()
        except BaseException as error:  # told to whoever waits for the value
            if not self._value.done():
                self._value.set_exception(error)


async def _cancel_others() -> None:
    await asyncio.sleep(0)  # what was asked for at the last moment begins, to end like the rest
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
