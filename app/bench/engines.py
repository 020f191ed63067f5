"""Encode and decode of every engine against sam2's own `SAM2ImagePredictor`, in turns on the same picture."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from app.arrays import ImageArray
from app.bench.subjects import Subject, engine_names
from app.engine.contract import Prompt
from app.masks.upsampling import preview_mask

if TYPE_CHECKING:
    from sam2.sam2_image_predictor import SAM2ImagePredictor

REFERENCE: Final = "SAM2ImagePredictor fp32"
SIZE_HW: Final = (1080, 1920)
DECODES: Final = 10
"""Decodes for each encode."""


@dataclass
class Times:
    """Milliseconds of one engine.

    Attributes:
        encode_ms: a picture.
        decode_ms: a click with three candidates; of the reference, masks at the size of the picture.
        preview_ms: the same, and the three candidates as run lengths on the logit grid.
    """

    encode_ms: list[float] = field(default_factory=list)
    decode_ms: list[float] = field(default_factory=list)
    preview_ms: list[float] = field(default_factory=list)


def compare(subject: Subject, rounds: int) -> dict[str, Times]:
    """Return the times of the reference and of every engine; the first round warms up and doesn't count."""
    image = picture()
    rng = np.random.default_rng(0)
    runs = {REFERENCE: reference_run(subject, image)}
    runs |= {name: engine_run(subject, engine, precision, image) for name, engine, precision in engine_names()}
    times = {name: Times() for name in runs}
    for number in range(rounds + 1):
        points = [(float(rng.uniform(0, SIZE_HW[1])), float(rng.uniform(0, SIZE_HW[0]))) for _ in range(DECODES)]
        for name, run in runs.items():
            run(times[name] if number else Times(), points)
    return times


Run = Callable[[Times, list[tuple[float, float]]], None]


def reference_run(subject: Subject, image: ImageArray) -> Run:
    """Return what times sam2's predictor."""
    predictor = reference(subject)

    def run(times: Times, points: list[tuple[float, float]]) -> None:
        times.encode_ms.append(timed(lambda: predictor.set_image(image)))
        for point in points:
            coords, labels = np.array([point]), np.array([1])
            times.decode_ms.append(
                timed(lambda c=coords, n=labels: predictor.predict(c, n, multimask_output=True))  # type: ignore[misc]
            )

    return run


def engine_run(subject: Subject, engine_name: str, precision: str | None, image: ImageArray) -> Run:
    """Return what times one engine."""
    engine = subject.engine(engine_name, precision)
    embedding = engine.encode(image)

    def preview(prompt: Prompt) -> None:
        [found] = engine.decode(embedding, [prompt])
        for logits, score in zip(found.logits, found.scores, strict=True):
            preview_mask(logits, SIZE_HW, float(score))

    def run(times: Times, points: list[tuple[float, float]]) -> None:
        times.encode_ms.append(timed(lambda: engine.encode(image)))
        prompts = [Prompt((point,), (1,)) for point in points]
        times.decode_ms += [timed(lambda p=prompt: engine.decode(embedding, [p])) for prompt in prompts]  # type: ignore[misc]
        times.preview_ms += [timed(lambda p=prompt: preview(p)) for prompt in prompts]  # type: ignore[misc]

    return run


def reference(subject: Subject) -> SAM2ImagePredictor:
    """Return sam2's predictor on the same weights; its grid is set where the model's input isn't 1024 pixels."""
    from sam2.sam2_image_predictor import SAM2ImagePredictor

    from app.engine.sam2.loader import load_model

    sam = load_model(subject.entry, subject.weights.path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it compiles its transforms in a way that torch has deprecated
        predictor = SAM2ImagePredictor(sam)
    grid = sam.image_size // 4
    predictor._bb_feat_sizes = [(grid // scale, grid // scale) for scale in (1, 2, 4)]
    return predictor


def timed(work: Callable[[], object]) -> float:
    """Return how many milliseconds some work takes."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def picture() -> ImageArray:
    """Return a full HD picture of waves and noise."""
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    waves = [np.sin(x / sx + y / sy) for sx, sy in ((37, 53), (91, 29), (61, 83))]
    noise = np.random.default_rng(0).normal(0, 10, (*SIZE_HW, 3))
    image: ImageArray = np.clip(128 + 90 * np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)
    return image


def table(times: dict[str, Times]) -> str:
    """Return the figures as a Markdown table: medians, and how many times sooner than the reference."""
    base = times[REFERENCE]
    lines = ["| | encode ms | | decode ms | | decode and run lengths ms |", "|---|---|---|---|---|---|"]
    for name, each in times.items():
        encode, decode = median(each.encode_ms), median(each.decode_ms)
        ratios = median(base.encode_ms) / encode, median(base.decode_ms) / decode
        preview = f"{median(each.preview_ms):.1f}" if each.preview_ms else ""
        lines.append(f"| {name} | {encode:.0f} | {ratios[0]:.1f}x | {decode:.1f} | {ratios[1]:.1f}x | {preview} |")
    return "\n".join(lines)


def as_json(times: dict[str, Times]) -> dict[str, object]:
    """Return the medians for a file."""
    base = times[REFERENCE]
    return {
        name: {
            "encode_p50_ms": median(each.encode_ms),
            "decode_p50_ms": median(each.decode_ms),
            "decode_and_run_lengths_p50_ms": median(each.preview_ms) if each.preview_ms else None,
            "encode_ratio": median(base.encode_ms) / median(each.encode_ms),
            "decode_ratio": median(base.decode_ms) / median(each.decode_ms),
        }
        for name, each in times.items()
    }
