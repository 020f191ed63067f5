"""How smoothly a close view of a large picture moves and answers while parts of it are looked at by themselves.

Without windows the page's looks are thrown away before they are sent. With them it sends its own, whenever it rests,
and somebody else looks at other places of the same picture without a pause, so that there is always one to encode. Both
are measured by turns in one run.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from app.bench.fluency import HOVER, SIZE, VIEW, shapes, shown
from app.client.blocking import connect_blocking

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROUNDS: Final = 3
FRAMES: Final = 60
HOVERS: Final = 30
CLOSER: Final = 20
"""Events of the wheel: about a pixel of the screen for one of the picture."""
SEEN_PX: Final = 300.0
"""Side of what the other one looks at."""
AROUND_PX: Final = 150
"""How far from the middle of the picture it is hovered."""
WITHOUT_LOOKS: Final = """{
  const { send } = WebSocket.prototype;
  const isLook = (data) => data instanceof Uint8Array && new TextDecoder("latin1").decode(data).includes("\\xa4look");
  WebSocket.prototype.send = function (data) { if (globalThis.looks || !isLook(data)) send.call(this, data); };
}"""
"""Has a page send its looks, msgpack texts of four letters, only while `looks` is true."""


def measure_close_up(
    browser: Browser, url: str, rounds: int = ROUNDS, frames: int = FRAMES, hovers: int = HOVERS
) -> list[dict[str, Any]]:
    """Return the figures of one page of a running server, without windows and with them.

    Returns:
        For each: `windows`; `pan_p50_ms`, `pan_p95_ms`, `zoom_p50_ms`, `zoom_p95_ms` of the time between two frames;
        `hover_p50_ms`, `hover_p95_ms` from pointer to painted mask; `encoded`, the windows that were encoded for the
        other one meanwhile.
    """
    times: dict[bool, dict[str, list[float]]] = {on: {"pan": [], "zoom": [], "hover": []} for on in (False, True)}
    encoded = 0
    with shown(browser, url, WITHOUT_LOOKS) as page:
        for _ in range(rounds):
            for on in (False, True):
                page.evaluate("on => { globalThis.looks = on; }", on)
                with looking(url) if on else contextlib.nullcontext(list[object]()) as looks:
                    moved = page.evaluate(f"args => ({VIEW})(args)", [frames, CLOSER, True])
                    hovered = page.evaluate(f"args => ({HOVER})(args)", [hovers, list(places())])
                    encoded += len(looks)
                for name, values in (("pan", moved["pan"]), ("zoom", moved["zoom"]), ("hover", hovered)):
                    times[on][name] += values
                seen_whole(page)
    return [{"windows": on, **figures(times[on]), "encoded": encoded if on else 0} for on in (False, True)]


def figures(times: dict[str, list[float]]) -> dict[str, float]:
    """Return the middle and the 95th percentile of each kind of times."""
    return {
        f"{name}_{part}_ms": value
        for name, values in times.items()
        for part, value in (("p50", median(values)), ("p95", float(np.percentile(values, 95))))
    }


def seen_whole(page: Page) -> None:
    """Show all of the picture again, answered as a whole."""
    page.locator("#fit").click()
    page.wait_for_function("() => hoversam.state().sharp === null")


@contextlib.contextmanager
def looking(url: str) -> Iterator[list[object]]:
    """Have somebody look at one place of the picture after another; gives the windows that were encoded so far."""
    done, windows = threading.Event(), list[object]()

    def look() -> None:
        rng = np.random.default_rng(0)
        with connect_blocking(url) as session:
            session.open(shapes()["buffer"])
            while not done.is_set():
                x, y = (float(rng.uniform(0, side - SEEN_PX)) for side in SIZE)
                windows.append(session.look((x, y, x + SEEN_PX, y + SEEN_PX)))

    somebody = threading.Thread(target=look)
    somebody.start()
    try:
        yield windows
    finally:
        done.set()
        somebody.join()


def places() -> Iterator[tuple[float, float]]:
    """Yield places around the middle of the picture."""
    for down in (-AROUND_PX, 0, AROUND_PX):
        for across in (-AROUND_PX, 0, AROUND_PX):
            yield SIZE[0] / 2 + across, SIZE[1] / 2 + down


def close_up_table(measured: list[dict[str, Any]]) -> str:
    """Return the figures of `measure_close_up` as a Markdown table."""
    lines = [
        "| close view | pan p50 ms | p95 | zoom p50 ms | p95 | hover to mask p50 ms | p95 | windows encoded beside |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in measured:
        name = "with windows" if row["windows"] else "without windows"
        values = [value for key, value in row.items() if key != "windows"]
        lines.append(f"| {name} | " + " | ".join(f"{value:.0f}" for value in values) + " |")
    return "\n".join(lines)
