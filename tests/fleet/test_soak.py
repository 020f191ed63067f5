"""Twenty minutes in which a worker is killed every minute, and each fault ten times: `./start.sh soak` runs them."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import linear_regression, median

import pytest

from app.fleet.backend import FleetBackend
from app.fleet.cluster import RayWorkers
from app.service.answers import preview_answer
from app.service.embeddings import EmbeddingKey
from app.service.scheduler import Priority
from app.session.query import Query
from tests.fleet.conftest import fleet_of
from tests.helpers.backend_promises import SIZE_HW, SPECK_SHARE, Sources, click, expected, sources, trail
from tests.helpers.load import SOAKS
from tests.helpers.observed import show
from tests.helpers.peer import until

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not SOAKS, reason="takes twenty minutes: ./start.sh soak")]
MINUTES = float(os.environ.get("HOVERSAM_SOAK_MINUTES", "20"))
TIMES = 10
SLOPE_BYTES = 2**20
"""A soak may grow by so much in ten minutes."""
WARM = 0.2
"""Of a soak, until caches are full."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
KEYS = [EmbeddingKey("tiny", source) for source in "ab"]
TENTH_S = (0.02, 0.18)
"""At work and at rest: a tenth of the time."""


@pytest.fixture
def given() -> Sources:
    return sources()


@pytest.fixture
async def fleet(anyio_backend: str, workers: RayWorkers, given: Sources) -> AsyncIterator[FleetBackend]:
    async with fleet_of(workers, given) as backend:
        yield backend


def pid_of(fleet: FleetBackend, worker: str) -> int:
    about = fleet.members.all[worker].about
    assert about is not None
    return about.pid


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


async def hovered(fleet: FleetBackend, given: Sources, key: EmbeddingKey, x: float) -> float:
    """Hover, compare with what the engine gives in this process, and return how long it took."""
    query = Query(1, trail(click(x, 120)))
    wanted = preview_answer(expected(query, given.kept[key.source]).all(), SIZE_HW, SPECK_SHARE, query.subject)
    began = time.perf_counter()
    assert await fleet.preview(key, SIZE_HW, lambda: query, Priority.HOVER) == wanted
    return time.perf_counter() - began


async def shared(fleet: FleetBackend, key: EmbeddingKey) -> str:
    """Have two workers keep a source; return the one that is asked first."""
    await until(lambda: len(fleet.members.alive()) == 2)
    await asyncio.sleep(0.5)  # what a restarted worker lost is found out by whoever asks
    for number in range(3):
        await fleet.encode(key)
        query = Query(1, trail(click(50 + number, 50)))
        await fleet.preview(key, SIZE_HW, lambda query=query: query, Priority.HOVER)  # type: ignore[misc]
    await until(lambda: len(fleet.placement.holders(key)) == 2)
    return fleet.placement.holders(key)[0]


async def slowed(pid: int) -> None:
    """Let a process work for a tenth of the time, until cancelled."""
    try:
        while True:
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(TENTH_S[1])
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(TENTH_S[0])
    finally:
        os.kill(pid, signal.SIGCONT)


def killed(pid: int) -> Callable[[], None]:
    os.kill(pid, signal.SIGKILL)
    return lambda: None


def stopped(pid: int) -> Callable[[], None]:
    os.kill(pid, signal.SIGSTOP)
    return lambda: os.kill(pid, signal.SIGCONT)


def at_a_tenth(pid: int) -> Callable[[], None]:
    task = asyncio.create_task(slowed(pid))
    return lambda: task.cancel() and None  # type: ignore[return-value]


@pytest.mark.parametrize("strike", [killed, stopped, at_a_tenth])
async def test_each_fault_ten_times_leaves_a_hover_within_a_second(
    fleet: FleetBackend, given: Sources, strike: Callable[[int], Callable[[], None]]
) -> None:
    took = []
    for number in range(TIMES):
        worker = await shared(fleet, KEYS[number % 2])
        mend = strike(pid_of(fleet, worker))
        try:
            took.append(max([await hovered(fleet, given, KEYS[number % 2], 90 + each) for each in range(3)]))
        finally:
            mend()
    show(f"{strike.__name__}: slowest hover median {median(took):.2f} s, most {max(took):.2f} s")
    assert median(took) <= 0.5
    assert max(took) <= 1.0


async def test_a_worker_killed_every_minute_leaves_memory_flat_and_nothing_behind(
    fleet: FleetBackend, given: Sources
) -> None:
    samples, hovers = [], 0
    began = time.monotonic()
    for minute in range(round(MINUTES)):
        await until(lambda: len(fleet.members.alive()) == 2)
        os.kill(pid_of(fleet, f"worker-{minute % 2}"), signal.SIGKILL)
        while time.monotonic() < began + 60 * (minute + 1):
            await asyncio.gather(*(hovered(fleet, given, key, 40 + hovers % 200) for key in KEYS))
            hovers += 2
            await asyncio.sleep(0.02)
        samples.append((minute, resident_bytes()))
        show(f"minute {minute}: {samples[-1][1] / 2**20:.1f} MiB, {hovers} hovers")
    steady = samples[round(WARM * len(samples)) :]
    slope = linear_regression(*zip(*steady, strict=True)).slope * 10
    show(f"memory {slope / 1024:+.0f} KiB in ten minutes")
    assert slope <= SLOPE_BYTES
