"""How much of a picture is found without a prompt, beside sam2's own `SAM2AutomaticMaskGenerator`.

Both ask the same checkpoint at the same points; the generator with its own gates and with ours. The scenes are drawn,
so that all that is in them is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator
from sam2.modeling.sam2_base import SAM2Base

from app.arrays import ImageArray, MaskArray
from app.engine.contract import Engine, Prompt
from app.masks.regions import GRID, Gates, RegionCollector, gates_of, grid_points
from app.masks.upsampling import upsampled_mask
from app.nano.prompts import iou
from app.nano.scenes import Scene
from app.protocol.codec import fitting

SPECK_SHARE: Final = 0.001
"""As servers have it unless told otherwise."""


@dataclass
class Recall:
    """Which things a way of finding them has found, and how many masks it took.

    Attributes:
        best: for each thing, the IoU of the mask that fits it best.
        masks: masks of each scene.
    """

    best: list[float] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)

    def add(self, found: Sequence[MaskArray], truths: Sequence[MaskArray]) -> None:
        """Take one scene."""
        self.masks.append(len(found))
        self.best += [max((iou(mask_hw, truth) for mask_hw in found), default=0.0) for truth in truths]

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
    found: dict[str, Recall] = {"regions": Recall(), **{name: Recall() for name in generators}}
    for made in scenes:
        found["regions"].add(regions_in(engine, made.image), made.masks)
        for name, each in generators.items():
            found[name].add([one["segmentation"] for one in each.generate(made.image)], made.masks)
    return found


def regions_in(engine: Engine, image: ImageArray) -> list[MaskArray]:
    """Return the masks of what is told of a picture, at its size."""
    size_hw = (image.shape[0], image.shape[1])
    collected, embedding = (
        RegionCollector(size_hw, gates_of(engine.model), SPECK_SHARE),
        engine.encode(image),
    )
    for x, y in grid_points(size_hw):
        [answer] = engine.decode(embedding, [Prompt(((x, y),), (1,))])
        collected.add(answer.logits, answer.scores, x, y)
    masks = []
    for region in fitting(collected.best_first):
        [answer] = engine.decode(embedding, [Prompt(((region.x, region.y),), (1,))])
        masks.append(upsampled_mask(answer.logits[region.candidate], size_hw))
    return masks


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
    things = len(found["regions"].best)
    lines = [f"| of {things} drawn things | found at IoU 0.5 | at 0.75 | masks a scene |", "|---|---|---|---|"]
    return "\n".join([*lines, *(recall.row(name) for name, recall in found.items())])
