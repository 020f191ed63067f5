"""A worker that dies, stands still or is slow costs nobody a prompt, and its masks are the same to the bit."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from app.fleet.backend import FleetBackend
from app.fleet.cluster import RayWorkers
from app.service.answers import object_answer, preview_answer
from app.service.embeddings import EmbeddingKey
from app.service.scheduler import Priority
from app.session.query import Query
from tests.fleet.conftest import fleet_of
from tests.helpers.backend_promises import SIZE_HW, SPECK_SHARE, Sources, click, expected, sources, trail
from tests.helpers.peer import until

pytestmark = pytest.mark.anyio


@pytest.fixture
def given() -> Sources:
    return sources()


@pytest.fixture
async def fleet(anyio_backend: str, workers: RayWorkers, given: Sources) -> AsyncIterator[FleetBackend]:
    async with fleet_of(workers, given) as backend:
        yield backend
        await until(lambda: len(backend.members.alive()) == len(workers.names))


async def shared(fleet: FleetBackend, key: EmbeddingKey) -> tuple[str, str]:
    """Have two sessions open a source; return its worker and the one that has it too."""
    for _ in range(2):
        await fleet.encode(key)

    def has_two() -> bool:
        fleet.placement.renew(key)  # as each hover does
        return len(fleet.placement.holders(key)) == 2

    await until(has_two)
    first, second = fleet.placement.holders(key)
    return first, second


def pid_of(fleet: FleetBackend, worker: str) -> int:
    about = fleet.members.all[worker].about
    assert about is not None
    return about.pid


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def hovered(fleet: FleetBackend, given: Sources, key: EmbeddingKey, x: float) -> None:
    """Hover and click, and compare both with what the engine gives in this process."""
    query = Query(1, trail(click(x, 120)))
    found = await fleet.preview(key, SIZE_HW, lambda: query, Priority.HOVER)
    wanted = expected(query, given.kept[key.source]).all()
    assert found == preview_answer(wanted, SIZE_HW, SPECK_SHARE, query.subject)
    answer = await fleet.answer(key, SIZE_HW, query)
    assert answer == object_answer(wanted, SIZE_HW, SPECK_SHARE, query.subject)


@pytest.mark.usefixtures("trusting")
async def test_a_worker_killed_at_a_click_is_replaced_by_the_one_that_has_the_picture_too(
    fleet: FleetBackend, given: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = EmbeddingKey("tiny", "a")
    first, _ = await shared(fleet, key)
    monkeypatch.setattr(fleet.placement, "_share", lambda _: None)  # to it, where it is back before all is answered
    asked = len(given.asked)
    os.kill(pid_of(fleet, first), signal.SIGKILL)
    await asyncio.gather(*(hovered(fleet, given, key, 100 + number) for number in range(4)))
    assert given.asked[asked:] == []  # nothing was encoded again
    assert fleet.members.all[first].failures >= 1
    await until(lambda: fleet.members.all[first].alive)
    assert fleet.placement.holders(key)  # it has come back, without the picture, and loses nobody a prompt
    await hovered(fleet, given, key, 50)
    assert "A worker died" not in "".join(capfd.readouterr())  # our own log has said it, in a line


async def test_a_worker_that_stands_still_is_passed_over_and_comes_back(fleet: FleetBackend, given: Sources) -> None:
    key = EmbeddingKey("tiny", "b")
    first, second = await shared(fleet, key)
    with stopped(pid_of(fleet, first)):
        await hovered(fleet, given, key, 100)  # the other is asked too, once the first is late
        await until(lambda: not fleet.members.all[first].alive)
        calls = fleet.members.all[second].calls
        await hovered(fleet, given, key, 110)
        assert fleet.members.all[second].calls == calls + 2
    await until(lambda: fleet.members.all[first].alive)
    await hovered(fleet, given, key, 120)


@pytest.mark.usefixtures("trusting")
async def test_without_a_copy_the_next_worker_encodes_the_picture(fleet: FleetBackend, given: Sources) -> None:
    given.kept["c"] = given.kept["a"][::-1].copy()
    key = EmbeddingKey("tiny", "c")
    await fleet.encode(key)
    [only] = fleet.placement.holders(key)
    os.kill(pid_of(fleet, only), signal.SIGKILL)
    await hovered(fleet, given, key, 100)
    assert given.asked == ["c", "c"]


@pytest.mark.usefixtures("trusting")
async def test_while_no_worker_is_there_clicks_wait_and_say_so_to_whoever_looks(
    fleet: FleetBackend, given: Sources
) -> None:
    key = EmbeddingKey("tiny", "a")
    await fleet.encode(key)
    for worker in fleet.members.all:
        os.kill(pid_of(fleet, worker), signal.SIGKILL)
    await hovered(fleet, given, key, 100)
    assert {worker.failures > 0 for worker in fleet.state().workers} == {True}
