"""What workers cost and bring: a hover's way there and back, two workers beside one, and how fair many sessions fare.

What is about the fleet and not the model is measured with a decode that only sleeps, so that eight workers fit on two
cores. Two workers are compared with one by both: with the model, where front end and workers share the cores that
there are, and with decodes that sleep for as long as the model's, which is what it comes to where each has a core.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Final

import msgspec
import numpy as np

from app.arrays import ImageArray
from app.bench.backend import Pairs, local, spotted
from app.bench.engines import SIZE_HW, picture
from app.bench.sleeping import load_sleeping
from app.bench.subjects import Subject
from app.engine.contract import Engine
from app.errors import HoverError
from app.fleet.backend import FleetBackend
from app.fleet.cluster import local_workers
from app.fleet.members import Call, Members, WorkerProcesses, told
from app.fleet.start import spec_of
from app.fleet.values import WorkerSpec
from app.machine import available_cores
from app.service.backend import Backend, Newest
from app.service.embeddings import EmbeddingKey
from app.service.limits import ServiceLimits
from app.service.model_source import ModelSource
from app.service.scheduler import Priority
from app.settings import Settings
from app.weights.catalogue import Say, Weights, known_models

PAIRS: Final = 300
WARM_UP: Final = 30
COUNTS: Final = (1, 2, 4, 8)
"""Stand-in workers."""
DECODE_S: Final = 0.05
"""Of a stand-in."""
SESSIONS_EACH: Final = 6
"""Sessions for each worker, so that no worker waits for one."""
MANY: Final = 64
FEW: Final = 4
"""So many sessions on so many workers, for fairness."""
PATIENCE_S: Final = 30.0
"""A worker that is busy says what it has worked within this time."""


class Some:
    """Some of the workers, for a front end that is to know no others; they are closed by whoever has them all."""

    def __init__(self, workers: WorkerProcesses, count: int) -> None:
        self.names: Collection[str] = sorted(workers.names)[:count]
        self._workers = workers

    def call(self, worker: str, method: str, *args: object) -> Call:
        """Ask a worker."""
        return self._workers.call(worker, method, *args)

    def first_of(self, calls: Collection[Call], timeout_s: float) -> Call | None:
        """Return the first of some calls that has come to an end."""
        return self._workers.first_of(calls, timeout_s)

    def close(self) -> None:
        """Leave them."""


class ManyPictures:
    """As many pictures as names are asked for, all alike."""

    def __init__(self) -> None:
        self._picture = picture()[::4, ::4].copy()

    async def pixels(self, source: str, /, *, again: bool = False, aside: bool = False) -> ImageArray:
        """Return one; see `backend.Pixels`."""
        return self._picture


@dataclass(frozen=True)
class Crowd:
    """Sessions that always hover.

    Attributes:
        rates: hovers a second of each.
        front_end_ms, worker_ms: processor time that a hover takes in this process, with the sessions', and in a worker.
    """

    rates: Sequence[float]
    front_end_ms: float
    worker_ms: float

    @property
    def per_s(self) -> float:
        """Hovers a second of all."""
        return sum(self.rates)

    @property
    def at_most_per_s(self) -> float:
        """Hovers a second that would take all the time of the processors of this machine."""
        return 1000 * available_cores() / (self.front_end_ms + self.worker_ms)


@dataclass(frozen=True)
class FleetFigures:
    """What was measured.

    Attributes:
        pairs: hovers of a worker beside those of this process.
        crowds: on one and on two workers with the model.
        sleeping: the same with decodes that sleep for as long as the model's take.
        scaling: hovers a second of stand-ins, by their number, over what as many sleeps give.
        jain: how alike 64 sessions fared on 4 stand-ins, 1 for all the same.
    """

    pairs: Pairs
    crowds: tuple[Crowd, Crowd]
    sleeping: tuple[Crowd, Crowd]
    scaling: dict[int, float]
    jain: float

    @property
    def added_ms(self) -> tuple[float, float]:
        """What the way to a worker adds to a hover: at the median of the pairs, and p95 beside p95."""
        paired = [there - here for there, here in zip(self.pairs.through_ms, self.pairs.without_ms, strict=True)]
        p95s = [float(np.percentile(ms, 95)) for ms in (self.pairs.through_ms, self.pairs.without_ms)]
        return median(paired), p95s[0] - p95s[1]


def measure_fleet(subject: Subject, engine_name: str, seconds: float) -> FleetFigures:
    """Return the figures of a model and of stand-ins; each stretch takes `seconds`."""
    settings = msgspec.structs.replace(subject.settings(engine_name), threads=1)
    engine = subject.engine(engine_name, threads=1)
    spec = spec_of(settings, subject.weights, ServiceLimits(), _load, None)
    with begun(spec, 2) as workers:
        pairs = asyncio.run(hover_pairs(workers, spec, engine, settings))
        crowds = one_and_two(workers, spec, seconds)
    as_long = replace(spec, load=partial(load_sleeping, decode_s=median(pairs.without_ms) / 1000))
    with begun(as_long, 2) as workers:
        sleeping = one_and_two(workers, as_long, seconds)
    napping = replace(spec, load=partial(load_sleeping, decode_s=DECODE_S))
    with begun(napping, max(COUNTS)) as workers:
        counts = {n: asyncio.run(crowd(workers, napping, n, SESSIONS_EACH * n, seconds)) for n in COUNTS}
        many = asyncio.run(crowd(workers, napping, FEW, MANY, 2 * seconds))
    scaling = {n: each.per_s * DECODE_S / n for n, each in counts.items()}
    return FleetFigures(pairs, crowds, sleeping, scaling, jain_of(many.rates))


def one_and_two(workers: WorkerProcesses, spec: WorkerSpec, seconds: float) -> tuple[Crowd, Crowd]:
    """Return how one worker fares, and two, each with as many sessions as keep it busy."""
    one, two = (asyncio.run(crowd(workers, spec, count, SESSIONS_EACH * count, seconds)) for count in (1, 2))
    return one, two


def _load(weights: Weights, settings: Settings, say: Say) -> Engine:
    from app.engine.factory import load_engine

    return load_engine(weights, settings, say)


@contextmanager
def begun(spec: WorkerSpec, count: int) -> Iterator[WorkerProcesses]:
    """Give workers in a Ray of their own."""
    workers = local_workers(count, spec)
    try:
        yield workers
    finally:
        workers.close()


@contextmanager
def front_end(workers: WorkerProcesses, spec: WorkerSpec, count: int) -> Iterator[FleetBackend]:
    """Give a front end that knows some of the workers."""
    some = Some(workers, count)
    members = Members(some)
    members.begin(spec.limits.load_timeout_s)
    source = ModelSource(spec.settings, known_models(spec.settings), spec.load)
    backend = FleetBackend(
        some, members, source, ManyPictures(), spec.limits, model=spec.model, speck_share=spec.settings.speck_share
    )
    try:
        yield backend
    finally:
        backend.close()


async def hover_pairs(workers: WorkerProcesses, spec: WorkerSpec, engine: Engine, settings: Settings) -> Pairs:
    """Return hovers of a worker, each beside one in this process, in turns."""
    here, pairs, rng = local(engine, settings), Pairs(), np.random.default_rng(0)
    key = EmbeddingKey(spec.model, "pairs")
    with front_end(workers, spec, 1) as there:
        await here.encode(key)
        await there.encode(key)
        turns: list[tuple[Backend, list[float]]] = [(there, pairs.through_ms), (here, pairs.without_ms)]
        for number in range(WARM_UP + PAIRS):
            query = spotted(rng)
            for backend, sink in turns if number % 2 else reversed(turns):
                began = time.perf_counter()
                await backend.preview(key, SIZE_HW, lambda: query, Priority.HOVER)  # noqa: B023 - called before the next
                if number >= WARM_UP:
                    sink.append(1000 * (time.perf_counter() - began))
    here.scheduler.close()
    return pairs


async def crowd(workers: WorkerProcesses, spec: WorkerSpec, count: int, sessions: int, seconds: float) -> Crowd:
    """Return how some sessions fare, each on a picture of its own and always asking.

    Args:
        workers: all of them.
        spec: what they are.
        count: so many of them are used.
        sessions: how many.
        seconds: for so long.
    """
    rng = np.random.default_rng(0)
    with front_end(workers, spec, count) as backend:
        keys = [EmbeddingKey(spec.model, f"{number:032x}") for number in range(sessions)]
        await asyncio.gather(*map(backend.encode, keys))
        names = list(backend.members.all)
        began, cpu_s, workers_s = time.perf_counter(), time.process_time(), worked_s(workers, names)
        until = began + seconds
        done = await asyncio.gather(*(asking(backend, key, lambda: spotted(rng), until) for key in keys))
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
        workers_s, hovers = worked_s(workers, names) - workers_s, max(1, sum(done))
    return Crowd([each / took_s for each in done], 1000 * cpu_s / hovers, 1000 * workers_s / hovers)


def worked_s(workers: WorkerProcesses, names: Collection[str]) -> float:
    """Return the processor time that some workers have taken until now."""
    calls = [workers.call(name, "ready") for name in names]
    return float(sum(told(call.result(PATIENCE_S)).cpu_s for call in calls))


async def asking(backend: Backend, key: EmbeddingKey, query: Newest, until: float) -> int:
    """Hover again and again until a time; return how many were answered."""
    answered = 0
    while time.perf_counter() < until:
        try:
            answered += await backend.preview(key, SIZE_HW, query, Priority.HOVER) is not None
        except HoverError:
            await asyncio.sleep(0)
    return answered


def jain_of(figures: Sequence[float]) -> float:
    """Return Jain's index of fairness: 1 where all figures are the same, 1/n where one has everything."""
    return sum(figures) ** 2 / (len(figures) * sum(each**2 for each in figures))


def fleet_table(found: FleetFigures) -> str:
    """Return the figures as Markdown tables."""
    rows = [("a worker", found.pairs.through_ms), ("this process", found.pairs.without_ms)]
    lines = ["| a hover answered by | p50 ms | p95 ms | runs |", "|---|---|---|---|"]
    lines += [f"| {name} | {median(ms):.1f} | {np.percentile(ms, 95):.1f} | {len(ms)} |" for name, ms in rows]
    one, two = found.crowds
    scaling = ", ".join(f"{count}: {each:.2f}" for count, each in found.scaling.items())
    added = found.added_ms
    return "\n".join(
        [
            *lines,
            f"the way to a worker adds {added[0]:.1f} ms at p50, {added[1]:.1f} ms at p95",
            f"hovers a second: {beside(*found.crowds)}",
            f"processor time of a hover: front end {one.front_end_ms:.1f} ms, one worker {one.worker_ms:.1f} ms; "
            f"with two {two.front_end_ms:.1f} and {two.worker_ms:.1f}: {available_cores()} cores give "
            f"{two.at_most_per_s:.0f} hovers a second at most",
            f"with decodes that only sleep as long, as if each had a core: {beside(*found.sleeping)}",
            f"stand-ins that sleep {1000 * DECODE_S:.0f} ms, of what as many sleeps give: {scaling}",
            f"Jain's index of {MANY} sessions on {FEW} of them: {found.jain:.3f}",
        ]
    )


def beside(one: Crowd, two: Crowd) -> str:
    """Return two workers beside one, in words."""
    return f"one worker {one.per_s:.0f}, two {two.per_s:.0f}, {two.per_s / one.per_s:.2f} times as many"


def as_json(found: FleetFigures) -> dict[str, object]:
    """Return the figures for a file."""
    one, two = found.crowds
    return {
        "worker_p50_ms": median(found.pairs.through_ms),
        "process_p50_ms": median(found.pairs.without_ms),
        "added_p50_ms": found.added_ms[0],
        "added_p95_ms": found.added_ms[1],
        "one_worker_per_s": one.per_s,
        "two_workers_per_s": two.per_s,
        "front_end_cpu_ms": two.front_end_ms,
        "worker_cpu_ms": two.worker_ms,
        "sleeping_one_per_s": found.sleeping[0].per_s,
        "sleeping_two_per_s": found.sleeping[1].per_s,
        "scaling": found.scaling,
        "jain": found.jain,
    }
