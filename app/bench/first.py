"""From a picture's upload to the first mask under the pointer, with and without the model that answers first.

Three ways to open a new picture each time, in turns: waiting for the model; with nano first and nobody hovering; and
with nano first and somebody hovering without pause until the model has taken its place.
"""

from __future__ import annotations

import asyncio
import io
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from PIL import Image as PillowImage

from app.client.session import ClientSession, connect

HOVER_PAUSE_S: Final = 1 / 30
LOOK_PAUSE_S: Final = 0.02
MODES: Final = ("waiting for the model", "nano first, nobody hovers", "nano first, somebody hovers")


@dataclass
class Opened:
    """Milliseconds from the beginning of each upload.

    Attributes:
        hover_ms: to the first preview.
        model_ms: until the session's own model answers.
    """

    hover_ms: list[float] = field(default_factory=list)
    model_ms: list[float] = field(default_factory=list)


Figures = dict[str, Opened]


async def measure_first(url: str, picture: Path, rounds: int) -> Figures:
    """Return how long each way takes; the first round warms up and doesn't count."""
    figures = {mode: Opened() for mode in MODES}
    number = 0
    for turn in range(rounds + 1):
        for mode in MODES:
            number += 1
            found = figures[mode] if turn else Opened()
            data = await asyncio.to_thread(new_picture, picture, number)
            async with connect(url) as session:
                await open_once(session, data, mode, found)
    return figures


async def open_once(session: ClientSession, data: bytes, mode: str, found: Opened) -> None:
    """Open one picture in one way and take its times."""
    began = time.perf_counter()

    def elapsed_ms() -> float:
        return 1000 * (time.perf_counter() - began)

    image = await session.open(data, provisional=mode != MODES[0])
    x, y = image.width / 2, image.height / 2
    if not image.provisional:
        found.model_ms.append(elapsed_ms())
    if mode != MODES[1] and await session.preview(x, y) is not None:
        found.hover_ms.append(elapsed_ms())
    if not image.provisional:
        return
    while session.image is not None and session.image.provisional:
        if mode == MODES[2]:
            await session.preview(x, y)
            await asyncio.sleep(HOVER_PAUSE_S)
        else:
            await asyncio.sleep(LOOK_PAUSE_S)
    found.model_ms.append(elapsed_ms())


def new_picture(picture: Path, number: int) -> bytes:
    """Return a picture as a JPEG that differs a little from every other."""
    with PillowImage.open(picture) as opened:
        image = opened.convert("RGB")
    image.putpixel((0, 0), (number % 256, number // 256 % 256, number // 65536 % 256))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=90, comment=str(number))
    return data.getvalue()


def first_table(figures: Figures) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| from the upload | first hover | the model answers | runs |", "|---|---|---|---|"]
    for mode, found in figures.items():
        hover, own = (f"{median(each):.0f} ms" if each else "" for each in (found.hover_ms, found.model_ms))
        lines.append(f"| {mode} | {hover} | {own} | {len(found.model_ms)} |")
    base, quiet, busy = (median(figures[mode].model_ms) for mode in MODES)
    lines.append(f"the model's wait with nano first / without: {quiet / base:.2f}, hovered {busy / base:.2f}")
    return "\n".join(lines)


def as_json(figures: Figures) -> dict[str, object]:
    """Return the medians for a file."""
    return {
        mode: {
            "first_hover_p50_ms": median(found.hover_ms) if found.hover_ms else None,
            "model_p50_ms": median(found.model_ms),
        }
        for mode, found in figures.items()
    }
