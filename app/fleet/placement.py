"""Where the embedding of each source is: encoded by the worker that it belongs to, and by another where that has gone.

Each worker has the same lanes here as a device has in one process, so that a call waits here, where a newer hover
takes its place, and not at the worker.

Decision: two decodes are under way to a worker, of everything else one. Context: with one, a worker stands still while
its answer travels here and the next call there, a tenth of the time or more. Choice: the next lies there when one ends;
more would only wait in the order of their coming, and a front end that sends more takes turns from the others. Price:
which hover is the newest is decided up to one decode sooner.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cachetools import LRUCache

from app.arrays import ImageArray
from app.errors import BusyError, EngineFailedError, HoverError, WorkerLostError
from app.fleet.dispatcher import Dispatcher, RemoteCall
from app.fleet.members import Members
from app.fleet.routing import family, home_of, ranked
from app.fleet.values import EncodedThere
from app.service.backend import Encoded, Pixels
from app.service.embeddings import EmbeddingKey
from app.service.encodes import Encodes
from app.service.first_responder import FirstResponder
from app.service.limits import ServiceLimits
from app.service.scheduler import Lane, Priority, Scheduler

MAX_KNOWN: Final = 10_000
"""Sources of which it is remembered who has their embedding; one that is forgotten is asked for again."""
IN_USE: Final = 256
"""Sources that were worked on last, by which the load of workers is told."""
SHARED_BY: Final = 2
"""So many sessions have opened a source before it is worth two workers' memory."""
WINDOW: Final = 2
"""Decodes under way to one worker."""
SLACK_S: Final = 2.0
"""So long after its time a call may still be on its way, before its lane's thread counts as one that hangs."""
NOBODY_S: Final = 1.0
"""When to ask again, where no worker is there."""


def nobody() -> BusyError:
    """Return what is told while no worker is there."""
    return BusyError("no worker answers now; try again", retry_after_s=NOBODY_S)


@dataclass(frozen=True)
class Desk:
    """What waits for one worker in this front end.

    Attributes:
        scheduler: its lanes.
        encodes, first_encodes: the order of its encodes, and of those of the model that answers first.
    """

    scheduler: Scheduler
    encodes: Encodes[Encoded]
    first_encodes: Encodes[Encoded]

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return sum(lane.waiting for lanes in self.scheduler.lanes.values() for lane in lanes)


class Placement:
    """Knows which workers have a source's embedding, and has it made. Lives in the event loop's thread.

    Attributes:
        desks: what waits for each worker.
        lanes: the queues of all of them, by the kind of work.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        members: Members,
        pictures: Pixels,
        limits: ServiceLimits,
        first: Callable[[], FirstResponder | None],
    ) -> None:
        """Know of no embedding yet.

        Args:
            dispatcher: asks a worker.
            members: who is there.
            pictures: where pixels come from.
            limits: how long an encode may take, and how many may wait.
            first: returns the model that answers until another has seen a picture, or None.
        """
        self._dispatcher, self._members, self._pictures, self._limits = dispatcher, members, pictures, limits
        self._first = first
        self.desks = {name: self._desk() for name in members.all}
        self.lanes: Mapping[str, Sequence[Lane]] = {
            kind: tuple(lane for desk in self.desks.values() for lane in desk.scheduler.lanes[kind])
            for kind in ("decode", "encode", "first encode")
        }
        self._holders: LRUCache[EmbeddingKey, dict[str, int]] = LRUCache(MAX_KNOWN)  # with their processes
        self._homes: LRUCache[EmbeddingKey, str] = LRUCache(IN_USE)
        self._opened: LRUCache[EmbeddingKey, int] = LRUCache(MAX_KNOWN)
        self._copies: dict[EmbeddingKey, asyncio.Task[None]] = {}

    def holders(self, key: EmbeddingKey) -> list[str]:
        """Return the workers that have a source's embedding and may be asked, the most responsible first."""
        holders = self._holders.get(key)
        self._homes.get(family(key))  # it is in use
        if not holders:
            return []
        pool = self._members.pool(key.model)
        there = [name for name in pool if holders.get(name) == self._members.all[name].pid]
        return ranked(there, key) if len(there) > 1 else there

    def forget(self, key: EmbeddingKey, worker: str) -> None:
        """Take note that a worker hasn't got an embedding."""
        self._holders.get(key, {}).pop(worker, None)

    def renew(self, key: EmbeddingKey) -> None:
        """Forget workers that have begun anew since they encoded a source; a shared one gets the copy that it lacks."""
        holders, members = self._holders.get(key, {}), self._members.all
        anew = [name for name, pid in holders.items() if members[name].alive and members[name].pid != pid]
        for name in anew:
            del holders[name]
        if len(holders) == 1:
            self._share(key)

    def order(self, key: EmbeddingKey) -> Encodes[Encoded] | None:
        """Return the order of encodes that a source is encoded in; None where it is, or where no worker is there."""
        home = None if self.holders(key) else self._home(key)
        if home is None:
            return None
        desk = self.desks[home]
        return desk.first_encodes if self._goes_first(key) else desk.encodes

    async def encoded(self, key: EmbeddingKey, *, behind: bool = False) -> Encoded:
        """Return once a worker has a source's embedding.

        Args:
            key: the model and the source.
            behind: True lets all other encodes go first, and gives it up where nobody waits before its turn.

        Raises:
            BusyError: no worker is there.
        """
        if self.holders(key):
            return Encoded(cached=True, encode_ms=0.0)
        await self.someone(time.monotonic() + self._limits.encode_timeout_s)
        order = self.order(key)
        if order is None:
            raise nobody()
        if behind:
            return await order.behind(key)
        return await asyncio.shield(order.want(key))  # one who leaves doesn't take the picture from the others

    def opened(self, key: EmbeddingKey) -> None:
        """Take note that a session works on a source: from the second on, a second worker has it too."""
        self._opened[key] = self._opened.get(key, 0) + 1
        self._share(key)

    async def someone(self, until: float) -> None:
        """Return once a worker is there.

        Raises:
            BusyError: none is until then, by the monotonic clock.
        """
        while not self._members.alive():
            news = asyncio.wrap_future(self._members.change())
            left_s = until - time.monotonic()
            if self._members.alive():
                return
            if left_s <= 0:
                raise nobody()
            await asyncio.wait([news], timeout=left_s)

    def close(self) -> None:
        """Stop the lanes."""
        for desk in self.desks.values():
            desk.scheduler.close()

    def _share(self, key: EmbeddingKey) -> None:
        """Give what several sessions work on a second worker, where it has only one."""
        shared = self._opened.get(key, 0) >= SHARED_BY and len(self._members.pool(key.model)) > 1
        if shared and key not in self._copies and len(self.holders(key)) == 1:
            self._copies[key] = asyncio.create_task(self._copy(key))
            self._copies[key].add_done_callback(lambda _: self._copies.pop(key))

    def _desk(self) -> Desk:
        scheduler = Scheduler(
            cores=1, capacity=self._limits.max_jobs_queued, set_threads=lambda _: None, decodes_at_once=WINDOW
        )
        patience_s = self._limits.encode_timeout_s
        return Desk(scheduler, Encodes(self._encode, patience_s), Encodes(self._encode, patience_s))

    def _home(self, key: EmbeddingKey) -> str | None:
        """Return the worker that a source belongs to now; None where none is there."""
        key = family(key)
        pool, kept = self._members.pool(key.model), self._homes.get(key)
        if kept in pool or not pool:
            return kept if pool else None
        home = self._homes[key] = home_of(pool, key, Counter(self._homes.values()))
        return home

    def _goes_first(self, key: EmbeddingKey) -> bool:
        first = self._first()
        return first is not None and key.model == first.model

    async def _encode(self, key: EmbeddingKey) -> Encoded:
        """Have a source encoded by the worker that it belongs to, or by whoever it belongs to after that."""
        until = time.monotonic() + self._limits.encode_timeout_s
        began = time.perf_counter()
        pixels = await self._pictures.pixels(key.source, again=self._goes_first(key))
        while True:
            await self.someone(until)
            home = self._home(key)
            if home is None:
                continue
            try:
                made = await self._encode_at(home, key, pixels, until)
            except WorkerLostError:
                continue
            first = self._first()
            if first is not None and not made.cached:
                first.measured(key.model, made.encode_ms)
            return Encoded(cached=False, encode_ms=1000 * (time.perf_counter() - began))

    async def _encode_at(self, worker: str, key: EmbeddingKey, pixels: ImageArray, until: float) -> EncodedThere:
        scheduler = self.desks[worker].scheduler
        lane = scheduler.first_encodes if self._goes_first(key) else scheduler.encodes
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise EngineFailedError("the picture wasn't encoded in time; try again")
        remote = RemoteCall("encode", "encode", (key, pixels))
        work = partial(self._dispatcher.ask, worker, remote, left_s)
        made: EncodedThere = await lane.run(Priority.ENCODE, work, left_s + SLACK_S)
        self._members.encoded(worker, made)
        self._holders.setdefault(key, {})[worker] = made.pid
        return made

    async def _copy(self, key: EmbeddingKey) -> None:
        """Have the second worker encode what two sessions look at; without it, the first goes on alone."""
        holders = self.holders(key)
        others = [name for name in ranked(self._members.pool(key.model), key) if name not in holders]
        if len(holders) == 1 and others:
            try:
                pixels = await self._pictures.pixels(key.source)
                await self._encode_at(others[0], key, pixels, time.monotonic() + self._limits.encode_timeout_s)
            except HoverError:
                return
