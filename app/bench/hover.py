"""Hovering over a real socket, side by side with the bare decode that each hover needs.

Both are timed in turns in the same run, since timings of a busy machine drift: rounds of bare decodes in this process
while the server rests, and rounds of hovers over the socket while this process rests.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from app.arrays import ImageArray
from app.client.session import ClientSession, connect
from app.engine.contract import Embedding, Engine, Prompt
from app.pictures import PictureLimits, read_picture
from app.settings import Settings

PER_ROUND = 20
WARM_UP = 5
Point = tuple[float, float]


@dataclass
class Timings:
    """Milliseconds of single runs, and bytes of replies."""

    encode_ms: list[float] = field(default_factory=list)
    decode_ms: list[float] = field(default_factory=list)
    hover_ms: list[float] = field(default_factory=list)
    click_ms: list[float] = field(default_factory=list)
    hover_bytes: list[int] = field(default_factory=list)
    click_bytes: list[int] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median hover over median bare decode."""
        return median(self.hover_ms) / median(self.decode_ms)

    def table(self) -> str:
        """Return the figures as a Markdown table."""
        rows = [
            ("encode, bare", self.encode_ms, None),
            ("decode, bare", self.decode_ms, None),
            ("hover, sent to received", self.hover_ms, self.hover_bytes),
            ("click, sent to received", self.click_ms, self.click_bytes),
        ]
        lines = ["| | p50 ms | p95 ms | bytes | runs |", "|---|---|---|---|---|"]
        for name, values, sizes in rows:
            size = f"{median(sizes):.0f}" if sizes else ""
            p95 = float(np.percentile(values, 95))
            lines.append(f"| {name} | {median(values):.1f} | {p95:.1f} | {size} | {len(values)} |")
        return "\n".join([*lines, f"hover p50 / bare decode p50 = {self.ratio:.2f}"])

    def as_json(self) -> dict[str, object]:
        """Return the figures for a file."""
        return {
            "encode_p50_ms": median(self.encode_ms),
            "decode_p50_ms": median(self.decode_ms),
            "hover_p50_ms": median(self.hover_ms),
            "hover_p95_ms": float(np.percentile(self.hover_ms, 95)),
            "click_p50_ms": median(self.click_ms),
            "hover_over_decode": self.ratio,
            "hover_bytes": median(self.hover_bytes),
            "click_bytes": median(self.click_bytes),
        }


async def measure(url: str, engine: Engine, data: bytes, rounds: int) -> Timings:
    """Return timings of a picture (a file's bytes) on a running server and in this process, taken in turns."""
    settings = Settings()
    limits = PictureLimits.of(settings)
    picture = read_picture(data, limits)
    rng, timings = np.random.default_rng(0), Timings()
    async with connect(url) as session:
        await session.open(data)
        embedding = await asyncio.to_thread(engine.encode, picture.working)
        for number in range(rounds + 1):
            sink = timings if number else Timings()  # the first round warms both sides up
            points = [spot(rng, picture.width, picture.height) for _ in range(PER_ROUND if number else WARM_UP)]
            await asyncio.to_thread(bare, engine, picture.working, embedding, points, sink)  # the socket stays alive
            await over_socket(session, points, sink)
    return timings


def spot(rng: np.random.Generator, width: int, height: int) -> Point:
    """Return a place on the picture."""
    return float(rng.uniform(0, width)), float(rng.uniform(0, height))


def bare(engine: Engine, image: ImageArray, embedding: Embedding, points: list[Point], timings: Timings) -> None:
    """Time one encode and a decode of each point, nothing else around them."""
    began = time.perf_counter()
    engine.encode(image)
    timings.encode_ms.append(1000 * (time.perf_counter() - began))
    for point in points:
        began = time.perf_counter()
        engine.decode(embedding, [Prompt((point,), (1,))])
        timings.decode_ms.append(1000 * (time.perf_counter() - began))


async def over_socket(session: ClientSession, points: list[Point], timings: Timings) -> None:
    """Time a hover at each point and one click."""
    for x, y in points:
        began = time.perf_counter()
        preview = await session.preview(x, y)
        timings.hover_ms.append(1000 * (time.perf_counter() - began))
        if preview is not None:
            timings.hover_bytes.append(preview.nbytes)
    began = time.perf_counter()
    made = await session.click(*points[0])
    timings.click_ms.append(1000 * (time.perf_counter() - began))
    timings.click_bytes.append(made.nbytes)
    await session.clear()
