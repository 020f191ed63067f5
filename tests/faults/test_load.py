"""Many clients, floods and long runs; short by default, long under `./start.sh soak`, which also shows the figures."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pytest

from tests.helpers.load import DECODE_S, SOAKS, Pointer, flooder, loaded
from tests.helpers.observed import SLOWER, Beside, Observed, show
from tests.helpers.peer import dialled_at
from tests.helpers.thorough import examples

pytestmark = [pytest.mark.anyio, pytest.mark.alone]
SECONDS = examples(2, 20)
IDLE = 200
CYCLES = examples(300, 3000)
CLIENTS = 4
IDLE_BYTES = (40 if sys.version_info >= (3, 11) else 48) * 1024
"""Objects of Python 3.10 have larger dictionaries."""
ROUNDS = 2
MOST_ROUNDS = 5
SLOWER_BY_IDLERS = 1.1 if SOAKS else 1.25
"""Two seconds show the 95th percentile to a few milliseconds only: a tenth is told by the long version."""
BUSY_S = 2 * 2 * float(DECODE_S)
"""Twice what a quiet machine takes: a hover waits for the decode at hand and for its own."""
CHURN_ROUNDS = 3
CHURN_BYTES = 2 * 2**20
Company = Callable[[Observed], AbstractAsyncContextManager[None]]


async def times_of_four(server: Observed) -> list[float]:
    """Return what the hovers of four pointers took; every click was answered and no hover given up."""
    async with AsyncExitStack() as stack:
        pointers = [Pointer(await stack.enter_async_context(server.session())) for _ in range(CLIENTS)]
        await asyncio.gather(*(asyncio.wait_for(pointer.run(SECONDS), SECONDS + 60) for pointer in pointers))
    assert [(pointer.answers, pointer.late) for pointer in pointers] == [(pointer.clicks, 0) for pointer in pointers]
    return [taken for pointer in pointers for taken in pointer.times]


async def compared(server: Observed, company: Company, most: float) -> Beside:
    """Let four pointers run alone and in company, in turns, until their ratio is told."""
    beside = Beside(busy_s=BUSY_S)
    await times_of_four(server)  # warm
    for number in range(MOST_ROUNDS):
        if number >= ROUNDS and beside.ratio <= most:
            break
        beside.quiet.extend(await times_of_four(server))
        async with company(server):
            beside.faulty.extend(await times_of_four(server))
    return beside


async def test_four_pointers_do_not_notice_a_flooder_and_lose_no_click() -> None:
    async with loaded() as server:
        beside = await compared(server, flooder, SLOWER)
        show(f"four pointers beside a flooder: {beside}")
        assert beside.ratio <= SLOWER


async def test_idle_sessions_cost_little() -> None:
    grown: list[float] = []

    @asynccontextmanager
    async def idlers(server: Observed) -> AsyncIterator[None]:
        before = await server.figures()
        async with AsyncExitStack() as stack:
            for _ in range(IDLE):
                await (await stack.enter_async_context(dialled_at(server.ws_url))).hello()
            grown.append((await server.figures()).memory_bytes - before.memory_bytes)
            yield

    async with loaded() as server:
        beside = await compared(server, idlers, SLOWER_BY_IDLERS)
        show(f"an idle session: {grown[0] / IDLE / 1024:.1f} KiB; four pointers beside {IDLE}: {beside}")
        assert grown[0] / IDLE <= IDLE_BYTES  # later ones find the memory of those that left
        assert beside.ratio <= SLOWER_BY_IDLERS


async def test_coming_and_going_leaves_nothing() -> None:
    """What leaks grows with every round; an allocator's reserve grows once."""

    async def once(server: Observed) -> None:
        async with dialled_at(server.ws_url) as peer:
            await peer.hello()

    async with loaded(resume_s=0.5) as server:
        start = await server.figures()
        for _ in range(10):  # warm
            await asyncio.gather(*(once(server) for _ in range(20)))
        before = await server.recovered(start)
        growth = []
        for _ in range(CHURN_ROUNDS):
            for _ in range(CYCLES // 20):
                await asyncio.gather(*(once(server) for _ in range(20)))
            after = await server.recovered(before)
            growth.append(after.memory_bytes - before.memory_bytes)
            before = after
        shown = ", ".join(f"{size / 1024:+.0f} KiB" for size in growth)
        show(f"{CHURN_ROUNDS} rounds of {CYCLES} connections: memory {shown}")
        assert min(growth) <= CHURN_BYTES
