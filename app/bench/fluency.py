"""How smoothly a large picture with many objects is panned, zoomed and pointed at, in a browser that draws in software.

Every frame of a pan and of a zoom is asked for in the page itself, one event a frame, and what is told is the time from
frame to frame; beside it the longest task, which is how long a key would have waited, and the time from the pointer's
event to the painted mask on bare ground. The same picture is measured without an object and then with more and more.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageDraw

from app.bench.browser import WAIT_MS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

SIZE: Final = (4000, 3000)
ACROSS: Final = 10
DOWN: Final = 5
OBJECTS: Final = (0, 5, 20, 50)
CORNERS: Final = 90
"""Of a shape's rim, which is as uneven as those of things on photographs."""
FRAMES: Final = 90
HOVERS: Final = 40
REST_MS: Final = 1500
"""A picture that was opened is at rest by then: its smaller versions are made, its masks are drawn."""
CLOSER: Final = 8
"""Events of the wheel before a pan: not so close that a part of the picture is looked at by itself."""

VIEW: Final = """async ([frames, closer, stays]) => {
  const canvas = document.getElementById("canvas");
  const rect = canvas.getBoundingClientRect();
  const middle = { clientX: rect.left + rect.width / 2, clientY: rect.top + rect.height / 2 };
  const frame = () => new Promise(requestAnimationFrame);
  const tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
  const send = (type, more) => canvas.dispatchEvent(new (type === "wheel" ? WheelEvent : PointerEvent)(type,
    { bubbles: true, cancelable: true, pointerId: 1, pointerType: "mouse", isPrimary: true, ...middle, ...more }));
  const measured = async (step) => {
    const times = [];
    for (let i = 0, before = await frame(); i < frames; i += 1) {
      step(i);
      const now = await frame();
      times.push(now - before);
      before = now;
    }
    return times;
  };
  const zoom = (i) => send("wheel", { deltaY: i % 30 < 15 ? -50 : 50 });
  const rest = () => new Promise((resolve) => setTimeout(resolve, 600));
  for (let i = 0; i < closer; i += 1) { send("wheel", { deltaY: -50 }); await frame(); }
  await rest();
  send("pointerdown", { button: 1 });
  const pan = await measured((i) => send("pointermove", {
    clientX: middle.clientX + 200 * Math.sin(i / 9), clientY: middle.clientY + 120 * Math.sin(i / 5) }));
  send("pointerup", { button: 1 });
  send("pointerleave", {});
  await rest();
  if (!stays) document.getElementById("fit").click();
  const zoomed = await measured(zoom);
  if (!stays) document.getElementById("fit").click();
  await rest();
  return { pan, zoom: zoomed, tasks };
}"""
"""Comes closer, pans and zooms, an event a frame, and rests; `stays` has it zoom there and not from all of the picture.

Returns the times between frames and those of long tasks, ms.
"""

HOVER: Final = """async ([count, places]) => {
  const canvas = document.getElementById("canvas");
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  const seq = () => hoversam.state().preview?.seq;
  for (let i = 0; i < count; i += 1) {
    const { x, y } = hoversam.toScreen(...places[i % places.length]);
    const before = seq();
    const began = performance.now();
    const event = { bubbles: true, clientX: x, clientY: y, pointerId: 1, pointerType: "mouse", isPrimary: true };
    canvas.dispatchEvent(new PointerEvent("pointermove", event));
    while ((seq() === undefined || seq() === before) && performance.now() - began < 2000) await frame();
    await frame();
    if (performance.now() - began < 2000) times.push(performance.now() - began);
  }
  canvas.dispatchEvent(new PointerEvent("pointerleave", { pointerId: 1, pointerType: "mouse" }));
  return times;
}"""
"""Hovers at places between the shapes, one after the other; returns the times to the painted masks, ms."""


def measure_fluency(
    browser: Browser, url: str, counts: tuple[int, ...] = OBJECTS, frames: int = FRAMES, hovers: int = HOVERS
) -> list[dict[str, float]]:
    """Return the figures of one page of a running server, with each number of objects.

    Returns:
        For each: `objects`; `pan_p50_ms`, `pan_p95_ms`, `zoom_p50_ms`, `zoom_p95_ms` of the time between two frames;
        `longest_ms`, of any task while it moved and after it came to rest, 0 where none took 50; `hover_p50_ms`;
        `open_longest_ms`, of any task while the picture was opened after another one.
    """
    with shown(browser, url) as page:
        return list(rows(page, counts, frames, hovers))


@contextlib.contextmanager
def shown(browser: Browser, url: str, before: str = "") -> Iterator[Page]:
    """Give a page that shows the picture, after a script that runs before the page's own."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    try:
        if before:
            page.add_init_script(before)
        page.goto(url)
        page.wait_for_function("() => globalThis.hoversam?.state().connection === 'ready'")
        page.locator("#file").set_input_files([shapes(), other()])
        page.wait_for_function(
            "() => { const s = hoversam.state(); return s.image?.name === 'shapes.jpg' && !s.pending; }",
            timeout=WAIT_MS,
        )
        yield page
    finally:
        page.context.close()


def rows(page: Page, counts: tuple[int, ...], frames: int, hovers: int) -> Iterator[dict[str, float]]:
    """Yield the figures with more and more objects."""
    places = list(centres())
    for count in counts:
        present: int = page.evaluate("() => hoversam.state().objects.length")
        for place in places[present:count]:
            click(page, place)
        page.keyboard.press("Escape")
        page.wait_for_timeout(500)
        moved = page.evaluate(f"args => ({VIEW})(args)", [frames, CLOSER, False])
        hovered = page.evaluate(f"args => ({HOVER})(args)", [hovers, list(gaps())])
        yield figures(count, moved, hovered, reopened(page, count))


def reopened(page: Page, count: int) -> list[float]:
    """Go to the other picture and come back; return the times of long tasks on the way back and until it rests, ms."""
    wait = "([name, count]) => { const s = hoversam.state(); return s.image?.name === name && !s.restoring"
    wait += " && !s.pending && s.objects.length === count; }"
    page.keyboard.press(".")
    page.wait_for_function(wait, arg=["tone.png", 0], timeout=WAIT_MS)
    page.wait_for_timeout(REST_MS)
    page.evaluate("""() => {
      globalThis.longTasks = [];
      new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask" });
    }""")
    page.keyboard.press(",")
    page.wait_for_function(wait, arg=["shapes.jpg", count], timeout=WAIT_MS)
    page.wait_for_timeout(REST_MS)
    tasks: list[float] = page.evaluate("() => longTasks")
    return tasks


def figures(count: int, moved: dict[str, list[float]], hovers: list[float], opened: list[float]) -> dict[str, float]:
    """Return the figures of what the page has measured."""
    return {
        "objects": count,
        "pan_p50_ms": median(moved["pan"]),
        "pan_p95_ms": float(np.percentile(moved["pan"], 95)),
        "zoom_p50_ms": median(moved["zoom"]),
        "zoom_p95_ms": float(np.percentile(moved["zoom"], 95)),
        "longest_ms": max(moved["tasks"], default=0.0),
        "hover_p50_ms": median(hovers) if hovers else math.nan,
        "open_longest_ms": max(opened, default=0.0),
    }


def click(page: Page, place: tuple[float, float]) -> None:
    """Make an object at a place of the picture, whatever lies there."""
    before: int = page.evaluate("() => hoversam.state().objects.length")
    at = page.evaluate("([x, y]) => hoversam.toScreen(x, y)", list(place))
    page.keyboard.press("t")
    page.mouse.click(at["x"], at["y"])
    page.wait_for_function("before => hoversam.state().objects.length > before", arg=before, timeout=WAIT_MS)


def shapes() -> FilePayload:
    """Return a picture of 12 megapixels with a shape of its own colour in each of its cells."""
    random = np.random.default_rng(0)
    image = Image.new("RGB", SIZE, (96, 108, 116))
    draw = ImageDraw.Draw(image)
    for x, y in centres():
        turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
        rim = 1 + 0.2 * np.sin(random.integers(2, 6) * turns + random.random() * 6) + random.normal(0, 0.04, CORNERS)
        far = 0.32 * SIZE[0] / ACROSS * rim
        color = tuple(int(part) for part in random.integers(30, 255, 3))
        draw.polygon([(x + r * math.cos(a), y + r * math.sin(a)) for a, r in zip(turns, far, strict=True)], fill=color)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return {"name": "shapes.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def other() -> FilePayload:
    """Return a small picture of one tone."""
    file = io.BytesIO()
    Image.new("RGB", (400, 300), (120, 132, 140)).save(file, "PNG")
    return {"name": "tone.png", "mimeType": "image/png", "buffer": file.getvalue()}


def centres() -> Iterator[tuple[float, float]]:
    """Yield the middle of each cell, row by row."""
    for row in range(DOWN):
        for column in range(ACROSS):
            yield (column + 0.5) * SIZE[0] / ACROSS, (row + 0.5) * SIZE[1] / DOWN


def gaps() -> Iterator[tuple[float, float]]:
    """Yield where four cells meet."""
    for row in range(1, DOWN):
        for column in range(1, ACROSS):
            yield column * SIZE[0] / ACROSS, row * SIZE[1] / DOWN


def fluency_table(measured: list[dict[str, Any]]) -> str:
    """Return the figures of `measure_fluency` as a Markdown table."""
    lines = [
        "| objects | pan p50 ms | p95 | zoom p50 ms | p95 | longest task ms | hover to mask p50 ms "
        "| longest task of opening ms |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in measured:
        lines.append("| " + " | ".join(f"{value:.0f}" for value in row.values()) + " |")
    return "\n".join(lines)
