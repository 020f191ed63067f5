"""Many sessions at once over real sockets, and one session while another uploads without pause."""

from __future__ import annotations

import asyncio
import io
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image as PillowImage

from app.cli.figures import Spread, with_unit
from app.cli.report import Report
from app.cli.swarm import Plan, swarm
from app.client.session import ClientSession, connect

CROWDS: Final = (1, 4, 16)
RATE_HZ: Final = 30.0


@dataclass(frozen=True)
class Uploads:
    """Hovers of one session, alone and while another session's pictures are encoded.

    Attributes:
        quiet, busy: how long they took.
        encodes: pictures that were encoded meanwhile.
    """

    quiet: Spread
    busy: Spread
    encodes: int

    @property
    def ratio(self) -> float:
        """How many times its quiet value the p95 is."""
        return (self.busy.p95_ms or 0.0) / (self.quiet.p95_ms or 1.0)


async def crowds(url: str, pictures: list[Path], duration_s: float) -> list[Report]:
    """Return what 1, 4 and 16 sessions saw that hover 30 times a second and click now and then."""
    return [
        await swarm(url, Plan(tuple(pictures), sessions=count, rate_hz=RATE_HZ, duration_s=duration_s))
        for count in CROWDS
    ]


def crowd_table(reports: list[Report]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| sessions at 30 Hz | hover p50 ms | p95 ms | click p50 ms | p95 ms | replies/s | slowest / fastest | bytes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in reports:
        fairness = each.replies_per_s_least / each.replies_per_s_most if each.replies_per_s_most else 0.0
        hover, click = each.hover, each.click
        figures = [hover.p50_ms, hover.p95_ms, click.p50_ms, click.p95_ms]
        shown = " | ".join("-" if value is None else f"{value:.1f}" for value in figures)
        rest = f"{each.replies_per_s:.0f} | {fairness:.2f} | {each.bytes_per_reply:.0f}"
        lines.append(f"| {each.sessions} | {shown} | {rest} |")
        lines += [f"errors: {each.errors}"] if each.errors else []
    return "\n".join(lines)


async def hover_beside_uploads(url: str, picture: Path, duration_s: float) -> Uploads:
    """Return how a session's hovers fare while another session opens new pictures one after the other."""
    plan = Plan((picture,), sessions=1, rate_hz=RATE_HZ, duration_s=duration_s, click_every_s=1e9)
    quiet = await swarm(url, plan)
    async with connect(url) as uploader:
        encodes = asyncio.create_task(upload_without_pause(uploader, picture))
        try:
            busy = await swarm(url, plan)
        finally:
            encodes.cancel()
            (count,) = await asyncio.gather(encodes, return_exceptions=True)
    return Uploads(quiet.hover, busy.hover, count if isinstance(count, int) else 0)


async def upload_without_pause(session: ClientSession, picture: Path) -> int:
    """Open ever new pictures until cancelled; return how many were encoded."""
    with PillowImage.open(picture) as opened:
        image = opened.convert("RGB")
    for number in itertools.count():
        image.putpixel((0, 0), (number % 256, number // 256 % 256, 7))
        data = io.BytesIO()
        image.save(data, "PNG", compress_level=1)
        try:
            await session.open(data.getvalue())
        except asyncio.CancelledError:
            return number
    raise AssertionError("count never ends")


def uploads_table(found: Uploads) -> str:
    """Return the figures as a Markdown table."""
    rows = [("alone", found.quiet), (f"beside {found.encodes} encodes of another", found.busy)]
    lines = ["| hover of one session | p50 | p95 |", "|---|---|---|"]
    lines += [f"| {name} | {with_unit(spread.p50_ms)} | {with_unit(spread.p95_ms)} |" for name, spread in rows]
    return "\n".join([*lines, f"p95 beside uploads / alone = {found.ratio:.2f}"])
