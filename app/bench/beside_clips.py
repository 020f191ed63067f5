"""What following an object costs others: hovers of another session meanwhile, and memory over long clips and many."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec
import numpy as np

from app.bench.backend import local, spotted
from app.bench.engines import SIZE_HW
from app.bench.starts import resident_kib
from app.cli.figures import Spread, spread_of, with_unit
from app.engine.contract import Engine
from app.protocol.run_lengths import encode_mask
from app.protocol.values import Mask
from app.service.embeddings import EmbeddingKey
from app.service.local_backend import LocalBackend
from app.service.scheduler import Priority
from app.service.tracking import FollowStep, PromptedFrame, steps_of
from app.settings import Settings

TURNS: Final = 4
"""Stretches of each kind, in turns."""
RATE_HZ: Final = 30.0
FRAMES: Final = 300
"""The longest clip."""
CLIPS: Final = 20
FRAMES_OF_EACH: Final = 15
LOOKS: Final = 5
"""Memory is looked at so often in the longest clip, and so often in the clips after it."""
BUDGET_BYTES: Final = 256 * 1024**2
"""Of embeddings while memory is looked at, so that they are at their bound when it begins."""


@dataclass
class Hovers:
    """Milliseconds of one session's hovers: while nothing else goes on, beside encodes, and beside tracking."""

    alone: list[float] = field(default_factory=list)
    encode: list[float] = field(default_factory=list)
    track: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many times the p95 beside encodes the one beside tracking is."""
        return float(np.percentile(self.track, 95) / np.percentile(self.encode, 95))


@dataclass
class Footprint:
    """What is held in memory.

    Attributes:
        when: what was done by then.
        resident_mib: by the process.
        kept_mib: of it, embeddings and memories of objects, which make room at their bounds.
    """

    when: str
    resident_mib: float
    kept_mib: float


async def hovers_beside(engine: Engine, settings: Settings, stretch_s: float) -> Hovers:
    """Return how hovers fare, a stretch of each kind after the other.

    Args:
        engine: the model.
        settings: of the backend around it.
        stretch_s: how long a stretch is.
    """
    backend = local(engine, settings)
    found, kinds = Hovers(), {"alone": None, "encode": encodes(backend), "track": tracking(backend)}
    try:
        key = EmbeddingKey(engine.model, "hovered")
        await backend.encode(key)
        await backend.prepare_tracking(engine.model)
        for number in range(TURNS + 1):
            for name, work in kinds.items():
                async with going_on(work):
                    times = await hovered(backend, key, stretch_s if number else stretch_s / 4)
                if number:  # the first turn warms up
                    getattr(found, name).extend(times)
    finally:
        backend.close()
    return found


@asynccontextmanager
async def going_on(work: Callable[[], Awaitable[None]] | None) -> AsyncIterator[None]:
    """Have some work done again and again inside the `with`; what is under way at the end is waited for."""
    ended = False

    async def again() -> None:
        while work is not None and not ended:
            await work()

    task = asyncio.create_task(again())
    try:
        yield
    finally:
        ended = True
        await task


def encodes(backend: LocalBackend) -> Callable[[], Awaitable[None]]:
    """Return what encodes one more picture."""
    numbers = itertools.count()

    async def encode() -> None:
        await backend.encode(EmbeddingKey(backend.model, f"picture {next(numbers)}"))

    return encode


def tracking(backend: LocalBackend) -> Callable[[], Awaitable[None]]:
    """Return what follows an object to one more frame, of ever new clips."""
    steps = (step for number in itertools.count() for step in clip_steps(number, FRAMES))

    async def track() -> None:
        await follow(backend, next(steps))

    return track


async def follow(backend: LocalBackend, step: FollowStep) -> None:
    """Follow an object to a frame of the clip that its pass is named after."""
    await backend.follow(EmbeddingKey(backend.model, f"{step.pass_id}#{step.frame}"), SIZE_HW, step)


def clip_steps(number: int, frames: int) -> list[FollowStep]:
    """Return the steps from the first frame of a clip to its last."""
    clip = f"clip {number}"
    return list(steps_of(clip, frames, 0, (PromptedFrame(0, f"{clip}#0", disc()),)))


def disc() -> Mask:
    """Return the mask of an object in the middle."""
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    mask_hw = np.hypot(y - SIZE_HW[0] / 2, x - SIZE_HW[1] / 2) < SIZE_HW[0] / 5
    return encode_mask(mask_hw, score=1.0)


async def hovered(backend: LocalBackend, key: EmbeddingKey, seconds: float) -> list[float]:
    """Return how long each hover took of a pointer that moves for some seconds."""
    rng, times, until = np.random.default_rng(0), [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        query = spotted(rng)
        await backend.preview(key, SIZE_HW, lambda q=query: q, Priority.HOVER)  # type: ignore[misc]
        times.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(max(0.0, began + 1 / RATE_HZ - time.perf_counter()))
    return times


async def footprints(engine: Engine, settings: Settings) -> list[Footprint]:
    """Return what is held in memory in the course of the longest clip, and after many clips.

    Args:
        engine: the model.
        settings: of the backend around it, but for the budget of embeddings, which are to be at their bound soon.
    """
    backend = local(engine, msgspec.structs.replace(settings, embedding_budget_bytes=BUDGET_BYTES))
    seen: list[Footprint] = []

    def look(when: str) -> None:
        gc.collect()
        kept = backend.state().embedding_bytes + backend._follower.memories.nbytes
        seen.append(Footprint(when, (resident_kib(os.getpid()) or 0) / 1024, kept / 1024**2))

    try:
        await backend.prepare_tracking(engine.model)
        for step in clip_steps(0, FRAMES):
            await follow(backend, step)
            if (step.frame + 1) % (FRAMES // LOOKS) == 0:
                look(f"{step.frame + 1} frames")
        for number in range(1, CLIPS + 1):
            for step in clip_steps(number, FRAMES_OF_EACH):
                await follow(backend, step)
            if number % (CLIPS // LOOKS) == 0:
                look(f"{number} clips more")
    finally:
        backend.close()
    return seen


def hovers_table(found: Hovers) -> str:
    """Return the figures as a Markdown table."""
    rows: list[tuple[str, Spread]] = [
        (name, spread_of(ms))
        for name, ms in (("alone", found.alone), ("beside encodes", found.encode), ("beside tracking", found.track))
    ]
    lines = ["| hover of another session | p50 | p95 |", "|---|---|---|"]
    lines += [f"| {name} | {with_unit(spread.p50_ms)} | {with_unit(spread.p95_ms)} |" for name, spread in rows]
    return "\n".join([*lines, f"p95 beside tracking / beside encodes = {found.ratio:.2f}"])


def footprint_table(seen: list[Footprint]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| after | resident MiB | of it kept for reuse |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {e.when} | {e.resident_mib:.0f} | {e.kept_mib:.0f} |" for e in seen)])
