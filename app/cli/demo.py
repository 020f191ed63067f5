"""A short tour against a running server: hover across a photo, click where it answers best, draw the mask.

Reports what a person would feel, the time from hover to preview, and what the network carries.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from app.cli.overlay import draw_overlay
from app.cli.shell import add_url, reason_of
from app.client import ClientSession, Object, Preview, connect
from app.errors import HoverError
from app.protocol.messages import Image as Opened

_HOVERS: Final = 40
"""Places on the way across the photo: enough for a median, done in a second or two."""


@dataclass(frozen=True)
class AnsweredHover:
    """One hover that was answered: where, how long it took in milliseconds, and the preview."""

    point_xy: tuple[float, float]
    latency_ms: float
    preview: Preview


@dataclass(frozen=True)
class DemoReport:
    """What the tour saw. Latencies are None where no hover was answered."""

    image: Opened
    hovers: int
    answered: int
    p50_ms: float | None
    p95_ms: float | None
    preview_bytes: int | None
    """Median size of a hover's reply."""
    object_bytes: int
    point_xy: tuple[float, float]
    score: float
    area: int
    out: Path

    def table(self) -> str:
        """Return the report as lines of text."""
        share = self.area / max(1, self.image.width * self.image.height)
        kept = "cached" if self.image.cached else "new"
        rows = [
            ("picture", f"{self.image.width} x {self.image.height} px"),
            ("model", f"{self.image.model}, encoded in {self.image.encode_ms:.0f} ms ({kept})"),
            ("hovers", f"{self.answered} of {self.hovers} answered"),
            ("hover p50", _with_unit(self.p50_ms, "ms")),
            ("hover p95", _with_unit(self.p95_ms, "ms")),
            ("hover reply", _with_unit(self.preview_bytes, "bytes")),
            ("click reply", f"{self.object_bytes} bytes"),
            ("click", f"({self.point_xy[0]:.0f}, {self.point_xy[1]:.0f}), score {self.score:.3f}"),
            ("mask", f"{self.area} px, {share:.1%} of the picture"),
            ("overlay", str(self.out)),
        ]
        return "\n".join(f"{name:<12} {value}" for name, value in rows)


async def run_demo(photo: Path, *, url: str, out: Path) -> DemoReport:
    """Hover across the photo, click the best spot, write the overlay as PNG and return what was seen.

    Raises:
        ConnectionRefusedError: no server answers at `url`.
        OSError: the photo can't be read, the overlay not written, or the connection was lost.
        HoverError: the server refuses the photo or a prompt.
        TimeoutError: an answer took too long.
    """
    async with connect(url) as session:
        image = await session.open(photo)
        answered = await _hover_along(session, path_across(image.width, image.height))
        best = max(answered, key=lambda each: each.preview.score, default=None)
        point_xy = best.point_xy if best else (image.width / 2, image.height / 2)
        clicked = await session.click(*point_xy)
    await asyncio.to_thread(_write_overlay, photo, clicked, point_xy, out)
    return report_of(image, answered, clicked, point_xy, out)


def path_across(width: int, height: int, steps: int = _HOVERS) -> list[tuple[float, float]]:
    """Return `steps` points of a gentle wave from the left of the picture to its right."""
    turns = (step / max(1, steps - 1) for step in range(steps))
    return [(width * (0.1 + 0.8 * t), height * (0.5 + 0.3 * math.sin(2 * math.tau * t))) for t in turns]


def report_of(
    image: Opened, answered: list[AnsweredHover], clicked: Object, point_xy: tuple[float, float], out: Path
) -> DemoReport:
    """Return the report of a tour."""
    latencies_ms = [each.latency_ms for each in answered]
    p50_ms, p95_ms = (float(value) for value in np.percentile(latencies_ms, [50, 95])) if answered else (None, None)
    return DemoReport(
        image=image,
        hovers=_HOVERS,
        answered=len(answered),
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        preview_bytes=int(np.median([each.preview.nbytes for each in answered])) if answered else None,
        object_bytes=clicked.nbytes,
        point_xy=point_xy,
        score=clicked.score,
        area=clicked.area,
        out=out,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the demo's arguments to a parser."""
    parser.add_argument("photo", type=Path, help="a picture: JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF")
    add_url(parser)
    parser.add_argument("--out", type=Path, default=Path("overlay.png"), help="where the overlay goes (%(default)s)")


def main(args: argparse.Namespace) -> int:
    """Run the demo and return the exit code: 0 done, 1 stopped by an error, 2 no server."""
    try:
        report = asyncio.run(run_demo(args.photo, url=args.url, out=args.out))
    except ConnectionRefusedError as error:
        sys.stderr.write(f"{error}: start one with ./start.sh, or name another with --url\n")
        return 2
    except (HoverError, OSError, ValueError) as error:
        sys.stderr.write(f"the demo stopped: {reason_of(error)}\n")
        return 1
    sys.stdout.write(report.table() + "\n")
    return 0


async def _hover_along(session: ClientSession, points: list[tuple[float, float]]) -> list[AnsweredHover]:
    answered: list[AnsweredHover] = []
    for x, y in points:
        began = time.perf_counter()
        preview = await session.preview(x, y)
        if preview is not None:
            answered.append(AnsweredHover((x, y), (time.perf_counter() - began) * 1000, preview))
    return answered


def _write_overlay(photo: Path, clicked: Object, point_xy: tuple[float, float], out: Path) -> None:
    with Image.open(photo) as picture:
        upright: NDArray[np.uint8] = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    Image.fromarray(draw_overlay(upright, clicked.mask, point_xy)).save(out, format="PNG")


def _with_unit(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{value:.1f} {unit}" if isinstance(value, float) else f"{value} {unit}"
