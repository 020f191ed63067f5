"""Pointer move to outline over things that the server found before, on a link that is slow in both ways.

The page's socket is held back in the page itself: each message waits, on its way out and on its way in. The clock runs
from the pointer's event to the frame after the one that draws, as in `app.bench.browser`.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from app.bench.browser import WAIT_MS, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LINK_MS: Final = 300
"""Each way."""
MOVES: Final = 60
LEAST_REGIONS: Final = 4
SLOW_SOCKET: Final = f"""{{
  const Fast = globalThis.WebSocket;
  globalThis.WebSocket = class extends Fast {{
    send(data) {{ setTimeout(() => {{ if (this.readyState === Fast.OPEN) super.send(data); }}, {LINK_MS}); }}
    addEventListener(type, listener, options) {{
      const late = (event) => setTimeout(() => listener(event), {LINK_MS});
      super.addEventListener(type, type === "message" ? late : listener, options);
    }}
  }};
}}"""
MEASURE: Final = """async ([count]) => {
  const canvas = document.getElementById("canvas");
  const frame = () => new Promise(requestAnimationFrame);
  const state = () => hoversam.state();
  const send = (type, place) => canvas.dispatchEvent(new PointerEvent(type, { bubbles: true, clientX: place.x,
    clientY: place.y, pointerId: 1, pointerType: "mouse", isPrimary: true }));
  const outlines = [], masks = [];
  for (let i = 0; i < count; i += 1) {
    const { regions } = state();
    const { x, y } = regions[i % regions.length];
    send("pointerleave", { x: 0, y: 0 });
    while (state().outlined !== null || state().preview !== null) await frame();
    const began = performance.now();
    const waited = () => performance.now() - began;
    send("pointermove", hoversam.toScreen(x, y));
    while (state().outlined === null && state().preview === null && waited() < 5000) await frame();
    const outlined = state().outlined !== null;
    await frame();
    if (outlined) outlines.push(waited());
    while (state().preview === null && waited() < 5000) await frame();
    await frame();
    masks.push(waited());
  }
  globalThis.outlineTimes = [outlines, masks];
}"""
"""Goes to one thing after the other, each from beside the picture; leaves the times of outlines and of masks, ms."""


def measure_outlines(browser: Browser, url: str, moves: int = MOVES) -> dict[str, float]:
    """Return the figures of a running server's page on a slow link.

    Returns:
        `link_ms`, `moves` and `outlined`, how many of them showed an outline before the mask; `p50_ms` and `p95_ms`
        from pointer to outline, and `mask_p50_ms` from pointer to painted mask.
    """
    page = opened(browser, url, SLOW_SOCKET)
    try:
        page.wait_for_function(f"() => hoversam.state().regions.length >= {LEAST_REGIONS}", timeout=WAIT_MS)
        page.evaluate(f"args => void ({MEASURE})(args)", [moves])
        page.wait_for_function("() => globalThis.outlineTimes", timeout=WAIT_MS)
        outlines, masks = page.evaluate("() => globalThis.outlineTimes")
    finally:
        page.context.close()
    return {
        "link_ms": LINK_MS,
        "moves": moves,
        "outlined": len(outlines),
        "p50_ms": median(outlines),
        "p95_ms": float(np.percentile(outlines, 95)),
        "mask_p50_ms": median(masks),
    }


def outlines_line(found: dict[str, float]) -> str:
    """Return the figures of `measure_outlines` as a line."""
    return (
        f"with the socket {found['link_ms']:.0f} ms slower each way: pointer to outline p50 {found['p50_ms']:.1f} ms, "
        f"p95 {found['p95_ms']:.1f} ms over {found['outlined']:.0f} of {found['moves']:.0f} things; "
        f"pointer to painted mask p50 {found['mask_p50_ms']:.0f} ms"
    )
