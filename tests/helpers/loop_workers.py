"""Workers in threads of this process: a fleet without Ray. What goes to them and comes back is pickled all the same."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from app.fleet.members import Call
from app.fleet.values import WorkerSpec
from app.fleet.worker import Worker


class LoopCall:
    """A call on its way; fulfils `members.Call`."""

    def __init__(self, future: Future[bytes]) -> None:
        self.future = future

    def result(self, timeout_s: float) -> Any:
        return pickle.loads(self.future.result(timeout_s))


class LoopWorkers:
    """Workers that share an event loop in a thread; fulfils `members.WorkerProcesses`."""

    def __init__(self, count: int, spec: WorkerSpec) -> None:
        self._workers = {f"worker-{number}": Worker(spec) for number in range(count)}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def names(self) -> Collection[str]:
        return self._workers.keys()

    def call(self, worker: str, method: str, *args: object) -> LoopCall:
        async def answered() -> bytes:
            return pickle.dumps(await getattr(self._workers[worker], method)(*pickle.loads(pickled)))

        pickled = pickle.dumps(args)
        return LoopCall(asyncio.run_coroutine_threadsafe(answered(), self._loop))

    def first_of(self, calls: Collection[Call], timeout_s: float) -> Call | None:
        futures = {call.future: call for call in calls if isinstance(call, LoopCall)}
        done, _ = wait(futures, timeout_s, FIRST_COMPLETED)
        return futures[done.pop()] if done else None

    def close(self) -> None:
        """End what is still at work, then the thread."""
        asyncio.run_coroutine_threadsafe(cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def cancel_others() -> None:
    """End all other tasks of the loop: one that is left would be ended by a collection of garbage, in a later test."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
