"""Twenty minutes in which a worker is killed every minute, and each fault ten times: `./start.sh soak` runs them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, median

import pytest

from app.fleet.backend import FleetBackend
from app.fleet.cluster import RayWorkers
from app.protocol import messages as m
from app.service.answers import preview_answer
from app.service.embeddings import EmbeddingKey
from app.service.scheduler import Priority
from app.session.query import Query
from tests.fleet.conftest import fleet_of
from tests.helpers.backend_promises import SIZE_HW, SPECK_SHARE, Sources, click, expected, sources, trail
from tests.helpers.family import Estate, anonymous_bytes, workers_of
from tests.helpers.image_files import png
from tests.helpers.load import SOAKS
from tests.helpers.observed import session_at, show
from tests.helpers.peer import Peer, opened, post_picture_to, until
from tests.helpers.program import Program, free_port
from tests.helpers.server import Server

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not SOAKS, reason="takes twenty minutes: ./start.sh soak")]
MINUTES = float(os.environ.get("HOVERSAM_SOAK_MINUTES", "20"))
TIMES = 10
SLOPE_BYTES = 2 * 2**20
"""A process may grow by so much in ten minutes of a soak: Ray's own do for an hour, by less and less."""
WARM = 0.4
"""Of a soak, until caches are full."""
PICTURE = png(300, 200)
STEPS = 20
"""Of a walk; then it begins anew."""
PAUSE_S = 0.05
SAID = 5000
"""Characters of a server's log that are shown at the end."""
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


@dataclass(frozen=True)
class Seen:
    """What a person sees who hovers, clicks, refines and clears, once for each place of a walk."""

    masks: tuple[object, ...]


async def test_without_a_copy_the_next_hover_waits_for_one_encode_and_without_a_worker_for_its_restart(
    fleet: FleetBackend, given: Sources
) -> None:
    alone, restarted = list[float](), list[float]()
    for number in range(TIMES):
        await until(lambda: len(fleet.members.alive()) == 2)
        key = EmbeddingKey("tiny", f"of one {number}")
        given.kept[key.source] = given.kept["a"]
        await hovered(fleet, given, key, 50)
        [worker] = fleet.placement.holders(key)
        os.kill(pid_of(fleet, worker), signal.SIGKILL)
        alone.append(await hovered(fleet, given, key, 90))
        await until(lambda: len(fleet.members.alive()) == 2)
        for name in fleet.members.all:
            os.kill(pid_of(fleet, name), signal.SIGKILL)
        began = time.perf_counter()
        await fleet.answer(key, SIZE_HW, Query(1, trail(click(90, 120))))
        restarted.append(time.perf_counter() - began)
    show(f"without a copy: next hover median {median(alone):.2f} s, most {max(alone):.2f} s")
    show(f"every worker killed: next click median {median(restarted):.2f} s, most {max(restarted):.2f} s")
    assert median(alone) <= 0.5
    assert median(restarted) <= 5.0


async def pointed(peer: Peer, x: float, y: float) -> m.Preview:
    """Return the answer to a hover; where the machine was too busy to give one in time, it is asked again."""
    while True:
        await peer.send(m.Hover(seq=peer.seq(), x=x, y=y))
        reply = await peer.receive()
        if isinstance(reply, m.Preview):
            return reply
        assert isinstance(reply, m.Error), reply
        assert (reply.code, reply.fatal) == ("engine_failed", False), reply
        show(f"a hover was given up: {reply.message}")


async def walked(peer: Peer, number: int) -> Seen:
    """Take one step of a walk; nothing of it stays."""
    x = 10 + 7 * (number % STEPS)
    first = await pointed(peer, x, 50)
    made = await peer.click(x, 70)
    refined = await peer.click(x + 40, 90, object=made.id)
    last = await pointed(peer, x, 30)
    await peer.send(m.Clear(seq=peer.seq()))
    await peer.until_pong()
    return Seen((first.masks, made.masks, refined.masks, last.masks))


@dataclass
class Watch:
    """What each process takes, minute by minute.

    Attributes:
        pid: of the server, which has started the others.
        rows: one for each minute.
    """

    pid: int
    rows: list[Counter[str]] = field(default_factory=list)

    def look(self) -> None:
        """Take down what each takes now; workers are younger than two minutes and grow up, so that they don't count."""
        taken = anonymous_bytes(self.pid)
        self.rows.append(Counter({name: taken[name] for name in taken if not name.startswith("ray::ModelWorker")}))
        shown = ", ".join(f"{name} {nbytes / 2**20:.1f}" for name, nbytes in sorted(taken.items()))
        show(f"minute {len(self.rows)}: MiB {shown}")

    def slopes(self) -> dict[str, float]:
        """Return by how many bytes each grows in ten minutes, once caches are full."""
        steady = self.rows[round(WARM * len(self.rows)) :]
        assert len(steady) > 1, "a soak of two minutes or more tells whether anything grows"
        names = sorted(steady[-1])
        return {name: 10 * linear_regression(range(len(steady)), [row[name] for row in steady]).slope for name in names}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_worker_killed_every_minute_leaves_memory_flat_and_nothing_behind(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(server, PICTURE) as alone:
        wanted = [await walked(alone, number) for number in range(STEPS)]
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir="/tmp"))  # Ray's sockets have long names
    monkeypatch.setenv("TMPDIR", str(folder))
    estate = Estate(folder)
    program = Program(free_port(), "--offline", "--workers", "2", module="tests.helpers.fleet_program")
    watch, walks = Watch(program.process.pid), 0
    try:
        await asyncio.to_thread(program.wait_until_ready)
        image_id = await post_picture_to(program.url, PICTURE)
        ws_url = f"{program.url.replace('http', 'ws', 1)}/ws"
        began = time.monotonic()
        async with session_at(ws_url, image_id) as one, session_at(ws_url, image_id) as two:
            for minute in range(round(MINUTES)):
                await until(lambda: len(workers_of(watch.pid)) == 2)
                os.kill(workers_of(watch.pid)[minute % 2].pid, signal.SIGKILL)
                while time.monotonic() < began + 60 * (minute + 1):
                    both = await asyncio.gather(*(walked(peer, walks) for peer in (one, two)))
                    assert both == [wanted[walks % STEPS]] * 2
                    walks += 1
                    await asyncio.sleep(PAUSE_S)
                watch.look()
        estate.take_down(watch.pid)
        assert await asyncio.to_thread(program.stop) == 0
    finally:
        program.kill()
        show(program.said[-SAID:])
    show(f"{walks} walks of two sessions; left behind: {estate.left()}")
    assert estate.left() == []
    slopes = watch.slopes()
    show(f"MiB in ten minutes: { ({name: round(slope / 2**20, 2) for name, slope in slopes.items()}) }")
    assert {name: slope for name, slope in slopes.items() if slope > SLOPE_BYTES} == {}
    shutil.rmtree(folder)
