"""What a search for the things of pictures costs: who waits for it, and how many bytes its answer has.

How much is found is judged by `python -m app nano regions`.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image as PillowImage

from app.client.cookies import Cookies
from app.client.errors import error_of
from app.client.link import open_link
from app.client.patience import Timeouts
from app.client.session import ClientSession, connect
from app.protocol.messages import Error, FindRegions, Image, Open, Regions, ServerMessage

SEED: Final = 99
HOVERS: Final = 60
PAUSES_S: Final = (0.12, 0.3)
"""Between two hovers: longer than a search waits before it takes a pause for quiet, so that it is at work."""
SEARCHES: Final = 8
"""Sessions whose pictures are searched meanwhile, some seconds each."""


@dataclass(frozen=True)
class Beside:
    """Hovers of a pointer that pauses, alone and beside searches for regions.

    Attributes:
        quiet_ms: each hover's time alone.
        beside_ms: each hover's time beside the searches.
        decode_ms: the server's median of a decode.
        answer_bytes: what the last answer about each sample took on the wire.
    """

    quiet_ms: list[float]
    beside_ms: list[float]
    decode_ms: float
    answer_bytes: list[int]

    def table(self) -> str:
        """Return the figures as a Markdown table."""
        rows = [("alone", self.quiet_ms), (f"beside {SEARCHES} searches", self.beside_ms)]
        lines = ["| hover of a pointer that pauses | p50 ms | p95 ms |", "|---|---|---|"]
        for name, values in rows:
            p50, p95 = np.percentile(values, (50, 95))
            lines.append(f"| {name} | {p50:.1f} | {p95:.1f} |")
        more = float(np.percentile(self.beside_ms, 95) - np.percentile(self.quiet_ms, 95))
        lines.append(f"p95 beside searches is {more:+.1f} ms; one decode takes {self.decode_ms:.1f} ms")
        return "\n".join([*lines, f"regions of a photo: {min(self.answer_bytes)} to {max(self.answer_bytes)} bytes"])


async def hover_beside_searches(url: str, pictures: Sequence[Path]) -> Beside:
    """Return how a session's hovers fare while others' pictures are searched."""
    sizes = [await answer_bytes(url, picture) for picture in pictures]
    async with AsyncExitStack() as stack:
        session, *others = [await stack.enter_async_context(connect(url)) for _ in range(SEARCHES + 1)]
        await session.open(pictures[0])
        for number, other in enumerate(others):
            await other.open(another(pictures[0], number))
        await paused_hovers(session, HOVERS // 4)  # warms both sides up
        quiet = await paused_hovers(session, HOVERS)
        searches = [asyncio.create_task(other.regions()) for other in others]
        try:
            beside = await paused_hovers(session, HOVERS)
            latency = await session.ping()
        finally:
            for each in searches:
                each.cancel()
            await asyncio.gather(*searches, return_exceptions=True)
    return Beside(quiet, beside, latency.decode_ms, sizes)


async def answer_bytes(url: str, picture: Path) -> int:
    """Return how many bytes the frame of the last answer about a picture's regions has, as it came.

    Raises:
        HoverError: the picture can't be opened or searched.
    """
    came: asyncio.Queue[tuple[ServerMessage, int]] = asyncio.Queue()
    timeouts = Timeouts()
    link = await open_link(url, timeouts, lambda *frame: came.put_nowait(frame), cookies=Cookies())
    try:
        await link.send(Open(seq=1, data=await asyncio.to_thread(picture.read_bytes)))
        while True:
            message, nbytes = await asyncio.wait_for(came.get(), timeouts.open_s)
            if isinstance(message, Image):
                await link.send(FindRegions(seq=2))
            if isinstance(message, Error):
                raise error_of(message)
            if isinstance(message, Regions) and message.last:
                return nbytes
    finally:
        await link.close()


def another(picture: Path, number: int) -> bytes:
    """Return a picture that nobody has searched yet."""
    with PillowImage.open(picture) as opened:
        image = opened.convert("RGB")
    image.putpixel((0, 0), (number, 7, 7))
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=1)
    return data.getvalue()


async def paused_hovers(session: ClientSession, count: int) -> list[float]:
    """Return how long each hover took, in milliseconds."""
    rng, times, image = np.random.default_rng(SEED), [], session.image
    if image is None:
        raise ValueError("expected an open picture; open one before hovering")
    for _ in range(count):
        await asyncio.sleep(rng.uniform(*PAUSES_S))
        began = time.perf_counter()
        await session.preview(rng.uniform(0, image.width), rng.uniform(0, image.height))
        times.append(1000 * (time.perf_counter() - began))
    return times
