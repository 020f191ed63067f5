"""Half an hour of honest use of the real model at half of what the machine can do: `./start.sh soak` alone runs it."""

from __future__ import annotations

import asyncio
import os
import time
from statistics import linear_regression, quantiles

import pytest

from tests.helpers.image_files import file_of, noise
from tests.helpers.load import SOAKS, Pointer, loaded
from tests.helpers.observed import Observed, show
from tests.helpers.peer import Peer

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not SOAKS, reason="takes half an hour: ./start.sh soak")]
MINUTES = float(os.environ.get("HOVERSAM_SOAK_MINUTES", "30"))
WARM = MINUTES / 6
SLOPE_BYTES = 2**20
"""A soak may grow by so much in ten minutes."""
SAMPLE_S = 10
POINTERS = 2
MOST_HZ = 30.0
HALF = 0.5
PICTURE = file_of(noise(640, 480), "JPEG")


async def decode_s(peer: Peer) -> float:
    """Return how long a decode takes on this machine, once warm."""
    took = []
    for x in range(60):
        began = time.perf_counter()
        await peer.hover(x, 5)
        took.append(time.perf_counter() - began)
    return sorted(took)[len(took) // 2]


async def sampled(server: Observed, running: list[asyncio.Task[None]]) -> list[tuple[float, float]]:
    """Return minutes and the server's memory, until all have ended."""
    samples: list[tuple[float, float]] = []
    began = time.monotonic()
    while not all(task.done() for task in running):
        await asyncio.wait(running, timeout=SAMPLE_S)
        minute, size = (time.monotonic() - began) / 60, (await server.figures()).memory_bytes
        if len(samples) % 30 == 0:
            show(f"minute {minute:.1f}: {size / 2**20:.1f} MiB")
        samples.append((minute, size))
    return samples


async def test_half_an_hour_at_half_load_does_not_grow() -> None:
    """Undo goes back a hundred steps, so that what a session may keep is full before the slope is taken."""
    options = "--offline", "--model", "nano"
    async with (
        loaded(*options, module="tests.helpers.limited_program", picture=PICTURE, max_history=100) as server,
        server.session() as one,
        server.session() as two,
    ):
        each_s = await decode_s(one)
        hz = min(MOST_HZ, HALF / (POINTERS * each_s))
        show(f"a decode takes {1000 * each_s:.1f} ms: {POINTERS} pointers at {hz:.1f} Hz")
        before = await server.figures()
        pointers = [Pointer(one), Pointer(two)]
        running = [asyncio.create_task(pointer.run(60 * MINUTES, hz)) for pointer in pointers]
        steady = [(at, size) for at, size in await sampled(server, running) if at > WARM]
        await asyncio.gather(*running)
        after = await server.figures()
        slope = linear_regression(*zip(*steady, strict=True)).slope * 10
        times = [taken for pointer in pointers for taken in pointer.times]
        clicks, answers, late = (sum(getattr(p, name) for p in pointers) for name in ("clicks", "answers", "late"))
        p95_ms = 1000 * quantiles(times, n=20)[-1]
        show(f"{MINUTES:g} min: {clicks} clicks, {answers} answers; {len(times)} previews, {late} late")
        show(f"p95 of previews {p95_ms:.1f} ms")
        show(f"memory {slope / 1024:+.0f} KiB in ten minutes; {before} -> {after}")
        assert slope <= SLOPE_BYTES
        assert answers == clicks
        assert (after.tasks, after.descriptors) == (before.tasks, before.descriptors)
        assert "Traceback" not in server.program.said
