"""What workers cost and bring: a hover's way there and back, two workers beside one, and how fair many sessions fare.

What is about the fleet and not the model is measured with a decode that only sleeps, so that eight workers fit on two
cores.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import msgspec
import numpy as np

from app.arrays import ImageArray
from app.bench.backend import Pairs, local, spotted
from app.bench.engines import SIZE_HW, picture
from app.bench.subjects import Subject
from app.engine.contract import Candidates, Embedding, Engine, Prompt
from app.errors import HoverError
from app.fleet.backend import FleetBackend
from app.fleet.cluster import local_workers
from app.fleet.members import Call, Members, WorkerProcesses
from app.fleet.start import spec_of
from app.fleet.values import WorkerSpec
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
GRID: Final = 64


@dataclass(frozen=True)
class SleepingEmbedding:
    """Nothing but a size."""

    size_hw: tuple[int, int]
    nbytes: int = 1000


class SleepingEngine:
    """Fulfils `contract.Engine`: a disc in the middle, whatever is asked, after `DECODE_S`."""

    device, runtime = "cpu", "a nap"
    logits_hw = (GRID, GRID)

    def __init__(self, model: str) -> None:
        """Args: model: the name that it goes by."""
        y, x = np.ogrid[:GRID, :GRID]
        self.model = model
        self._disc = (GRID / 4 - np.hypot(x - GRID / 2, y - GRID / 2)).astype(np.float32)

    def encode(self, image: ImageArray) -> SleepingEmbedding:
        """Return an embedding; see `contract.Engine.encode`."""
        return SleepingEmbedding((image.shape[0], image.shape[1]))

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Return candidates; see `contract.Engine.decode`."""
        time.sleep(DECODE_S)
        return [Candidates(self._disc[None], np.array([0.9], np.float32)) for _ in prompts]

    def close(self) -> None:
        """Nothing runs beside the calls."""


def load_sleeping(weights: Weights, settings: Settings, say: Say) -> Engine:
    """Return a stand-in; called in a worker."""
    return SleepingEngine(weights.entry.name)


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

    async def pixels(self, source: str, /, *, again: bool = False) -> ImageArray:
        """Return one; see `backend.Pixels`."""
        return self._picture


@dataclass(frozen=True)
class FleetFigures:
    """What was measured.

    Attributes:
        pairs: hovers of a worker beside those of this process.
        hovers_per_s: of one and of two workers with the model.
        scaling: hovers a second of stand-ins, by their number, over what as many sleeps give.
        jain: how alike 64 sessions fared on 4 stand-ins, 1 for all the same.
    """

    pairs: Pairs
    hovers_per_s: tuple[float, float]
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
        rates = [sum(asyncio.run(crowd(workers, spec, count, SESSIONS_EACH * count, seconds))) for count in (1, 2)]
    napping = replace(spec, load=load_sleeping)
    with begun(napping, max(COUNTS)) as workers:
        counts = {n: asyncio.run(crowd(workers, napping, n, SESSIONS_EACH * n, seconds)) for n in COUNTS}
        fares = asyncio.run(crowd(workers, napping, FEW, MANY, 2 * seconds))
    scaling = {n: sum(rates) * DECODE_S / n for n, rates in counts.items()}
    return FleetFigures(pairs, (rates[0], rates[1]), scaling, jain_of(fares))


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


async def crowd(
    workers: WorkerProcesses, spec: WorkerSpec, count: int, sessions: int, seconds: float
) -> Sequence[float]:
    """Return hovers a second of each of some sessions, each on a picture of its own and always asking.

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
        until = time.perf_counter() + seconds
        began = time.perf_counter()
        done = await asyncio.gather(*(asking(backend, key, lambda: spotted(rng), until) for key in keys))
        took_s = time.perf_counter() - began
    return [each / took_s for each in done]


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
    one, two = found.hovers_per_s
    scaling = ", ".join(f"{count}: {each:.2f}" for count, each in found.scaling.items())
    added = found.added_ms
    return "\n".join(
        [
            *lines,
            f"the way to a worker adds {added[0]:.1f} ms at p50, {added[1]:.1f} ms at p95",
            f"hovers a second: one worker {one:.0f}, two {two:.0f}, {two / one:.2f} times as many",
            f"stand-ins that sleep {1000 * DECODE_S:.0f} ms, of what as many sleeps give: {scaling}",
            f"Jain's index of {MANY} sessions on {FEW} of them: {found.jain:.3f}",
        ]
    )


def as_json(found: FleetFigures) -> dict[str, object]:
    """Return the figures for a file."""
    one, two = found.hovers_per_s
    return {
        "worker_p50_ms": median(found.pairs.through_ms),
        "process_p50_ms": median(found.pairs.without_ms),
        "added_p50_ms": found.added_ms[0],
        "added_p95_ms": found.added_ms[1],
        "one_worker_per_s": one,
        "two_workers_per_s": two,
        "scaling": found.scaling,
        "jain": found.jain,
    }
