"""What the seam between front end and models costs a hover: pairs of hovers through it and around it, in turns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Final

import numpy as np

from app.arrays import ImageArray
from app.bench.engines import SIZE_HW, picture
from app.engine.contract import Engine
from app.engine.device import set_threads
from app.service.answers import Replay, preview_answer
from app.service.embeddings import EmbeddingKey
from app.service.limits import ServiceLimits
from app.service.local_backend import LocalBackend
from app.service.model_pool import ModelPool
from app.service.model_source import ModelSource
from app.service.scheduler import Priority
from app.session.objects import Answer
from app.session.query import Query, lone_click
from app.settings import Settings
from app.weights.catalogue import known_models

WARM_UP: Final = 20
SAMPLES: Final = 2000
"""Of the bootstrap."""
WITHIN: Final = (2.5, 97.5)
"""Percentiles of the interval that is told."""
SOURCE: Final = "bench"


@dataclass
class Pairs:
    """Milliseconds of hovers, one through the seam beside each without it."""

    through_ms: list[float] = field(default_factory=list)
    without_ms: list[float] = field(default_factory=list)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the ratio of the medians lies, in 95 of 100 cases."""
        return ratio_interval(self.through_ms, self.without_ms)


def ratio_interval(ones: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Return the interval of the ratio of medians of pairs, by drawing pairs again and again.

    Args:
        ones: figures above the line.
        others: those below, one beside each.
    """
    rng, pairs = np.random.default_rng(0), np.array([ones, others])
    drawn = pairs[:, rng.integers(0, len(ones), (SAMPLES, len(ones)))]
    low, high = np.percentile(np.divide(*np.median(drawn, axis=-1)), WITHIN)
    return float(low), float(high)


class BenchPicture:
    """One picture, the same for whatever source is asked."""

    def __init__(self) -> None:
        self._image = picture()

    async def pixels(self, source: str, /, *, again: bool = False, aside: bool = False) -> ImageArray:
        """Return it; see `backend.Pixels`."""
        return self._image


def local(engine: Engine, settings: Settings) -> LocalBackend:
    """Return a backend around a loaded engine."""
    limits = ServiceLimits()
    models = ModelPool(
        engine,
        ModelSource(settings, known_models(settings), _no_other),
        settings.model_budget_bytes,
        limits.load_timeout_s,
    )
    return LocalBackend.of(settings, limits, models, BenchPicture(), set_threads)


def _no_other(*_: object) -> Engine:
    raise NotImplementedError("the benchmark loads one model")


async def measure_backend(engine: Engine, settings: Settings, count: int) -> Pairs:
    """Return the times of `count` pairs of hovers on one picture."""
    backend = local(engine, settings)
    key, pairs = EmbeddingKey(engine.model, SOURCE), Pairs()
    embedding = (await backend.encode(key)).embedding
    rng = np.random.default_rng(0)

    def work(query: Query) -> Answer:
        found = Replay(query, SIZE_HW, engine, embedding).all()
        return preview_answer(found, SIZE_HW, settings.speck_share, query.subject)

    async def through(query: Query) -> None:
        await backend.preview(key, SIZE_HW, lambda: query, Priority.HOVER)

    async def without(query: Query) -> None:
        await backend.scheduler.decodes.run(Priority.HOVER, partial(work, query), 10.0)

    try:
        for number in range(WARM_UP + count):
            query = spotted(rng)
            turns = [(through, pairs.through_ms), (without, pairs.without_ms)]
            for ask, sink in turns if number % 2 else reversed(turns):
                began = time.perf_counter()
                await ask(query)
                if number >= WARM_UP:
                    sink.append(1000 * (time.perf_counter() - began))
    finally:
        backend.scheduler.close()
    return pairs


def spotted(rng: np.random.Generator) -> Query:
    """Return a hover somewhere on the picture."""
    x, y = float(rng.uniform(0, SIZE_HW[1])), float(rng.uniform(0, SIZE_HW[0]))
    return lone_click(x, y)


def backend_table(pairs: Pairs) -> str:
    """Return the figures as a Markdown table."""
    low, high = pairs.interval
    rows = [("hover through the backend", pairs.through_ms), ("the same work in the lane alone", pairs.without_ms)]
    lines = ["| | p50 ms | p95 ms | runs |", "|---|---|---|---|"]
    lines += [f"| {name} | {median(ms):.2f} | {np.percentile(ms, 95):.2f} | {len(ms)} |" for name, ms in rows]
    return "\n".join([*lines, f"ratio of the medians, 95 %: {low:.3f} to {high:.3f}"])


def as_json(pairs: Pairs) -> dict[str, object]:
    """Return the figures for a file."""
    return {
        "through_p50_ms": median(pairs.through_ms),
        "without_p50_ms": median(pairs.without_ms),
        "ratio_interval": pairs.interval,
    }
