from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator

import pytest

from app.errors import BusyError, EngineFailedError, UnknownImageError
from app.service.scheduler import MAX_HUNG, SAMPLES, Lane, Meter, Priority, Scheduler, threads_for
from tests.helpers.gates import LONG_S, Gate, hang, noting, start

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lane(anyio_backend: str) -> AsyncIterator[Lane]:
    lane = Lane("test", 3, lambda: None)
    yield lane
    lane.close()


@pytest.fixture
async def gate(lane: Lane) -> AsyncIterator[Gate]:
    """A job that keeps the lane busy until the test opens it."""
    gate = Gate()
    blocker = asyncio.create_task(lane.run(Priority.CLICK, gate, LONG_S))
    await gate.wait_until_begun()
    yield gate
    gate.open.set()
    assert await blocker == "through"


@pytest.fixture
def courtesy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is throttled waits for others for as long as may be."""
    monkeypatch.setattr("app.service.scheduler.COURTESY_S", math.inf)
    monkeypatch.setattr("app.service.scheduler.THROTTLED_WAIT_S", math.inf)


@pytest.mark.usefixtures("courtesy")
async def test_throttled_hover_lets_others_go_first_also_those_that_come_a_little_later(lane: Lane, gate: Gate) -> None:
    notes: list[str] = []
    throttled = await start(lane, Priority.THROTTLED, noting(notes, "throttled"))
    await start(lane, Priority.HOVER, noting(notes, "waits too"))
    gate.open.set()
    for name in ("comes later", "comes later still"):
        await lane.run(Priority.HOVER, noting(notes, name), LONG_S)
    assert notes == ["waits too", "comes later", "comes later still"]
    lane.close()
    with pytest.raises(EngineFailedError):
        await throttled


@pytest.mark.usefixtures("courtesy")
async def test_throttled_hover_is_answered_in_half_of_its_time_whatever_others_do(lane: Lane) -> None:
    await lane.run(Priority.HOVER, lambda: "", LONG_S)
    assert await lane.run(Priority.THROTTLED, lambda: "answered", 2.0) == "answered"


async def test_throttled_hover_does_not_wait_long_for_others_that_do_not_come(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.service.scheduler.THROTTLED_WAIT_S", math.inf)
    await lane.run(Priority.HOVER, lambda: "", LONG_S)
    assert await lane.run(Priority.THROTTLED, lambda: "answered", math.inf) == "answered"


@pytest.mark.usefixtures("courtesy")
async def test_throttled_hovers_have_a_quiet_device_to_themselves(lane: Lane) -> None:
    assert [await lane.run(Priority.THROTTLED, lambda: "answered", math.inf) for _ in range(3)] == ["answered"] * 3


@pytest.mark.usefixtures("courtesy")
async def test_what_nobody_waits_for_begins_after_everybody_else(lane: Lane, gate: Gate) -> None:
    notes: list[str] = []
    idle = await start(lane, Priority.IDLE, noting(notes, "idle"))
    hover = await start(lane, Priority.HOVER, noting(notes, "hover"))
    gate.open.set()
    await hover
    await lane.run(Priority.CLICK, noting(notes, "click"), LONG_S)
    assert notes == ["hover", "click"]
    assert not idle.done()
    idle.cancel()


async def test_what_nobody_waits_for_counts_neither_as_work_nor_as_quiet_that_ended(lane: Lane) -> None:
    gate = Gate()
    await lane.run(Priority.HOVER, lambda: "", LONG_S)
    lane.meter.add(1.0, 1.0)
    before = lane.meter.work_ms, lane.meter.queue_ms
    idle = await start(lane, Priority.IDLE, gate)
    await gate.wait_until_begun()
    assert not lane.busy
    quiet_s = lane.quiet_s
    gate.open.set()
    assert await idle == "through"
    assert lane.quiet_s >= quiet_s > 0
    assert (lane.meter.work_ms, lane.meter.queue_ms) == before


async def test_what_nobody_waits_for_is_not_given_up_while_others_are_at_work(lane: Lane, gate: Gate) -> None:
    idle = asyncio.create_task(lane.run(Priority.IDLE, lambda: "done", 0.01))
    with pytest.raises(EngineFailedError):
        await lane.run(Priority.CLICK, lambda: "", 0.05)  # which is five times as patient, and in vain
    assert not idle.done()
    gate.open.set()
    assert await idle == "done"


async def test_what_nobody_waits_for_and_hangs_is_given_up(lane: Lane) -> None:
    gate = Gate()
    with pytest.raises(EngineFailedError):
        await lane.run(Priority.IDLE, gate, 0.01)
    gate.open.set()


async def test_what_nobody_waits_for_is_never_done_once_its_caller_has_gone(lane: Lane, gate: Gate) -> None:
    notes: list[str] = []
    idle = await start(lane, Priority.IDLE, noting(notes, "idle"))
    idle.cancel()
    await asyncio.wait([idle])
    gate.open.set()
    await lane.run(Priority.IDLE, noting(notes, "other"), LONG_S)
    assert notes == ["other"]


async def test_a_job_is_done_in_the_lanes_own_thread(lane: Lane) -> None:
    name = await lane.run(Priority.CLICK, lambda: threading.current_thread().name, LONG_S)
    assert name == "test"


async def test_clicks_go_before_hovers_and_hovers_before_encodes(lane: Lane, gate: Gate) -> None:
    notes: list[str] = []
    order = [Priority.ENCODE, Priority.HOVER, Priority.CLICK]
    tasks = [await start(lane, priority, noting(notes, priority.name)) for priority in order]
    gate.open.set()
    await asyncio.gather(*tasks)
    assert notes == ["CLICK", "HOVER", "ENCODE"]


async def test_among_equals_the_oldest_goes_first(lane: Lane, gate: Gate) -> None:
    notes: list[str] = []
    tasks = [await start(lane, Priority.HOVER, noting(notes, str(number))) for number in range(3)]
    gate.open.set()
    await asyncio.gather(*tasks)
    assert notes == ["0", "1", "2"]


async def test_as_many_jobs_of_a_kind_wait_as_allowed_and_one_more_is_busy(lane: Lane, gate: Gate) -> None:
    tasks = [await start(lane, Priority.HOVER, lambda: "") for _ in range(3)]
    with pytest.raises(BusyError) as raised:
        await lane.run(Priority.HOVER, lambda: "", LONG_S)
    assert raised.value.retry_after_s
    tasks.append(await start(lane, Priority.CLICK, lambda: ""))  # hovers leave the clicks their places
    assert (lane.waiting, lane.busy) == (4, True)
    gate.open.set()
    await asyncio.gather(*tasks)
    assert await lane.run(Priority.HOVER, lambda: "room again", LONG_S) == "room again"


async def test_a_job_that_raises_costs_only_itself(lane: Lane, gate: Gate) -> None:
    def broken() -> str:
        raise RuntimeError("secret of the engine")

    first, second = await start(lane, Priority.CLICK, broken), await start(lane, Priority.CLICK, lambda: "fine")
    gate.open.set()
    with pytest.raises(EngineFailedError) as raised:
        await first
    assert "secret" not in raised.value.message
    assert isinstance(raised.value.__cause__, RuntimeError)
    assert await second == "fine"


async def test_an_error_with_a_code_reaches_the_caller_as_it_is(lane: Lane) -> None:
    def refuse() -> str:
        raise UnknownImageError("not here")

    with pytest.raises(UnknownImageError, match="not here"):
        await lane.run(Priority.CLICK, refuse, LONG_S)


async def test_a_job_that_waits_too_long_is_given_up_and_never_done(lane: Lane, gate: Gate) -> None:
    notes: list[str] = []
    with pytest.raises(EngineFailedError, match=r"within 0\.01 s"):
        await lane.run(Priority.CLICK, noting(notes, "late"), 0.01)
    gate.open.set()
    await lane.run(Priority.CLICK, noting(notes, "next"), LONG_S)
    assert notes == ["next"]


async def test_a_job_whose_caller_has_gone_is_never_done(lane: Lane, gate: Gate) -> None:
    notes: list[str] = []
    task = await start(lane, Priority.CLICK, noting(notes, "unwanted"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    gate.open.set()
    await lane.run(Priority.CLICK, noting(notes, "next"), LONG_S)
    assert notes == ["next"]


async def test_a_caller_who_leaves_during_the_job_does_not_stop_the_lane(lane: Lane) -> None:
    gate = Gate()
    task = await start(lane, Priority.CLICK, gate)
    await gate.wait_until_begun()
    task.cancel()
    gate.open.set()
    assert await lane.run(Priority.CLICK, lambda: "fine", LONG_S) == "fine"
    assert task.cancelled()


async def test_jobs_that_wait_when_the_lane_closes_are_told(lane: Lane, gate: Gate) -> None:
    waiting = [await start(lane, priority, lambda: "") for priority in Priority]
    lane.close()
    gate.open.set()
    for task in waiting:
        with pytest.raises(EngineFailedError, match="shutting down"):
            await task


async def test_a_closed_lane_refuses_at_once(lane: Lane) -> None:
    [thread] = [thread for thread in threading.enumerate() if thread.name == "test"]
    lane.close()
    thread.join(LONG_S)
    with pytest.raises(EngineFailedError, match="shutting down"):
        await lane.run(Priority.CLICK, lambda: "", LONG_S)


async def test_a_decode_does_not_wait_for_an_encode() -> None:
    scheduler, gate = Scheduler(cores=2, capacity=3, set_threads=lambda _: None), Gate()
    encode = await start(scheduler.encodes, Priority.ENCODE, gate)
    await gate.wait_until_begun()
    assert await scheduler.decodes.run(Priority.HOVER, lambda: "decoded", LONG_S) == "decoded"
    assert not encode.done()
    gate.open.set()
    assert await encode == "through"
    scheduler.close()


async def test_what_nobody_waits_for_waits_for_an_encode_too_and_takes_no_core_from_the_next() -> None:
    counts: list[int] = []
    scheduler, gate = Scheduler(cores=8, capacity=3, set_threads=counts.append), Gate()
    encode = await start(scheduler.encodes, Priority.ENCODE, gate)
    await gate.wait_until_begun()
    idle = await start(scheduler.decodes, Priority.IDLE, lambda: "idle")
    await scheduler.first_encodes.run(Priority.ENCODE, lambda: "", LONG_S)
    assert not idle.done()
    gate.open.set()
    assert (await encode, await idle) == ("through", "idle")
    await scheduler.encodes.run(Priority.ENCODE, lambda: "", LONG_S)
    assert counts[-1] == 8  # as if nobody had decoded
    scheduler.close()


async def test_lanes_that_work_together_share_the_cores() -> None:
    counts: list[int] = []
    scheduler, gate = Scheduler(cores=8, capacity=3, set_threads=counts.append), Gate()
    await scheduler.decodes.run(Priority.CLICK, lambda: "", LONG_S)
    assert counts == [8]
    encode = await start(scheduler.encodes, Priority.ENCODE, gate)
    await gate.wait_until_begun()
    await scheduler.decodes.run(Priority.CLICK, lambda: "", LONG_S)
    assert counts[-1] == 4
    gate.open.set()
    await encode
    scheduler.close()


async def test_an_encode_has_every_core_until_somebody_hovers() -> None:
    counts: list[int] = []
    scheduler = Scheduler(cores=8, capacity=3, set_threads=counts.append)
    await scheduler.encodes.run(Priority.ENCODE, lambda: "", LONG_S)
    await scheduler.decodes.run(Priority.HOVER, lambda: "", LONG_S)
    await scheduler.encodes.run(Priority.ENCODE, lambda: "", LONG_S)
    assert (counts[0], counts[-1]) == (8, 4)
    scheduler.close()


@pytest.mark.parametrize(
    ("cores", "busy", "threads"),
    [(8, False, 8), (8, True, 4), (2, True, 1), (1, True, 1), (1, False, 1), (0, False, 1)],
)
def test_a_lane_alone_has_every_core_and_never_less_than_one(cores: int, busy: bool, threads: int) -> None:
    assert threads_for(cores, other_lane_busy=busy) == threads


def test_a_meter_tells_medians_of_the_newest_jobs() -> None:
    meter = Meter()
    assert (meter.queue_ms, meter.work_ms) == (0.0, 0.0)
    for _ in range(SAMPLES):
        meter.add(100.0, 100.0)
    for _ in range(SAMPLES):
        meter.add(0.002, 0.004)
    assert (meter.queue_ms, meter.work_ms) == (2.0, 4.0)


async def test_a_job_that_hangs_costs_its_own_reply_alone(lane: Lane) -> None:
    gate = Gate()
    await hang(lane, gate, 1)
    assert await lane.run(Priority.CLICK, lambda: "answered", LONG_S) == "answered"
    assert lane.hung == 1
    gate.open.set()


async def test_a_thread_that_comes_back_after_it_hung_does_nothing_more(lane: Lane) -> None:
    gate = Gate()
    await lane.run(Priority.CLICK, lambda: None, LONG_S)
    others = {thread for thread in threading.enumerate() if thread not in lane._at_work}  # of tests before, perhaps
    await hang(lane, gate, 1)
    threads = [thread for thread in threading.enumerate() if thread.name == "test" and thread not in others]
    assert len(threads) == 2
    gate.open.set()
    threads[0].join(LONG_S)
    assert lane.hung == 0
    assert await lane.run(Priority.CLICK, lambda: "answered", LONG_S) == "answered"


async def test_only_so_many_threads_may_hang(lane: Lane) -> None:
    gates = [Gate() for _ in range(MAX_HUNG + 1)]
    for number, gate in enumerate(gates, 1):
        await hang(lane, gate, min(number, MAX_HUNG))
    assert lane.hung == MAX_HUNG
    assert not lane.healthy
    for gate in gates:
        gate.open.set()


async def test_a_job_that_begins_late_and_hangs_is_seen_though_nobody_asks_after_it(lane: Lane) -> None:
    gate = Gate()
    waiter = asyncio.create_task(lane.run(Priority.CLICK, gate, 0.1))
    await gate.wait_until_begun()
    [job] = lane._at_work.values()
    assert job
    began_at, job.began_at = job.began_at, math.inf  # as if it began just before nobody waits
    with pytest.raises(EngineFailedError):
        await waiter
    assert lane.hung == 0
    job.began_at = began_at
    lane.replace_hung_thread()
    assert lane.hung == 1
    gate.open.set()


async def test_a_job_that_only_waited_too_long_does_not_count_as_hanging(lane: Lane, gate: Gate) -> None:
    with pytest.raises(EngineFailedError):
        await lane.run(Priority.CLICK, lambda: "", 0.01)
    assert lane.hung == 0
