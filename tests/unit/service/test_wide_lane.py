"""A lane of two threads, for a device that is far away: the same order, and two jobs at work."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import pytest

from app.service.scheduler import Lane, Priority
from tests.helpers.gates import Gate, hang, noting, start

pytestmark = pytest.mark.anyio


@pytest.fixture
async def wide(anyio_backend: str) -> AsyncIterator[Lane]:
    lane = Lane("wide", 3, lambda: None, threads=2)
    yield lane
    lane.close()


async def test_a_lane_of_two_threads_has_two_jobs_at_work_and_a_third_waits(wide: Lane) -> None:
    gates, notes = (Gate(), Gate()), list[str]()
    tasks = [await start(wide, Priority.HOVER, gate) for gate in gates]
    for gate in gates:
        await gate.wait_until_begun()
    tasks.append(await start(wide, Priority.HOVER, noting(notes, "hover")))
    tasks.append(await start(wide, Priority.CLICK, noting(notes, "click")))
    assert (wide.waiting, wide.busy) == (2, True)
    gates[1].open.set()
    assert await asyncio.gather(*tasks[1:]) == ["through", "hover", "click"]
    assert notes == ["click", "hover"]
    assert wide.busy
    gates[0].open.set()
    assert await tasks[0] == "through"


async def test_throttled_hover_waits_for_others_in_the_other_thread_too(
    wide: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.service.scheduler.COURTESY_S", math.inf)
    monkeypatch.setattr("app.service.scheduler.THROTTLED_WAIT_S", math.inf)
    gate, notes = Gate(), list[str]()
    urgent = await start(wide, Priority.HOVER, gate)
    await gate.wait_until_begun()
    throttled = await start(wide, Priority.THROTTLED, noting(notes, "throttled"))
    await asyncio.gather(*[await start(wide, Priority.HOVER, noting(notes, "hover")) for _ in range(3)])
    gate.open.set()
    await urgent
    assert notes == ["hover"] * 3
    throttled.cancel()


async def test_of_two_threads_one_that_hangs_is_replaced_and_the_other_goes_on(wide: Lane) -> None:
    gate = Gate()
    await hang(wide, gate, 1)
    other = Gate()
    tasks = [await start(wide, Priority.CLICK, other), await start(wide, Priority.CLICK, lambda: "answered")]
    assert await tasks[1] == "answered"
    for each in (gate, other):
        each.open.set()
    assert await tasks[0] == "through"
