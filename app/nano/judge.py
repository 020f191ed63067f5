"""How good a model's masks are: mean IoU on scenes that nothing was trained on, beside GrabCut's on the same boxes.

Works on any engine. Prompts are those of a session: a click gets three candidates and the best scored one counts;
corrections refine it with its logits fed back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engine.contract import Candidates, Embedding, Engine, Prompt
from app.masks.upsampling import upsampled_mask
from app.nano.prompts import any_point, box_around, correction, inner_point, iou
from app.nano.scenes import Scene

Array = NDArray[Any]
PER_SCENE = 2
"""Objects judged on one picture, at most."""
ROUNDS = 2
"""Correction clicks."""


@dataclass
class Tally:
    """IoU by kind of prompt, one value per object."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Take one value."""
        self.values.setdefault(name, []).append(value)

    def means(self) -> dict[str, float]:
        """Return the mean of each kind."""
        return {name: float(np.mean(values)) for name, values in self.values.items()}

    def count(self) -> int:
        """Return the number of objects."""
        return max(map(len, self.values.values()), default=0)


def judge(engine: Engine, scenes: Iterable[Scene], seed: int, *, grabcut: bool = True) -> Tally:
    """Return IoU over some scenes: click (at the heart and anywhere), box, corrections, and GrabCut."""
    rng, tally = np.random.default_rng(seed), Tally()
    for made in scenes:
        embedding = engine.encode(made.image)
        for index in rng.permutation(len(made.masks))[:PER_SCENE]:
            truth = made.masks[int(index)]
            judge_object(engine, embedding, truth, rng, tally)
            if grabcut:
                tally.add("GrabCut, the same box", iou(grab_cut(made.image, box_around(rng, truth, 0)), truth))
    return tally


def judge_object(engine: Engine, embedding: Embedding, truth: Array, rng: np.random.Generator, tally: Tally) -> None:
    """Prompt for one object in every way."""
    heart, anywhere = inner_point(truth), any_point(rng, truth)
    box = Prompt(box_xyxy=box_around(rng, truth, 0), multimask=False)
    first, second = Prompt((heart,), (1,)), Prompt((anywhere,), (1,))
    named = {"click at the heart": first, "click anywhere inside": second, "box": box}
    size_hw = (truth.shape[0], truth.shape[1])
    answers = {name: engine.decode(embedding, [prompt])[0] for name, prompt in named.items()}
    for name, prompt in named.items():
        found = answers[name]
        masks = [upsampled_mask(logits, size_hw) for logits in found.logits]
        tally.add(name, iou(masks[found.best], truth))
        if prompt.multimask:
            tally.add(f"{name}, best of three", max(iou(mask, truth) for mask in masks))
    refined = corrected(engine, embedding, truth, first, answers["click at the heart"])
    for number, mask in enumerate(refined, start=1):
        tally.add(f"after {number} correction click{'s' if number > 1 else ''}", iou(mask, truth))


def corrected(engine: Engine, embedding: Embedding, truth: Array, prompt: Prompt, found: Candidates) -> Iterator[Array]:
    """Click `ROUNDS` times where the mask of a prompt's answer is wrong, and yield the mask after each click."""
    size_hw = (truth.shape[0], truth.shape[1])
    for _ in range(ROUNDS):
        logits = found.logits[found.best]
        point, label = correction(None, upsampled_mask(logits, size_hw), truth)
        points, labels = (*prompt.points_xy, point), (*prompt.labels, label)
        prompt = Prompt(points, labels, mask_logits=logits, multimask=False)
        found = engine.decode(embedding, [prompt])[0]
        yield upsampled_mask(found.logits[0], size_hw)


def grab_cut(image: Array, box_xyxy: tuple[float, float, float, float]) -> Array:
    """Return OpenCV's GrabCut of a box after five rounds, (H, W) bool."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = (round(v) for v in box_xyxy)
    labels = np.zeros((height, width), np.uint8)
    model = (np.zeros((1, 65)), np.zeros((1, 65)))
    inside = (min(x0, width - 2), min(y0, height - 2), max(1, min(x1, width) - x0), max(1, min(y1, height) - y0))
    if inside[2] * inside[3] >= width * height:  # GrabCut needs a pixel outside
        return np.ones((height, width), bool)
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(np.ascontiguousarray(image[..., ::-1]), labels, inside, *model, 5, cv2.GC_INIT_WITH_RECT)
    except cv2.error:  # too few pixels inside or outside to model
        labels[y0:y1, x0:x1] = cv2.GC_PR_FGD
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def table(tallies: dict[str, Tally]) -> str:
    """Return the figures as a Markdown table, a row per kind of prompt, a column per set of scenes."""
    names = list(next(iter(tallies.values())).values)
    head = "| mean IoU | " + " | ".join(f"{name} ({tally.count()} objects)" for name, tally in tallies.items()) + " |"
    rows = [
        f"| {name} | " + " | ".join(f"{tally.means()[name]:.3f}" for tally in tallies.values()) + " |" for name in names
    ]
    return "\n".join([head, "|---|" + "---|" * len(tallies), *rows])
