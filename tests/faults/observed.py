"""A server in a process of its own, what it says of itself, and the five invariants that no fault may break.

A healthy session's hovers stay as quick as without the fault; connections, sessions and descriptors go back to what
they were; memory doesn't grow; the log has no traceback; the server lives on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Program
from tests.integration.peer import DEADLINE_S, Peer, dialled_at

RECOVERY_S = 10.0
GROWTH_BYTES = 32 * 2**20
SLOWER = 1.5
ATTEMPTS = 4
REPEATS = 3
HOVERS = 25
SLACK_S = 0.020
"""What a busy machine adds to a hover now and then, whoever else is connected."""
Fault = Callable[["Observed"], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Figures:
    """What the server says of itself."""

    connections: float
    sessions: float
    tasks: float
    descriptors: float
    memory_bytes: float

    def is_back_to(self, before: Figures) -> bool:
        """Return whether nothing is left of what came after."""
        return (
            self.connections <= before.connections
            and self.sessions <= before.sessions
            and self.tasks <= before.tasks
            and self.descriptors <= before.descriptors
        )


class Observed:
    """A running program and a healthy client of it."""

    def __init__(self, program: Program, image_id: str) -> None:
        self.program, self.url, self.image_id = program, program.url, image_id
        self.ws_url = f"{self.url.replace('http', 'ws', 1)}/ws"

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Peer]:
        """Give a session that shows a picture."""
        async with dialled_at(self.ws_url) as peer:
            await peer.hello()
            await peer.open(self.image_id)
            yield peer

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=DEADLINE_S) as client:
            return await client.get(f"{self.url}{path}", headers={"connection": "close"})

    async def metrics(self) -> dict[str, float]:
        """Return every sample by name and labels."""
        text = (await self.get("/metrics")).text
        return {
            sample.name + "".join(f",{value}" for value in sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def figures(self) -> Figures:
        told = await self.metrics()
        return Figures(
            told["hoversam_connections"],
            told["hoversam_sessions,held"] + told["hoversam_sessions,kept"],
            told["hoversam_tasks"],
            told["process_open_fds"],
            told["process_resident_memory_bytes"],
        )

    async def recovered(self, before: Figures) -> Figures:
        """Return the figures once nothing is left of a fault; fails where something stays."""
        until = time.monotonic() + RECOVERY_S
        while not (now := await self.figures()).is_back_to(before):
            assert time.monotonic() < until, f"{now} is left of {before}"
            await asyncio.sleep(0.1)
        return now


async def p95_s(peer: Peer, hovers: int = HOVERS) -> float:
    """Return the 95th percentile of a healthy session's hovers."""
    times = []
    for number in range(hovers):
        began = time.perf_counter()
        await peer.hover(number % 60, 5)
        times.append(time.perf_counter() - began)
    return quantiles(times, n=20)[-1]


async def is_as_quick(healthy: Peer, server: Observed, fault: Fault) -> bool:
    """Return whether a healthy session notices nothing of a fault; measured just before and while it lasts."""
    alone_s = await p95_s(healthy)
    at_it = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(fault(server))))  # its own loop blocks nobody
    try:
        beside_s = await p95_s(healthy)
    finally:
        await at_it
    return beside_s <= SLOWER * alone_s + SLACK_S


async def holds(server: Observed, fault: Fault, *, after: Figures | None = None) -> None:
    """Check the five invariants with a fault that is repeated.

    The machine has other work too: a healthy session must be as quick in one of the rounds, and everything else must
    be so after all of them.
    """
    lines = len(server.program.lines)
    before = after or await server.figures()
    async with server.session() as healthy:
        beside = await server.figures()
        for attempt in range(ATTEMPTS):
            if await is_as_quick(healthy, server, fault):
                break
            assert attempt < ATTEMPTS - 1, "a healthy session was slowed down in every round"
        warm = await server.recovered(beside)
        for _ in range(REPEATS):
            await fault(server)
        now = await server.recovered(beside)
        assert now.memory_bytes - warm.memory_bytes <= GROWTH_BYTES
        assert (await healthy.hover(3, 3)).x == 3
    assert "Traceback" not in "".join(server.program.lines[lines:])
    assert (await server.get("/readyz")).status_code == 200
    await server.recovered(before)


def reasons(server: Observed, key: str = "reason") -> list[str]:
    """Return the values of a key in the server's log."""
    return [
        part.split("=", 1)[1].strip("'\"")
        for line in server.program.lines
        for part in line.split()
        if part.startswith(f"{key}=")
    ]
