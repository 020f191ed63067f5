"""Pointer move to painted mask in a real browser, with one tab and with four, beside the decode time of the same run.

The clock runs in the page: from the pointer event that asks to the frame after the one that draws its mask. The
events are made in the page too, each once the one before is painted, so what is timed is the page, the socket and the
model, without the browser's own way from the mouse to the page.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
TABS: Final = (1, 4)
HOVERS: Final = 60
WARM_UP: Final = 5
WAIT_MS: Final = 180_000
HOVER: Final = """async ([count, warmUp]) => {
  const canvas = document.getElementById("canvas");
  const { width, height } = hoversam.state().image;
  const frame = () => new Promise(requestAnimationFrame);
  const times = [], decodes = [];
  for (let i = 0; i < count + warmUp; i += 1) {
    const before = hoversam.state().preview?.seq;
    const { x, y } = hoversam.toScreen(width * (0.1 + 0.8 * Math.random()), height * (0.1 + 0.8 * Math.random()));
    const began = performance.now();
    const event = { bubbles: true, clientX: x, clientY: y, pointerId: 1, pointerType: "mouse", isPrimary: true };
    canvas.dispatchEvent(new PointerEvent("pointermove", event));
    const seq = () => hoversam.state().preview?.seq;
    while ((seq() === undefined || seq() === before) && performance.now() - began < 5000) await frame();
    await frame();
    if (i < warmUp) continue;
    times.push(performance.now() - began);
    decodes.push(hoversam.latency().find((row) => row.kind === "decode").last);
  }
  globalThis.hoverTimes = [times, decodes];
}"""
"""Hovers here and there, one after the other; leaves their times and the decode times told meanwhile, ms."""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser without a GPU; it is gone at the end.

    Raises:
        RuntimeError: there is no Chromium on PATH; install one.
    """
    from playwright.sync_api import sync_playwright

    program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if program is None:
        raise RuntimeError(f"this benchmark needs one of {', '.join(BROWSERS)} on PATH: install one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def measure_browser(browser: Browser, url: str) -> dict[str, Any]:
    """Return the figures of a running server's page.

    Returns:
        For each number of tabs: `tabs`, `hovers`, `p50_ms` and `p95_ms` from pointer to painted mask, `decode_ms`, the
        server's own median of one decode in the same run, and `ratio`, the first median over the last.
    """
    return {f"tabs_{tabs}": figures(browser, url, tabs) for tabs in TABS}


def figures(browser: Browser, url: str, tabs: int, hovers: int = HOVERS) -> dict[str, float]:
    """Return the figures of so many tabs that hover at the same time, so often each."""
    pages = [opened(browser, url) for _ in range(tabs)]
    try:
        for page in pages:
            page.evaluate(f"args => void ({HOVER})(args)", [hovers, WARM_UP])
        times: list[float] = []
        decodes: list[float] = []
        for page in pages:
            page.wait_for_function("() => globalThis.hoverTimes", timeout=WAIT_MS)
            of_page = page.evaluate("() => globalThis.hoverTimes")
            times, decodes = times + of_page[0], decodes + of_page[1]
        decode_ms = median(decodes) or told_decode_ms(pages[0])  # a run may be over before any was told
    finally:
        for page in pages:
            page.context.close()
    return {
        "tabs": tabs,
        "hovers": len(times),
        "p50_ms": median(times),
        "p95_ms": float(np.percentile(times, 95)),
        "decode_ms": decode_ms,
        "ratio": median(times) / decode_ms if decode_ms else 0.0,
    }


def opened(browser: Browser, url: str, before: str = "") -> Page:
    """Return a page of its own session, its first sample open and ready for hovers.

    Args:
        browser: to open it in.
        url: of the server.
        before: a script that runs before the page's own.
    """
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    if before:
        page.add_init_script(before)
    page.goto(url)
    page.locator("#welcome .sample").first.click()
    page.wait_for_function(
        "() => { const s = globalThis.hoversam?.state(); return s?.image && !s.pending; }", timeout=WAIT_MS
    )
    page.evaluate("() => document.getElementById('times-menu').showPopover()")  # so that it asks for times every second
    return page


def told_decode_ms(page: Page) -> float:
    """Return the running median of a decode, as the server tells it now."""
    count = "hoversam.latency().find(row => row.kind === 'decode').count"
    before = page.evaluate(count)
    page.wait_for_function(f"before => {count} > before", arg=before)
    last: float = page.evaluate("() => hoversam.latency().find(row => row.kind === 'decode').last")
    return last


def table(measured: dict[str, Any]) -> str:
    """Return the figures of `measure_browser` as a Markdown table."""
    lines = [
        "| tabs | pointer to painted mask, p50 ms | p95 ms | decode, p50 ms | ratio | hovers |",
        "|---|---|---|---|---|---|",
    ]
    for row in measured.values():
        cells = (
            f"{row['p50_ms']:.1f} | {row['p95_ms']:.1f} | {row['decode_ms']:.1f} | {row['ratio']:.2f} | {row['hovers']}"
        )
        lines.append(f"| {row['tabs']} | {cells} |")
    return "\n".join(lines)
