"""The device's owners: a thread that decodes and two that encode, each with bounded queues.

Decision: two lanes instead of one queue. Context: an encode takes seconds on a CPU, a decode milliseconds, and torch
can't be interrupted. Choice: decodes never wait for an encode; clicks go before hovers. Price: while both lanes work
they share the cores, which `threads_for` divides, since two OpenMP teams on the same cores spin on each other.

Decision: the small model that answers first encodes in a lane of its own. Context: it is done in a tenth of a second,
and the encode of a large one before it may take ten. Choice: it works beside that. Price: both take longer meanwhile.

Each connection has at most one hover and one change in a queue at a time, so first come, first served among equals
is also one turn each.

Decision: who sends faster than anyone may waits until the device is quiet. Context: a flood's newest hover is always
there when a decode ends, so each hover of another client would wait for one of the flood's. Choice: its hovers are
throttled: they let the others go first, also those that come `COURTESY_S` later. Price: such a client gets one answer
in `THROTTLED_WAIT_S`, while others are at work.

Decision: what nobody has asked for yet is done in the gaps, a decode at a time. Context: a decode can't be interrupted,
and the medians and the quiet that others go by must be those of people. Choice: idle jobs wait like hovers that are
throttled, and while anything encodes, and count as nothing; longer ones look meanwhile whether the device `is_free`.
Price: somebody who comes may wait for one decode.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from statistics import median
from typing import Any, Final, Generic, TypeVar

import structlog

from app.errors import BusyError, EngineFailedError, HoverError

T = TypeVar("T")
RETRY_AFTER_S = 1.0
"""Many prompts are answered in it, so that there is room by then."""
SAMPLES = 64
"""Jobs that a median is taken of: a second or two of hovers, so that it tells how busy the model is now."""
MAX_HUNG = 4
"""Threads of a lane that may hang; after that the lane waits for them, and the server says that it isn't ready."""
COURTESY_S = 0.1
"""So long after the last job of the others, they have nothing more to ask."""
THROTTLED_WAIT_S = 1.0
"""A hover that is throttled waits for others no longer than this, nor than half of its own time."""
IDLE_LOOK_S = 0.05
"""So often an idle job looks whether an encode has ended."""
NOBODY_HOVERS_S = 2.0
"""Without a decode for so long, nobody is hovering."""

log = structlog.get_logger(__name__)


class Priority(IntEnum):
    """What goes first."""

    CLICK = 0
    HOVER = 1
    ENCODE = 2
    TRACK = 3
    """An object on a frame of a clip."""
    THROTTLED = 4
    """Hovers of a client that sends faster than it may."""
    IDLE = 5
    """What nobody waits for."""


URGENT: Final = (Priority.CLICK, Priority.HOVER, Priority.ENCODE, Priority.TRACK)
"""What begins as soon as the device is free; the rest waits until nobody else has anything to ask."""


@dataclass
class Job(Generic[T]):
    """Work for the device and the future that waits for it."""

    priority: Priority
    work: Callable[[], T]
    timeout_s: float
    future: Future[T] = field(default_factory=Future)
    queued_at: float = field(default_factory=time.perf_counter)
    began_at: float = math.inf

    @property
    def hangs(self) -> bool:
        """Whether it has been at work for longer than anyone waits for it."""
        return time.perf_counter() - self.began_at > self.timeout_s


class Meter:
    """Running medians over the last `SAMPLES` jobs, in milliseconds. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._queue_ms: deque[float] = deque(maxlen=SAMPLES)
        self._work_ms: deque[float] = deque(maxlen=SAMPLES)

    def add(self, queue_s: float, work_s: float) -> None:
        """Take the wait and the work of one job."""
        self._queue_ms.append(1000 * queue_s)
        self._work_ms.append(1000 * work_s)

    @property
    def queue_ms(self) -> float:
        """Median wait for the device; 0 before the first job."""
        return median(self._queue_ms.copy() or [0.0])

    @property
    def work_ms(self) -> float:
        """Median time on the device; 0 before the first job."""
        return median(self._work_ms.copy() or [0.0])


class Lane:
    """A thread that does one job at a time, the most urgent first and the oldest among equals; or a few such threads.

    Decision: a thread that hangs is left alone, another takes its place. Context: neither torch nor OpenVINO can be
    interrupted, and one decode that never returns would stop every session. Choice: whoever waits in vain starts the
    next thread; the job is lost, the lane goes on. Price: the thread's memory, at most `MAX_HUNG` times.

    Attributes:
        hung: threads that were left alone and haven't come back.
        meter: how long jobs wait and work.
    """

    def __init__(
        self,
        name: str,
        capacity: int,
        before_job: Callable[[], None],
        others_at_work: Callable[[], bool] = lambda: False,
        threads: int = 1,
    ) -> None:
        """Start the thread.

        Args:
            name: for logs and debuggers.
            capacity: jobs of each priority that may wait; one more is refused.
            before_job: called in the thread before each job, to divide the cores.
            others_at_work: whether the device has work in other lanes, for which idle jobs wait.
            threads: jobs that may be at work at a time: one, but for a device that is far away.
        """
        self._capacity, self._others_at_work = capacity, others_at_work
        self._before_job = before_job
        self._queues: dict[Priority, deque[Job[Any]]] = {priority: deque() for priority in Priority}
        self._changed = threading.Condition()
        self._closed = False
        self.hung = 0
        self.meter = Meter()
        self._ended_at = self._others_ended_at = -math.inf
        self._name = name
        self._at_work: dict[threading.Thread, Job[Any] | None] = {}
        for _ in range(threads):
            self._begin_thread()

    @property
    def waiting(self) -> int:
        """Number of jobs that wait."""
        return sum(map(len, self._queues.values()))

    @property
    def busy(self) -> bool:
        """Whether a job of a person is at work."""
        return any(job is not None and job.priority is not Priority.IDLE for job in list(self._at_work.values()))

    @property
    def quiet_s(self) -> float:
        """Seconds since the last job of a person ended; 0 while one runs, infinite before the first."""
        return 0.0 if self.busy else time.perf_counter() - self._ended_at

    @property
    def is_wanted(self) -> bool:
        """Whether a job of a person waits."""
        return any(queue for priority, queue in self._queues.items() if priority is not Priority.IDLE)

    async def run(self, priority: Priority, work: Callable[[], T], timeout_s: float) -> T:
        """Return what `work` returns, once the thread got to it.

        Raises:
            BusyError: the queue is full.
            EngineFailedError: the work raised, or wasn't done in time; only this job is lost. Or the lane is closed.
        """
        job = Job(priority, work, timeout_s)
        with self._changed:
            if self._closed:
                raise closed_error()
            self._replace_hung_thread()
            if len(self._queues[priority]) >= self._capacity:
                raise BusyError(f"the model has {self._capacity} jobs waiting; try again", retry_after_s=RETRY_AFTER_S)
            self._queues[priority].append(job)
            self._changed.notify()
        waiter = asyncio.wrap_future(job.future)
        try:
            while priority is Priority.IDLE and job.began_at == math.inf and not waiter.done():
                await asyncio.wait([waiter], timeout=timeout_s)  # for as long as others have work
            return await asyncio.wait_for(waiter, timeout_s)
        except asyncio.TimeoutError as error:
            self.replace_hung_thread()
            raise EngineFailedError(f"the model gave no answer within {timeout_s:g} s; try again") from error
        finally:
            waiter.cancel()  # whoever has left wants nothing any more

    def close(self) -> None:
        """Let the thread end after the job at hand; jobs that wait are cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def healthy(self) -> bool:
        """Whether the lane can still replace a thread that hangs."""
        return self.hung < MAX_HUNG

    def _begin_thread(self) -> None:
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._at_work[thread] = None
        thread.start()

    def replace_hung_thread(self) -> None:
        """Let another thread go on where the job at hand hangs.

        A waiter that gives up may do so a moment before its job counts as hanging, and no other may come after it, so
        the watchdog asks too.
        """
        with self._changed:
            self._replace_hung_thread()

    def _replace_hung_thread(self) -> None:
        """Do so where the lock is held."""
        hanging = [thread for thread, job in self._at_work.items() if job is not None and job.hangs]
        for thread in hanging:
            if self.healthy and not self._closed:
                log.error("model_hangs", lane=self._name, hung=self.hung + 1)
                self.hung += 1
                del self._at_work[thread]
                self._begin_thread()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            if job.future.set_running_or_notify_cancel():  # else nobody waits for it any more
                self._do(job)

    def _wait_s(self) -> float:
        """Return the seconds until a job that waits may begin, were no other to come. The lock is held."""
        if any(self._queues[priority] for priority in URGENT):
            return 0.0
        if self.waiting == 0:
            return math.inf
        others = any(job is not None and job.priority in URGENT for job in self._at_work.values())
        begins_at = math.inf if others else self._others_ended_at + COURTESY_S
        if throttled := self._queues[Priority.THROTTLED]:
            begins_at = min(begins_at, throttled[0].queued_at + min(THROTTLED_WAIT_S, throttled[0].timeout_s / 2))
        elif self._others_at_work():
            return IDLE_LOOK_S
        return begins_at - time.perf_counter()

    def _next(self) -> Job[Any] | None:
        thread = threading.current_thread()
        with self._changed:
            if thread not in self._at_work:  # it hung and came back
                self.hung -= 1
                return None
            self._at_work[thread] = None
            while not self._closed and (wait_s := self._wait_s()) > 0:
                self._changed.wait(None if wait_s == math.inf else wait_s)
            if self._closed:
                for queue in self._queues.values():
                    while queue:
                        job = queue.popleft()
                        if job.future.set_running_or_notify_cancel():
                            job.future.set_exception(closed_error())
                return None
            job = next(queue for _, queue in sorted(self._queues.items()) if queue).popleft()
            self._at_work[thread] = job
            job.began_at = time.perf_counter()
            return job

    def _do(self, job: Job[Any]) -> None:
        began = time.perf_counter()
        try:
            self._before_job()
            outcome = job.work()
        except HoverError as error:
            outcome = error
        except Exception as error:
            outcome = EngineFailedError("the model failed on this prompt; try again")
            outcome.__cause__ = error
        ended_at = time.perf_counter()
        if job.priority is not Priority.IDLE:
            self._ended_at = ended_at
            if job.priority is not Priority.TRACK:  # the meter tells how long a picture takes
                self.meter.add(began - job.queued_at, ended_at - began)
        if job.priority in URGENT:
            self._others_ended_at = ended_at
        if isinstance(outcome, HoverError):
            job.future.set_exception(outcome)
        else:
            job.future.set_result(outcome)


def closed_error() -> EngineFailedError:
    """Return what a job is told that comes too late."""
    return EngineFailedError("the server is shutting down; connect again")


def threads_for(cores: int, *, other_lane_busy: bool) -> int:
    """Return how many threads a lane may use: all of them alone, otherwise about half."""
    return max(1, cores // 2) if other_lane_busy else max(1, cores)


class Scheduler:
    """The lanes of one device: decodes, encodes, and encodes of the model that answers first."""

    def __init__(
        self, *, cores: int, capacity: int, set_threads: Callable[[int], None], decodes_at_once: int = 1
    ) -> None:
        """Start the lanes.

        Args:
            cores: processor cores that the model may use.
            capacity: jobs of each kind that may wait.
            set_threads: sets the number of the calling thread's helpers, such as `torch.set_num_threads`.
            decodes_at_once: decodes that may be under way to a device that is far away.
        """
        self._cores, self._set_threads = cores, set_threads
        self.encodes = Lane("encode", capacity, self._share_for_encode)
        self.first_encodes = Lane("first encode", capacity, self._share_for_first_encode)
        self.decodes = Lane("decode", capacity, self._share_for_decode, self._encoding, decodes_at_once)
        self.lanes: Mapping[str, Sequence[Lane]] = {
            "decode": (self.decodes,),
            "encode": (self.encodes,),
            "first encode": (self.first_encodes,),
        }

    def is_free(self) -> bool:
        """Return whether what nobody waits for may go on. Called in any thread."""
        return not (self.decodes.is_wanted or self._encoding())

    def close(self) -> None:
        """Stop the lanes."""
        self.decodes.close()
        self.encodes.close()
        self.first_encodes.close()

    def _encoding(self) -> bool:
        return any(lane.busy or lane.waiting for lane in (self.encodes, self.first_encodes))

    def _share_for_decode(self) -> None:
        self._set_threads(threads_for(self._cores, other_lane_busy=self.encodes.busy))

    def _share_for_first_encode(self) -> None:
        self._set_threads(threads_for(self._cores, other_lane_busy=self.encodes.busy))

    def _share_for_encode(self) -> None:
        # An encode can't give cores back once it runs, so it leaves half of them to hovers, if there were any of late.
        self._set_threads(threads_for(self._cores, other_lane_busy=self.decodes.quiet_s < NOBODY_HOVERS_S))
