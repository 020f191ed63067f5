"""Our own client over bad links, and with servers that freeze and die: it ends with what a good link would give it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal

import pytest

from app.client import ClientSession, connect
from tests.helpers.chaos import Link, link_to
from tests.helpers.image_files import png
from tests.helpers.observed import Observed
from tests.helpers.program import PATIENT, Phoenix
from tests.helpers.pulse import Pulse
from tests.helpers.thorough import examples
from tests.helpers.tour import told

pytestmark = pytest.mark.anyio
PICTURE = png(160, 120)
CLICKS = [(10.0 + 12 * number, 60.0) for number in range(8)]
LAST = (150.0, 110.0)
KILLS = examples(3, 20)
Told = dict[int, tuple[object, ...]]


async def clicked(session: ClientSession) -> Told:
    """Open a picture and click here and there; return what is seen then."""
    await session.open(PICTURE)
    for x, y in CLICKS:
        await session.click(x, y)
    return told(session.objects)


async def over(link: Link) -> Told:
    async with connect(link.url, reconnect=PATIENT) as session:
        return await clicked(session)


@pytest.fixture(scope="module")
async def undisturbed(victim: Observed) -> Told:
    async with connect(victim.url, reconnect=PATIENT) as session:
        return await clicked(session)


async def test_a_link_that_is_late_and_narrow_gives_the_same_answers(victim: Observed, undisturbed: Told) -> None:
    async with link_to(victim.url) as link:
        link.delay_s, link.bytes_per_s = 0.1, 125_000
        assert await over(link) == undisturbed


async def test_a_link_that_passes_crumbs_gives_the_same_answers(victim: Observed, undisturbed: Told) -> None:
    async with link_to(victim.url) as link:
        link.piece_bytes = 1
        assert await over(link) == undisturbed


@pytest.mark.parametrize("seed", range(3))
async def test_a_link_that_breaks_again_and_again_loses_nothing(victim: Observed, undisturbed: Told, seed: int) -> None:
    """At any byte, be it of the handshake, of a frame's head or in its middle."""
    chance = random.Random(seed)
    async with link_to(victim.url) as link, connect(link.url, reconnect=PATIENT) as session:
        link.cuts = [chance.randrange(1, 3000) for _ in range(8)]
        link.reset_all()
        assert await clicked(session) == undisturbed
        assert session.losses > 1
        assert link.lost > 1


async def test_a_link_that_was_deaf_and_is_reset_is_taken_up_within_five_seconds(
    victim: Observed, undisturbed: Told
) -> None:
    async with link_to(victim.url) as link, connect(link.url, reconnect=PATIENT) as session:
        assert await clicked(session) == undisturbed
        lost = session.losses
        link.hears.clear()
        waiting = asyncio.create_task(session.click(5, 5))
        await asyncio.sleep(0.5)
        link.reset_all()
        link.hears.set()
        made = await asyncio.wait_for(waiting, 5)
        assert session.losses > lost
        assert told(session.objects) == {**undisturbed, **told({made.id: made})}


async def test_a_server_that_stood_still_goes_on_with_every_session(victim: Observed, undisturbed: Told) -> None:
    """For longer than it would wait for a pong: its clients have answered meanwhile, and that counts."""
    async with connect(victim.url, reconnect=PATIENT) as session:
        assert await clicked(session) == undisturbed
        pid = victim.program.process.pid
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(2.5)
        os.kill(pid, signal.SIGCONT)
        made = await session.click(5, 5)
        assert told(session.objects) == {**undisturbed, **told({made.id: made})}
    await asyncio.to_thread(victim.program.wait_for, "event_loop_blocked")


async def test_a_client_that_stands_still_is_let_go(victim: Observed) -> None:
    before = await victim.figures()
    pulse = await Pulse.of(victim.ws_url, victim.image_id)
    os.kill(pulse.pid, signal.SIGSTOP)
    try:
        await victim.recovered(before)
    finally:
        os.kill(pulse.pid, signal.SIGKILL)
        with contextlib.suppress(Exception):
            await pulse.stop()


@pytest.mark.parametrize("seed", range(KILLS))
async def test_a_kill_at_any_moment_loses_no_prompt_and_doubles_none(phoenix: Phoenix, seed: int) -> None:
    async with connect(phoenix.url, reconnect=PATIENT) as session:
        opening = asyncio.create_task(clicked(session))
        await asyncio.sleep(0.1 * random.Random(seed).random())
        await asyncio.to_thread(phoenix.restart, signal.SIGKILL)
        await opening
        await session.click(*LAST)
        seen = told(session.objects).values()
        assert session.losses > 0
        assert [points for _, points, *_ in seen] == [((x, y, 1),) for x, y in (*CLICKS, LAST)]


async def test_fifty_clients_of_a_server_that_comes_back_are_all_restored(phoenix: Phoenix) -> None:
    async with contextlib.AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(connect(phoenix.url, reconnect=PATIENT)) for _ in range(50)]
        for session in sessions:
            await session.open(PICTURE)
        before = [told({made.id: made}) for made in await asyncio.gather(*(s.click(20, 30) for s in sessions))]
        await asyncio.to_thread(phoenix.restart, signal.SIGKILL)
        after = await asyncio.wait_for(asyncio.gather(*(s.click(90, 30) for s in sessions)), 60)
        for session, was, made in zip(sessions, before, after, strict=True):
            assert told(session.objects) == {**was, **told({made.id: made})}
        assert "Traceback" not in phoenix.programs[-1].said
