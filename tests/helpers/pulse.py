"""A healthy session in a process of its own, so that nothing but the server can slow it down.

`python -m tests.helpers.pulse WS_URL IMAGE_ID`: a line on standard input begins a round of hovers, the next one ends
it, and then a line of JSON has the seconds that each hover took. The end of the input ends the program.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from statistics import quantiles

from tests.helpers.peer import DEADLINE_S, Peer, dialled_at
from tests.helpers.preloaded import ROOT

MODULE = "tests.helpers.pulse"
FIRST = -15


def goes_first(pid: int) -> None:
    """Let a process that has just begun go before the others of a busy machine, where the system allows it.

    Who attacks from another machine takes none of the server's processor; here everything shares it.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, FIRST)


class Pulse:
    """The program, seen from the tests."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout

    @classmethod
    async def of(cls, ws_url: str, image_id: str) -> Pulse:
        """Return one that shows a picture."""
        pipe = asyncio.subprocess.PIPE
        command = sys.executable, "-m", MODULE, ws_url, image_id
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
        goes_first(process.pid)
        pulse = cls(process)
        await pulse._line()
        return pulse

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def begin(self) -> None:
        """Hover from now on, one after the other."""
        self._stdin.write(b"\n")

    async def end(self) -> list[float]:
        """Hover no more; return the seconds that each took."""
        self._stdin.write(b"\n")
        times: list[float] = json.loads(await self._line())
        return times

    async def stop(self) -> None:
        """End the program."""
        self._stdin.close()
        await asyncio.wait_for(self._process.wait(), DEADLINE_S)

    async def _line(self) -> bytes:
        return await asyncio.wait_for(self._stdout.readline(), DEADLINE_S)


def p95(times: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(times, n=20)[-1]


async def hovers_until(peer: Peer, over: asyncio.Event) -> list[float]:
    times: list[float] = []
    while not over.is_set():
        began = time.perf_counter()
        await peer.hover(len(times) % 60, 5)
        times.append(time.perf_counter() - began)
    return times


async def main(ws_url: str, image_id: str) -> None:
    """Take lines until there is none."""

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    async with dialled_at(ws_url) as peer:
        await peer.hello()
        await peer.open(image_id)
        await peer.hover(1, 1)
        say("ready")
        while await asyncio.to_thread(sys.stdin.readline):
            over = asyncio.Event()
            hovering = asyncio.create_task(hovers_until(peer, over))
            await asyncio.to_thread(sys.stdin.readline)
            over.set()
            say(json.dumps(await hovering))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
