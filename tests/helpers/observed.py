"""A server in a process of its own, what it says of itself, and the five invariants that no fault may break.

A healthy session's hovers stay as quick as without the fault; connections, sessions and descriptors go back to what
they were; memory doesn't grow; the log has no traceback; the server lives on.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.helpers.peer import DEADLINE_S, Peer, dialled_at
from tests.helpers.program import Program
from tests.helpers.pulse import Pulse, p95

RECOVERY_S = 10.0
GROWTH_BYTES = 32 * 2**20
SLOWER = 1.5
ROUNDS = 4
"""The first is to warm up; memory may grow by no more than `GROWTH_BYTES` in the three after it."""
MOST_ROUNDS = 12
PHASE_S = 0.45
"""A round is quiet for so long, then has the fault for at least so long."""
AGAIN_S = 0.15
"""A fault that is over sooner comes again after this; any faster it would be another one, a flood."""
BUSY_S = 0.040
"""Twice what a decode of `program` takes."""
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


@asynccontextmanager
async def session_at(ws_url: str, image_id: str) -> AsyncIterator[Peer]:
    """Give a session at an address that shows a picture."""
    async with dialled_at(ws_url) as peer:
        await peer.hello()
        await peer.open(image_id)
        yield peer


class Observed:
    """A running program and a healthy client of it."""

    def __init__(self, program: Program, image_id: str) -> None:
        self.program, self.url, self.image_id = program, program.url, image_id
        self.ws_url = f"{self.url.replace('http', 'ws', 1)}/ws"
        self._pulse: Pulse | None = None

    async def pulse(self) -> Pulse:
        """Return the healthy session that is measured; it is there from now on."""
        self._pulse = self._pulse or await Pulse.of(self.ws_url, self.image_id)
        return self._pulse

    async def stop(self) -> None:
        """End the healthy session, then the program."""
        if self._pulse is not None:
            await self._pulse.stop()
        self.program.stop()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Peer]:
        """Give a session that shows a picture."""
        async with session_at(self.ws_url, self.image_id) as peer:
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


@dataclass(frozen=True)
class Beside:
    """What a healthy session's hovers took, in seconds, in quiet and during a fault, in turns.

    All rounds count together: what a busy machine adds now and then falls on both alike.

    Attributes:
        busy_s: twice the 95th percentile that a quiet machine would have. Where it is beyond even without the fault,
            the machine is too busy to tell by percentiles, and medians are compared.
    """

    busy_s: float = BUSY_S
    quiet: list[float] = field(default_factory=list)
    faulty: list[float] = field(default_factory=list)

    async def round(self, pulse: Pulse, server: Observed, fault: Fault) -> None:
        """Hover in quiet, then during a fault, which comes again until there are enough hovers."""
        pulse.begin()
        await asyncio.sleep(PHASE_S)
        self.quiet.extend(await pulse.end())
        pulse.begin()
        until = time.monotonic() + PHASE_S
        while time.monotonic() < until:
            await asyncio.gather(fault(server), asyncio.sleep(AGAIN_S))
        self.faulty.extend(await pulse.end())

    @property
    def ratio(self) -> float:
        """How many times as long a hover takes during the fault: at the 95th percentile, or in the middle."""
        figure = p95 if p95(self.quiet) <= self.busy_s else median
        return figure(self.faulty) / figure(self.quiet)

    def __str__(self) -> str:
        p95s, medians = (
            f"{1000 * figure(self.quiet):.1f} -> {1000 * figure(self.faulty):.1f} ms" for figure in (p95, median)
        )
        return f"hover p95 {p95s}, median {medians}, of {len(self.quiet)} and {len(self.faulty)}"


async def holds(server: Observed, fault: Fault, slower: float = SLOWER) -> None:
    """Check the five invariants with a fault that is repeated; a hover may take `slower` times as long.

    A few more rounds are taken where the machine was too busy to tell; nothing is left out of what they show.
    """
    lines = len(server.program.lines)
    pulse = await server.pulse()
    before, beside = await server.figures(), Beside()
    await beside.round(pulse, server, fault)
    warm = await server.figures()
    for number in range(1, MOST_ROUNDS):
        if number >= ROUNDS and beside.ratio <= slower:
            break
        await beside.round(pulse, server, fault)
    grown = (await server.recovered(before)).memory_bytes - warm.memory_bytes
    show(f"{fault.__name__}: {beside}; memory {grown / 2**20:+.1f} MiB")
    assert beside.ratio <= slower, str(beside)
    assert grown <= GROWTH_BYTES
    assert "Traceback" not in "".join(server.program.lines[lines:])
    assert (await server.get("/readyz")).status_code == 200


def reasons(server: Observed, key: str = "reason") -> list[str]:
    """Return the values of a key in the server's log."""
    return [
        part.split("=", 1)[1].strip("'\"")
        for line in server.program.lines
        for part in line.split()
        if part.startswith(f"{key}=")
    ]


def show(figure: str) -> None:
    """Tell a figure to whoever runs the long tests."""
    sys.stdout.write(f"\n{figure}\n")
