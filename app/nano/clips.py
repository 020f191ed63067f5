"""How well a model follows objects through drawn clips: mean IoU by frame, with and without a correction half way.

A person begins with a click and two corrections; half way, one click more where the mask is wrong most.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from app.arrays import Logits, MaskArray
from app.engine.contract import Embedding, Prompt, TrackingEngine
from app.engine.memory_bank import FrameMemory, attended
from app.masks.upsampling import upsampled_mask
from app.nano.judge import PER_SCENE, ROUNDS
from app.nano.moving import MovingScene
from app.nano.prompts import correction, inner_point, iou

MIN_AREA: Final = 1000
"""Pixels that an object shows on the first frame, or it isn't followed."""
MIN_SEEN: Final = 400
"""Pixels that it shows on a frame, or the frame doesn't count."""
RESAMPLES: Final = 2000
INTERVAL: Final = (2.5, 97.5)


class Course:
    """One object through one clip."""

    def __init__(self, engine: TrackingEngine, embeddings: list[Embedding], truth: list[MaskArray]) -> None:
        self._engine, self._embeddings, self._truth = engine, embeddings, truth
        self._remembered: dict[int, FrameMemory] = {}
        self._logits: dict[int, Logits] = {}

    def begin(self) -> None:
        """Click on the object on the first frame, and correct it."""
        self._click(0, None)
        for _ in range(ROUNDS):
            self._click(0, self._logits[0])
        self._keep(0)

    def correct(self, frame: int) -> None:
        """Click once where a frame's mask is wrong most."""
        self._click(frame, self._logits[frame] if (self._logits[frame] > 0).any() else None)
        self._keep(frame)

    def follow(self, start: int) -> None:
        """Follow the object from a frame to the end."""
        for frame in range(start, len(self._truth)):
            bank = attended(self._remembered, frame, frames=len(self._truth))
            tracked = self._engine.track(self._embeddings[frame], bank)
            self._remembered[frame] = FrameMemory(tracked.memory, conditioning=False)
            self._logits[frame] = tracked.logits

    def overlaps(self) -> list[float]:
        """Return the IoU of each frame after the first, not a number where the object can hardly be seen."""
        return [
            iou(self._mask(frame), truth) if truth.sum() >= MIN_SEEN else np.nan
            for frame, truth in enumerate(self._truth)
            if frame
        ]

    def _mask(self, frame: int) -> MaskArray:
        return upsampled_mask(self._logits[frame], self._truth[frame].shape)

    def _keep(self, frame: int) -> None:
        memory = self._engine.remember(self._embeddings[frame], self._mask(frame))
        self._remembered[frame] = FrameMemory(memory, conditioning=True)

    def _click(self, frame: int, before: Logits | None) -> None:
        truth = self._truth[frame]
        if before is None:
            prompt = Prompt((inner_point(truth),), (1,))
        else:
            point, label = correction(None, upsampled_mask(before, truth.shape), truth)
            prompt = Prompt((point,), (label,), mask_logits=before, multimask=False)
        [found] = self._engine.decode(self._embeddings[frame], [prompt])
        self._logits[frame] = found.logits[found.best]


def judge_clips(engine: TrackingEngine, clips: Iterable[MovingScene]) -> tuple[list[list[float]], list[list[float]]]:
    """Return the IoU of each object by frame, without a correction and with one half way."""
    alone, corrected = [], []
    for clip in clips:
        embeddings = [engine.encode(frame) for frame in clip.frames]
        followed = [truth for truth in clip.masks if truth[0].sum() > MIN_AREA][:PER_SCENE]
        for truth in followed:
            course = Course(engine, embeddings, truth)
            course.begin()
            course.follow(1)
            alone.append(course.overlaps())
            middle = len(truth) // 2
            if truth[middle].sum() >= MIN_SEEN:
                course.correct(middle)
                course.follow(middle + 1)
            corrected.append(course.overlaps())
    return alone, corrected


def clips_table(alone: list[list[float]], corrected: list[list[float]], seed: int) -> str:
    """Return mean IoU with intervals of 95 % over objects, as lines of text."""
    first, second = np.array(alone), np.array(corrected)
    half = first.shape[1] // 2
    rows = {
        "all frames": np.nanmean(first, 1),
        "last frame": first[:, -1],
        "all frames, one correction half way": np.nanmean(second, 1),
        "second half": np.nanmean(first[:, half:], 1),
        "second half, one correction": np.nanmean(second[:, half:], 1),
        "gained in the second half": np.nanmean(second[:, half:], 1) - np.nanmean(first[:, half:], 1),
    }
    rng = np.random.default_rng(seed)
    lines = [f"{len(first)} objects, {first.shape[1] + 1} frames"]
    for name, values in rows.items():
        kept = values[np.isfinite(values)]
        means = rng.choice(kept, (RESAMPLES, len(kept))).mean(1)
        low, high = np.percentile(means, INTERVAL)
        lines.append(f"{name:38}{kept.mean():6.3f}  ({low:.3f} to {high:.3f})")
    return "\n".join(lines)
