"""One of two servers behind a balancer is killed, ten times, beside hovers and clicks: `./start.sh soak` alone runs it.

That a session goes on at the other is in every run of the tests, in `integration/test_several_servers.py`.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

import pytest

from app.client import ClientSession, Reconnect, connect
from tests.helpers.balancer import balanced
from tests.helpers.image_files import png
from tests.helpers.load import SOAKS
from tests.helpers.observed import show
from tests.helpers.program import Program, free_port

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not SOAKS, reason="takes a minute: ./start.sh soak")]
KILLS, PEOPLE, CLICKS = 10, 4, 3
QUICKLY = Reconnect(give_up_s=60, first_s=0.02, longest_s=0.5)
PAUSE_S = 0.02
"""Between two places of a pointer, as of a mouse at 50 Hz."""


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOVERSAM_SHARED_DIR", str(tmp_path / "shared"))
    return tmp_path / "shared"


def begun(port: int) -> Program:
    program = Program(port, module="tests.helpers.fake_program")
    program.wait_until_ready()
    return program


async def hovered(session: ClientSession) -> None:
    async def path() -> AsyncIterator[tuple[float, float]]:
        for number in itertools.count():
            yield number % 160, number % 120
            await asyncio.sleep(PAUSE_S)

    async for _ in session.hover(path()):
        pass


class Person:
    """Points all the time, and clicks on an object of his own; knows what it must be."""

    def __init__(self, session: ClientSession) -> None:
        self.session, self.clicked = session, [(80.0, 60.0, 1)]

    async def begin(self) -> None:
        """Open a picture, make the object, and point from now on."""
        await self.session.open(png(160, 120))
        await self.session.click(80, 60)
        self._pointing = asyncio.create_task(hovered(self.session))

    async def click(self) -> float:
        """Click a few times at once; return the seconds until all are answered."""
        began, [cup] = time.perf_counter(), self.session.objects
        points = [(float(len(self.clicked) + step), 110.0, 1) for step in range(CLICKS)]
        self.clicked += points
        await asyncio.gather(*(self.session.click(x, y, object=cup) for x, y, _ in points))
        return time.perf_counter() - began

    async def leave(self) -> None:
        """Stop pointing, and undo everything."""
        assert not self._pointing.done(), "a pointer never ends by itself"
        self._pointing.cancel()
        await asyncio.gather(self._pointing, return_exceptions=True)
        [cup] = self.session.objects.values()
        assert list(cup.points) == self.clicked
        for _ in self.clicked:
            await self.session.undo()
        assert (len(self.session.objects), self.session.can_undo) == (0, False)


async def killed_beside(url: str, victim: Program) -> list[float]:
    """Kill a server beside the work of several people; return how long each waited for what he did then."""
    async with AsyncExitStack() as stack:
        people = [Person(await stack.enter_async_context(connect(url, reconnect=QUICKLY))) for _ in range(PEOPLE)]
        for person in people:
            await person.begin()
        await asyncio.gather(*(person.click() for person in people))
        victim.process.kill()
        waits = await asyncio.gather(*(person.click() for person in people))
        assert 0 < sum(person.session.losses for person in people) < 2 * PEOPLE
        await asyncio.gather(*(person.leave() for person in people))
    victim.kill()
    return waits


async def test_who_loses_his_server_goes_on_at_the_other_and_loses_no_prompt(shared: Path) -> None:
    ports = [free_port() for _ in range(2)]
    programs = [await asyncio.to_thread(begun, port) for port in ports]
    waits: list[float] = []
    try:
        async with balanced(*(program.url for program in programs)) as balancer:
            for number in range(KILLS):
                victim = number % 2
                waits += await killed_beside(balancer.url, programs[victim])
                programs[victim] = await asyncio.to_thread(begun, ports[victim])
        show(
            f"{KILLS} front ends killed, {CLICKS} clicks of {PEOPLE} people each: answered after "
            f"{median(waits):.2f} s in the middle, {max(waits):.2f} s at most"
        )
        assert {path.name for path in (shared / "pictures").iterdir() if path.name.endswith(".part")} == set()
        assert [program.said for program in programs if "Traceback" in program.said] == []
    finally:
        for program in programs:
            program.kill()
