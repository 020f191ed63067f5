"""One call of a worker from the thread of a lane: how long to wait for the answer, and whom to ask besides.

Decision: a late answer is asked of the replica too, and a worker is given up only when it doesn't say that it is alive.
Context: a worker that was stopped, or whose machine is gone, gives no sign; one that is merely slow looks the same. A
fixed deadline accused healthy workers as soon as the machine was busy. Choice: the deadline follows what answers took;
past it the replica is asked, and the worker's event loop, which answers beside any work. Price: half a second until a
worker that stands still is noticed.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.errors import EmbeddingLostError, EngineFailedError, WorkerLostError
from app.fleet.members import PROBE_S, Call, Members, WorkerProcesses, told


@dataclass(frozen=True)
class RemoteCall:
    """What is asked.

    Attributes:
        kind: of work, `decode` or `encode`: how long each takes is remembered apart.
        method: of `Worker`.
        args: its arguments.
    """

    kind: str
    method: str
    args: tuple[object, ...]


class Dispatcher:
    """Asks workers. Every method may be called from any thread."""

    def __init__(self, workers: WorkerProcesses, members: Members) -> None:
        self._workers, self._members = workers, members

    def ask(self, worker: str, remote: RemoteCall, timeout_s: float, replica: str | None = None) -> Any:  # noqa: ANN401 - each call has its own kind of answer
        """Return the answer of a worker, or of its replica where that comes first.

        Args:
            worker: whom to ask.
            remote: what.
            timeout_s: how long at most.
            replica: a worker that has the same embedding, asked too where the first is late.

        Raises:
            WorkerLostError: the worker has died, or doesn't answer; it is suspected from now on.
            EngineFailedError: it gave no answer in time, though it is alive.
            HoverError: what the worker refused.
        """
        member = self._members.all[worker]
        if not member.alive:
            raise WorkerLostError(f"{worker} doesn't answer")
        deadline = member.deadlines[remote.kind]
        began = time.monotonic()
        call = self._workers.call(worker, remote.method, *remote.args)
        hedge: Call | None = None
        with suppress(TimeoutError):  # nearly all are answered by then
            return self._taken(worker, remote, call, began, deadline.seconds)
        while True:
            late_s = time.monotonic() - began
            if hedge is None and replica is not None:
                hedge = self._workers.call(replica, remote.method, *remote.args)
            elif not member.alive or (
                self._members.alive() != [worker]  # the last one is waited for: nobody else would answer sooner
                and not self._members.answers(worker, max(PROBE_S, deadline.seconds / 2))
            ):
                self._give_up(worker, f"no answer in {late_s:.1f} s")
            elif late_s > timeout_s:
                raise EngineFailedError(f"{worker} gave no answer in time; try again")
            done = self._workers.first_of([call] if hedge is None else [call, hedge], deadline.seconds)
            if done is call:
                return self._taken(worker, remote, call, began, 0.0)
            if done is None:
                continue
            try:
                answer = told(done.result(0.0))
            except (EmbeddingLostError, WorkerLostError):  # it isn't of any help
                replica = hedge = None
                continue
            self._members.doubt(worker)
            return answer

    def _taken(self, worker: str, remote: RemoteCall, call: Call, began: float, timeout_s: float) -> Any:  # noqa: ANN401
        member = self._members.all[worker]
        try:
            answer = call.result(timeout_s)
        except WorkerLostError as error:
            self._give_up(worker, error.message)
        member.deadlines[remote.kind].add(time.monotonic() - began)
        member.calls += 1
        return told(answer)

    def _give_up(self, worker: str, why: str) -> None:
        self._members.all[worker].failures += 1
        self._members.suspect(worker, why)
        raise WorkerLostError(f"{worker} doesn't answer")
