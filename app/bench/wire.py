"""What masks weigh on the wire, on photos, and how fast they become run lengths.

Clicks fall anywhere on the photos, also where nothing is to be had, which gives the largest masks. Sizes don't depend
on the machine, but for a rounding of its arithmetic.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from app.arrays import MaskArray
from app.bench.hover import spot
from app.cli.figures import percentile
from app.client import ClientSession, Object, Preview, connect
from app.protocol.run_lengths import encode_mask

CLICKS: Final = 100
SEED: Final = 0
FULL_HD_HW: Final = (1080, 1920)
TIMED: Final = 20


@dataclass
class WireSizes:
    """Bytes of whole replies, frame by frame, and how they compare with a byte per pixel.

    Attributes:
        preview: of a hover over nothing yet: three candidates.
        refining: of a hover that would refine an object: one mask.
        click: of a click that begins an object: three candidates, one of them at the photo's size.
        correction: of a click that refines it: one mask at the photo's size.
        saved: by how much each of these replies is smaller than a byte per pixel of the photo for each mask, 0 to 1.
        speedup: how many times faster than a loop over pixels a mask of 1080p becomes a message's mask.
    """

    preview: list[int] = field(default_factory=list)
    refining: list[int] = field(default_factory=list)
    click: list[int] = field(default_factory=list)
    correction: list[int] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    speedup: float = 0.0

    def note(self, sizes: list[int], reply: Preview | Object) -> None:
        """Take a reply into the figures."""
        sizes.append(reply.nbytes)
        self.saved.append(1 - reply.nbytes / (len(reply.masks) * reply.size_hw[0] * reply.size_hw[1]))

    def table(self) -> str:
        """Return the figures as a Markdown table."""
        rows = [
            ("preview, one mask", self.refining),
            ("preview, three candidates", self.preview),
            ("click, three candidates", self.click),
            ("click that refines, one mask", self.correction),
        ]
        lines = ["| bytes of a reply | p50 | p95 | replies |", "|---|---|---|---|"]
        lines += [
            f"| {name} | {median(sizes):.0f} | {percentile(sizes, 0.95)} | {len(sizes)} |" for name, sizes in rows
        ]
        saved = f"smaller than a byte per pixel: {median(self.saved):.2%}"
        return "\n".join([*lines, saved, f"run lengths at 1080p / a loop over pixels: {self.speedup:.0f} times faster"])

    def as_json(self) -> dict[str, object]:
        """Return the figures for a file."""
        return {
            "preview_bytes": median(self.preview),
            "refining_preview_bytes": median(self.refining),
            "click_bytes": median(self.click),
            "refining_click_bytes": median(self.correction),
            "saved": median(self.saved),
            "run_lengths_speedup": self.speedup,
        }


async def measure_wire(url: str, photos: Sequence[Path], clicks: int = CLICKS) -> WireSizes:
    """Return what hovers and clicks weigh that fall anywhere on photos, which take turns."""
    rng, sizes = np.random.default_rng(SEED), WireSizes(speedup=run_lengths_speedup())
    for number, photo in enumerate(photos):
        async with connect(url) as session:
            await session.open(photo)
            for _ in range(number, clicks, len(photos)):
                await measure_one(session, rng, sizes)
    return sizes


async def measure_one(session: ClientSession, rng: np.random.Generator, sizes: WireSizes) -> None:
    """Weigh a hover and a click somewhere, then a hover and a click that refine what they made."""
    if session.image is None:
        raise ValueError("expected an open picture")
    x, y = spot(rng, session.image.width, session.image.height)
    if (preview := await session.preview(x, y)) is not None:
        sizes.note(sizes.preview, preview)
    made = await session.click(x, y)
    sizes.note(sizes.click, made)
    x, y = place_in(made, rng)
    if (preview := await session.preview(x, y, object=made.id)) is not None:
        sizes.note(sizes.refining, preview)
    sizes.note(sizes.correction, await session.click(x, y, object=made.id))
    await session.clear()


def place_in(made: Object, rng: np.random.Generator) -> tuple[float, float]:
    """Return a place in an object's box, in pixels of the picture: where a second click is likely to fall."""
    mask = made.masks[made.chosen]
    x0, y0, x1, y1 = mask.box
    sy, sx = made.size_hw[0] / mask.size[0], made.size_hw[1] / mask.size[1]
    return float(rng.uniform(x0, x1)) * sx, float(rng.uniform(y0, y1)) * sy


def run_lengths_speedup() -> float:
    """Return how many times faster a mask of 1080p is coded than by a loop over its pixels, in turns, medians."""
    mask_hw = wavy_disc(FULL_HD_HW)
    ours, loop = [], []
    for _ in range(3):
        ours += [seconds(lambda: encode_mask(mask_hw, score=1.0)) for _ in range(TIMED)]
        loop.append(seconds(lambda: counts_by_loop(mask_hw)))
    return median(loop) / median(ours)


def wavy_disc(size_hw: tuple[int, int]) -> MaskArray:
    """Return a disc with a rim of waves, (H, W) bool, as ragged as an object's outline is."""
    y, x = np.ogrid[: size_hw[0], : size_hw[1]]
    mask_hw: MaskArray = np.hypot(x - 900, y - 500) + 40 * np.sin(x / 30) < 400
    return mask_hw


def counts_by_loop(mask_hw: MaskArray) -> list[int]:
    """Return run lengths as one writes them first: pixel by pixel, beginning with background."""
    counts, value, count = [], False, 0
    for pixel in mask_hw.ravel().tolist():
        if pixel != value:
            counts.append(count)
            value, count = pixel, 0
        count += 1
    return [*counts, count]


def seconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
