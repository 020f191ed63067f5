"""Programs under load, pointers that load them, and a flood: `python -m tests.helpers.load URL IMAGE_ID`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.protocol import messages as m
from tests.helpers.image_files import png
from tests.helpers.observed import Observed, session_at
from tests.helpers.peer import Peer, post_picture_to
from tests.helpers.preloaded import ROOT
from tests.helpers.program import Program, free_port

SOAKS = bool(os.environ.get("HOVERSAM_SOAK"))
HZ = 60
FLOOD_PER_S = 1000
DECODE_S = "0.02"
MANY = "400"
"""Sessions that may come."""
SIZE_HW = (48, 64)


@asynccontextmanager
async def loaded(
    *options: str, module: str = "tests.helpers.slow_program", picture: bytes | None = None, **limits: float
) -> AsyncIterator[Observed]:
    """Give a program with the usual patience and room for many.

    Args:
        options: of the command line.
        module: what to run; without one, the program around an engine whose decodes take `DECODE_S`.
        picture: what its sessions show.
        limits: of the test's own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOVERSAM_MAX_SESSIONS", MANY)
        patch.setenv("FAULT_DECODE_S", DECODE_S)
        program = Program(free_port(), *options, module=module, limits=limits, forked=True)
    try:
        await asyncio.to_thread(program.wait_until_ready)
        yield Observed(program, await post_picture_to(program.url, picture or png(*SIZE_HW[::-1])))
    finally:
        program.kill()


class Pointer:
    """A client that moves its pointer at a steady rate and clicks now and then; everything is timed.

    Attributes:
        times: seconds that each answered hover took.
        clicks, answers: clicks that were sent and that were answered.
        late: hovers that the server gave up, since the machine was too busy to answer in time.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._sent: dict[int, float] = {}
        self.times: list[float] = []
        self.clicks = self.answers = self.late = 0

    async def run(self, seconds: float, hz: float = HZ) -> None:
        """Go on for some seconds, then until every click is answered; fails where the socket does."""
        reading = asyncio.create_task(self._read())
        sending = asyncio.create_task(self._send(seconds, hz))
        await asyncio.wait([reading, sending], return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, sending):
            task.cancel()
        results = await asyncio.gather(reading, sending, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _send(self, seconds: float, hz: float) -> None:
        loop = asyncio.get_running_loop()
        due, until, number = loop.time(), loop.time() + seconds, 0
        while loop.time() < until:
            number += 1
            seq = self._peer.seq()
            self._sent[seq] = time.perf_counter()
            await self._peer.send(m.Hover(seq=seq, x=number % 60, y=5))
            if number % int(hz) == 0:
                self.clicks += 1
                await self._peer.send(m.Click(seq=self._peer.seq(), x=number % 60, y=9))
                await self._peer.send(m.Clear(seq=self._peer.seq()))
            due += 1 / hz
            await asyncio.sleep(max(0.0, due - loop.time()))
        while self.answers < self.clicks:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def _read(self) -> None:
        while True:
            reply = await self._peer.receive()
            self.answers += isinstance(reply, m.Object)
            if isinstance(reply, m.Error):
                assert self._sent.pop(reply.seq or 0, None), reply
                self.late += 1
            if isinstance(reply, m.Preview):
                self.times.append(time.perf_counter() - self._sent.pop(reply.seq))


async def flood(url: str, image_id: str) -> None:
    """Send far too much, and come back whenever one is thrown out, until cancelled."""
    while True:
        with contextlib.suppress(Exception):
            async with session_at(url, image_id) as peer:
                reading = asyncio.create_task(peer.closed())
                while not reading.done():
                    for _ in range(FLOOD_PER_S // 100):
                        await peer.send(m.Hover(seq=peer.seq(), x=5, y=5))
                    await asyncio.sleep(0.01)


@asynccontextmanager
async def flooder(server: Observed) -> AsyncIterator[None]:
    """Flood from another process: whoever measures shares no loop with it."""
    command = sys.executable, "-m", "tests.helpers.load", server.ws_url, server.image_id
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(flood(*sys.argv[1:]))
