"""How much of a picture is found without a prompt, where the rest is lost, and what sam2's own generator finds.

Each step from a model's answers to what is told loses some: the answers at all points, those that it is sure of, each
thing once, what fits into a message. Beside them is what the model can do at best, by a click at the heart of each
thing; and `SAM2AutomaticMaskGenerator` on the same checkpoint and grid, with its own gates and with ours. The scenes
are drawn, so that all that is in them is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator
from sam2.modeling.sam2_base import SAM2Base

from app.arrays import MaskArray
from app.engine.contract import Engine, Prompt
from app.masks.regions import GRID, Gates, RegionCollector, gates_of, is_sure
from app.masks.upsampling import upsampled_mask
from app.nano.prompts import inner_point, iou
from app.nano.scenes import Scene
from app.protocol.codec import fitting
from app.protocol.run_lengths import decode_mask, scale_mask

SPECK_SHARE: Final = 0.001
"""As servers have it unless told otherwise."""


Overlaps = NDArray[np.float64]
"""(N, T), the IoU of each of N masks with each of T things."""


@dataclass
class Recall:
    """Which things a way of finding them has found, and how many masks it took.

    Attributes:
        best: for each thing, the IoU of the mask that fits it best.
        masks: masks of each scene.
    """

    best: list[float] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)

    def add(self, overlaps: Overlaps) -> None:
        """Take one scene."""
        self.masks.append(len(overlaps))
        self.best += overlaps.max(axis=0, initial=0.0).tolist()

    def row(self, name: str) -> str:
        """Return the figures as a row of a table, with the half width of the 95 % interval."""
        at = {least: float(np.mean(np.array(self.best) >= least)) for least in (0.5, 0.75)}
        half = 1.96 * (at[0.5] * (1 - at[0.5]) / len(self.best)) ** 0.5
        return f"| {name} | {at[0.5]:.3f} ± {half:.3f} | {at[0.75]:.3f} | {np.mean(self.masks):.1f} |"


def judge_regions(engine: Engine, model: SAM2Base, scenes: Iterable[Scene]) -> dict[str, Recall]:
    """Return what is found in drawn scenes, by us and by sam2's generator.

    Args:
        engine: what we ask.
        model: the same weights, for the generator.
        scenes: pictures and all that is in them.
    """
    generators = {
        "sam2's generator, its gates": generator(model, gates_of("")),
        "sam2's generator, our gates": generator(model, gates_of(engine.model)),
    }
    found: dict[str, Recall] = {}
    for made in scenes:
        by = found_in(engine, made)
        for name, each in generators.items():
            by[name] = overlaps_of([one["segmentation"] for one in each.generate(made.image)], made.masks)
        for name, overlaps in by.items():
            found.setdefault(name, Recall()).add(overlaps)
    return found


def found_in(engine: Engine, made: Scene) -> dict[str, Overlaps]:
    """Return what we find in a scene, step by step."""
    size_hw, gates = (made.image.shape[0], made.image.shape[1]), gates_of(engine.model)
    regions, embedding = RegionCollector(size_hw, gates, SPECK_SHARE), engine.encode(made.image)
    answers: dict[tuple[float, float, int], Overlaps] = {}
    sure = []
    while (point := regions.point) is not None:
        [answer] = engine.decode(embedding, [Prompt((point,), (1,))])
        for index, logits in enumerate(answer.logits):
            answers[(*point, index)] = overlaps_of([upsampled_mask(logits, size_hw)], made.masks)
            if is_sure(logits, float(answer.scores[index]), gates):
                sure.append((*point, index))
        regions.add(answer.logits, answer.scores)
    hearts = [Prompt((inner_point(truth),), (1,)) for truth in made.masks]
    clicked = [logits for prompt in hearts for logits in engine.decode(embedding, [prompt])[0].logits]
    once, told = regions.best_first, fitting(regions.best_first)

    def rows(keys: Iterable[tuple[float, float, int]]) -> Overlaps:
        return np.concatenate([np.zeros((0, len(made.masks))), *(answers[key] for key in keys)])

    outlines = [scale_mask(decode_mask(region.mask), size_hw) for region in told]
    return {
        "a click at the heart of each": overlaps_of([upsampled_mask(one, size_hw) for one in clicked], made.masks),
        "all answers": rows(answers),
        "those that the model is sure of": rows(sure),
        "each thing once": rows((one.x, one.y, one.candidate) for one in once),
        "what fits into a message: **regions**": rows((one.x, one.y, one.candidate) for one in told),
        "their outlines in the message": overlaps_of(outlines, made.masks),
    }


def overlaps_of(masks: Sequence[MaskArray], truths: Sequence[MaskArray]) -> Overlaps:
    """Return the IoU of each mask with each thing."""
    return np.array([[iou(mask_hw, truth) for truth in truths] for mask_hw in masks]).reshape(-1, len(truths))


def generator(model: SAM2Base, gates: Gates) -> SAM2AutomaticMaskGenerator:
    """Return sam2's automatic mask generator with the points that we ask, one at a time."""
    made = SAM2AutomaticMaskGenerator(
        model,
        points_per_side=GRID,
        points_per_batch=1,
        pred_iou_thresh=gates.score,
        stability_score_thresh=gates.stability,
    )
    grid = model.image_size // 4  # which its predictor takes to be 256
    made.predictor._bb_feat_sizes = [(grid // scale, grid // scale) for scale in (1, 2, 4)]
    return made


def recall_table(found: dict[str, Recall]) -> str:
    """Return the figures as a Markdown table."""
    things = len(next(iter(found.values())).best)
    lines = [f"| of {things} drawn things | found at IoU 0.5 | at 0.75 | masks a scene |", "|---|---|---|---|"]
    return "\n".join([*lines, *(recall.row(name) for name, recall in found.items())])
