"""How much of a picture is found without a prompt, where the rest is lost, and what sam2's own generator finds.

Each step from a model's answers to what is told loses some: the answers at all points, those that it is sure of, each
thing once, what fits into a message. Beside them is what the model can do at best, by a click at the heart of each
thing; and `SAM2AutomaticMaskGenerator` on the same checkpoint and grid, with its own gates and with ours. The scenes
are drawn, so that all that is in them is known; what kinds of things are missed is told too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from sam2.automatic_mask_generator import SAM2AutomaticMaskGenerator
from sam2.modeling.sam2_base import SAM2Base

from app.arrays import MaskArray
from app.engine.contract import Embedding, Engine, Prompt
from app.masks.regions import GRID, Ask, Gates, RegionCollector, gates_of, is_sure, windows_of
from app.masks.upsampling import drawn_in, upsampled_mask
from app.nano.prompts import inner_point
from app.nano.scenes import Scene
from app.protocol.codec import fitting
from app.protocol.fields import WindowXyxy
from app.protocol.frames import over_picture
from app.protocol.windows import whole

SPECK_SHARE: Final = 0.001
"""As servers have it unless told otherwise."""
TOLD: Final = "what fits into a message: **regions**"
SMALL: Final = 0.01
"""Of the picture."""
THIN: Final = 1 / 14
"""Of the picture's side: nine cells of nano's grid."""
WHOLE: Final = 0.9
"""Of a thing: its largest piece, where it is in one."""


Overlaps = NDArray[np.float64]
"""(N, T), the IoU of each of N masks with each of T things."""


@dataclass
class Recall:
    """Which things a way of finding them has found, and how many masks it took.

    Attributes:
        best: for each thing, the IoU of the mask that fits it best.
        masks: masks of each scene.
        kinds: of each thing, see `kind_of`.
    """

    best: list[float] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def add(self, overlaps: Overlaps, kinds: Sequence[str]) -> None:
        """Take one scene, and of what kind its things are."""
        self.masks.append(len(overlaps))
        self.best += overlaps.max(axis=0, initial=0.0).tolist()
        self.kinds += kinds

    def of_kind(self, kind: str) -> str:
        """Return how many things of a kind are found at IoU 0.5, as words."""
        found = [best >= 0.5 for best, own in zip(self.best, self.kinds, strict=True) if own == kind]
        return f"{kind}: {sum(found)} of {len(found)}"

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
        kinds = list(map(kind_of, made.masks))
        for name, overlaps in by.items():
            found.setdefault(name, Recall()).add(overlaps, kinds)
    return found


def found_in(engine: Engine, made: Scene) -> dict[str, Overlaps]:
    """Return what we find in a scene, step by step."""
    size_hw, gates = (made.image.shape[0], made.image.shape[1]), gates_of(engine.model)
    regions = RegionCollector(size_hw, gates, SPECK_SHARE, windows_of(engine.model, size_hw))
    embedding = engine.encode(made.image)
    seen: dict[WindowXyxy | None, Embedding] = {None: embedding}
    answers: dict[tuple[Ask, int], Overlaps] = {}
    sure = []
    while (ask := regions.ask) is not None:
        x0, y0, x1, y1 = part = ask.window or whole(size_hw)
        if ask.window not in seen:
            seen[ask.window] = engine.encode(np.ascontiguousarray(made.image[y0:y1, x0:x1]))
        [answer] = engine.decode(seen[ask.window], [Prompt(((ask.x - x0, ask.y - y0),), (1,))])
        for index, logits in enumerate(answer.logits):
            answers[(ask, index)] = overlaps_of([drawn_in(logits, part, size_hw)], made.masks)
            if is_sure(logits, float(answer.scores[index]), gates):
                sure.append((ask, index))
        regions.add(answer.logits, answer.scores)
    hearts = [Prompt((inner_point(truth),), (1,)) for truth in made.masks]
    clicked = [logits for prompt in hearts for logits in engine.decode(embedding, [prompt])[0].logits]
    once, told = regions.best_first, fitting(regions.best_first)

    def rows(keys: Iterable[tuple[Ask, int]]) -> Overlaps:
        return np.concatenate([np.zeros((0, len(made.masks))), *(answers[key] for key in keys)])

    outlines = [over_picture(region.mask, size_hw) for region in told]
    kept, fit = ([(Ask(one.x, one.y, one.mask.window), one.candidate) for one in found] for found in (once, told))
    return {
        "a click at the heart of each": overlaps_of([upsampled_mask(one, size_hw) for one in clicked], made.masks),
        "all answers in the whole picture": rows(key for key in answers if key[0].window is None),
        "and in windows": rows(answers),
        "those that the model is sure of": rows(sure),
        "each thing once": rows(kept),
        TOLD: rows(fit),
        "their outlines in the message": overlaps_of(outlines, made.masks),
    }


def overlaps_of(masks: Sequence[MaskArray], truths: Sequence[MaskArray]) -> Overlaps:
    """Return the IoU of each mask with each thing; none of the things is empty."""
    things = np.stack([truth.ravel() for truth in truths]).astype(np.float32)
    flat = [mask_hw.ravel().astype(np.float32) for mask_hw in masks]
    both = [things @ mask for mask in flat]
    each = [shared / (things.sum(axis=1) + mask.sum() - shared) for shared, mask in zip(both, flat, strict=True)]
    return np.array(each, np.float64).reshape(-1, len(truths))


def kind_of(truth: MaskArray) -> str:
    """Return what makes a thing hard to find, (H, W) bool; one word for each."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(truth.astype(np.uint8))
    depth = cv2.distanceTransform(np.pad(truth.astype(np.uint8), 1), cv2.DIST_L2, 5).max()
    if stats[1:, cv2.CC_STAT_AREA].max() < WHOLE * truth.sum():
        return "in pieces"
    if truth.mean() < SMALL:
        return "small"
    return "thin" if 2 * depth < THIN * max(truth.shape) else "plain"


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
    kinds = "; ".join(found[TOLD].of_kind(kind) for kind in ("plain", "thin", "small", "in pieces"))
    return "\n".join([*lines, *(recall.row(name) for name, recall in found.items()), f"regions that are {kinds}"])
