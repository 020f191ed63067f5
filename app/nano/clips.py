"""How well a model follows objects through drawn clips: mean IoU, with and without a correction half way.

An object begins with its true mask, as clips are judged elsewhere (DAVIS), and with a click and two corrections, as a
person begins; half way comes one click more where the mask is wrong most, and the object is followed again from there.
All of it is as a session does it: the mask that is seen is taken as given and refined by the click, and who follows
knows the frames that were prompted and those that it went through itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.arrays import Logits, MaskArray
from app.engine.contract import Embedding, Prompt, TrackingEngine
from app.engine.memory_bank import FrameMemory, attended
from app.masks.upsampling import upsampled_mask
from app.nano.judge import PER_SCENE, corrected
from app.nano.moving import MovingScene
from app.nano.prompts import correction, inner_point, iou
from app.protocol.counts import counts_of
from app.protocol.recipe import MaskStep, PointStep, Step
from app.service.answers import Replay
from app.session.objects import SessionObject
from app.session.query import Query

MIN_AREA: Final = 1000
"""Pixels that an object shows on the first frame, or it isn't followed."""
MIN_SEEN: Final = 400
"""Pixels that it shows on a frame, or the frame doesn't count."""
RESAMPLES: Final = 2000
INTERVAL: Final = (2.5, 97.5)
Floats = NDArray[np.float64]


class Followed(NamedTuple):
    """How one object was followed, IoU of each frame after the first.

    Attributes:
        alone: without another word.
        corrected: with a click half way.
    """

    alone: list[float]
    corrected: list[float]


class Course:
    """One object through one clip."""

    def __init__(self, engine: TrackingEngine, embeddings: list[Embedding], truth: list[MaskArray]) -> None:
        self._engine, self._embeddings, self._truth = engine, embeddings, truth
        self._prompted: dict[int, FrameMemory] = {}
        self._logits: dict[int, Logits] = {}

    def clicked(self) -> MaskArray:
        """Return the mask of a click on the object on the first frame, corrected."""
        truth, embedding = self._truth[0], self._embeddings[0]
        click = Prompt((inner_point(truth),), (1,))
        [found] = self._engine.decode(embedding, [click])
        *_, mask = corrected(self._engine, embedding, truth, click, found)
        return mask

    def run(self, first: MaskArray) -> Followed:
        """Follow the object from its mask on the first frame to the end, then again from a correction half way."""
        self._keep(0, first)
        self._follow(0)
        alone, middle = self._overlaps(), len(self._truth) // 2
        if self._truth[middle].sum() >= MIN_SEEN:
            self._correct(middle)
            self._follow(middle)
        return Followed(alone, self._overlaps())

    def _follow(self, start: int) -> None:
        """Follow the object from a prompted frame to the end."""
        remembered = dict(self._prompted)
        for frame in range(start + 1, len(self._truth)):
            bank = attended(remembered, frame, frames=len(self._truth))
            tracked = self._engine.track(self._embeddings[frame], bank)
            remembered[frame] = FrameMemory(tracked.memory, conditioning=False)
            self._logits[frame] = tracked.logits

    def _correct(self, frame: int) -> None:
        """Click once where a frame's mask is wrong most."""
        truth = self._truth[frame]
        item = SessionObject(0, "", 0, correcting(self._mask(frame), truth))
        size_hw = truth.shape[0], truth.shape[1]
        found = Replay(Query(0, item), size_hw, self._engine, self._embeddings[frame]).all()
        self._logits[frame] = found.logits[found.best]
        self._keep(frame, self._mask(frame))

    def _overlaps(self) -> list[float]:
        """Return the IoU of each frame after the first, not a number where the object can hardly be seen."""
        return [
            iou(self._mask(frame), truth) if truth.sum() >= MIN_SEEN else np.nan
            for frame, truth in enumerate(self._truth)
            if frame
        ]

    def _mask(self, frame: int) -> MaskArray:
        return upsampled_mask(self._logits[frame], self._truth[frame].shape)

    def _keep(self, frame: int, mask: MaskArray) -> None:
        memory = self._engine.remember(self._embeddings[frame], mask)
        self._prompted[frame] = FrameMemory(memory, conditioning=True)


def correcting(mask: MaskArray, truth: MaskArray) -> tuple[Step, ...]:
    """Return the trail of an object that was followed to a mask and is clicked where that is wrong most."""
    if not mask.any():
        x, y = inner_point(truth)
        return (PointStep(x=x, y=y),)
    (x, y), label = correction(None, mask, truth)
    size_hw = mask.shape[0], mask.shape[1]
    return (MaskStep(size=size_hw, counts=counts_of(mask)), PointStep(x=x, y=y, label=label))


def judge_clips(engine: TrackingEngine, clips: Iterable[MovingScene]) -> dict[str, list[Followed]]:
    """Return how objects were followed, from their true mask on the first frame and from a person's clicks."""
    found: dict[str, list[Followed]] = {"from its mask": [], "from three clicks": []}
    for clip in clips:
        embeddings = [engine.encode(frame) for frame in clip.frames]
        followed = [truth for truth in clip.masks if truth[0].sum() > MIN_AREA][:PER_SCENE]
        for truth in followed:
            firsts = truth[0], Course(engine, embeddings, truth).clicked()
            for starts, first in zip(found.values(), firsts, strict=True):
                starts.append(Course(engine, embeddings, truth).run(first))
    return found


def clips_table(found: dict[str, list[Followed]], seed: int) -> str:
    """Return mean IoU with intervals of 95 % over objects as a Markdown table, a column for each way to begin."""
    rng, columns = np.random.default_rng(seed), [figures(starts) for starts in found.values()]
    count = len(next(iter(found.values())))
    lines = [f"| mean IoU, {count} objects | {' | '.join(found)} |", "|---" * (1 + len(found)) + "|"]
    for name in columns[0]:
        lines.append(f"| {name} | {' | '.join(with_interval(rng, column[name]) for column in columns)} |")
    return "\n".join(lines)


def figures(starts: list[Followed]) -> dict[str, Floats]:
    """Return the figures of each object, by name."""
    alone, again = (np.array([getattr(start, name) for start in starts]) for name in Followed._fields)
    half = alone.shape[1] // 2
    later, better = np.nanmean(alone[:, half:], 1), np.nanmean(again[:, half:], 1)
    return {
        f"{alone.shape[1] + 1} frames": np.nanmean(alone, 1),
        "the last frame": alone[:, -1],
        "the second half": later,
        "the second half, after a correction half way": better,
        "gained by it": better - later,
    }


def with_interval(rng: np.random.Generator, values: Floats) -> str:
    """Return a mean and where it lies in 95 of 100 draws of the objects."""
    kept = values[np.isfinite(values)]
    low, high = np.percentile(rng.choice(kept, (RESAMPLES, len(kept))).mean(1), INTERVAL)
    return f"{kept.mean():.3f} ({low:.3f} to {high:.3f})"
