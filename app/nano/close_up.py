"""How well small things are found by one click, in all of a large picture and in windows of it that have been seen.

The scenes are drawn, 2048 pixels to a side, with things of 1 to 3 % of that. The windows are those that a person gets
who looks at the thing, somewhat off its middle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.arrays import ImageArray, MaskArray
from app.engine.contract import Engine, Prompt
from app.masks.upsampling import drawn_in
from app.nano.prompts import inner_point, iou
from app.nano.scenes import Material, background, drawn_object, soft
from app.nano.shapes import shape, strokes
from app.protocol.windows import around, whole

SIDE: Final = 2048
SMALLEST, LARGEST = 0.01, 0.03
"""Sides of things, as shares of the picture's."""
APART_PX: Final = 160
"""No two things lie nearer to each other."""
LEAST_PX: Final = 120
"""Pixels of a thing that counts."""
VIEWS_PX: Final = (800, 400, 200)
"""What a person sees of the picture; the window is the next power of two with a margin."""
Array = NDArray[Any]
Rng = np.random.Generator


@dataclass(frozen=True)
class Small:
    """A drawn picture and the small things in it, (SIDE, SIDE) bool each."""

    image: ImageArray
    masks: list[MaskArray]


def small_scene(rng: Rng, material: Material, count: int = 3) -> Small:
    """Return a picture with up to so many small things."""
    ground = np.clip(background(rng, material, 512)[0], 0, 1).astype(np.float32)
    image = cv2.resize(ground, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grain = rng.standard_normal((SIDE // 2, SIDE // 2)).astype(np.float32)
    image = image + cv2.resize(grain, (SIDE, SIDE))[..., None] * 0.03
    masks: list[MaskArray] = []
    places: list[tuple[int, int]] = []
    for _ in range(count):
        layer = thing(rng, material, SIDE * float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))))
        x, y = (int(value) for value in rng.integers(40, SIDE - 140, 2))
        if any(abs(x - left) < APART_PX and abs(y - top) < APART_PX for left, top in places):
            continue
        places.append((x, y))
        height, width = layer.shape[:2]
        part = image[y : y + height, x : x + width]
        part[:] = part * (1 - layer[..., 3:]) + layer[..., :3]
        mask = np.zeros((SIDE, SIDE), np.bool_)
        mask[y : y + height, x : x + width] = layer[..., 3] > 0.5
        if np.count_nonzero(mask) >= LEAST_PX:
            masks.append(mask)
    image = image + rng.standard_normal(image.shape).astype(np.float32) * 0.01
    return Small((np.clip(image, 0, 1) * 255).astype(np.uint8), masks)


def thing(rng: Rng, material: Material, side_px: float) -> Array:
    """Return a drawn thing, (h, w, 4) float32 premultiplied, of a side in pixels."""
    n, scale = 128, 0.36
    while True:
        middle = np.array([0.5, 0.5])
        mask = (strokes if rng.random() < 0.1 else shape)(rng, n, scale, middle)
        if mask.sum() > 0.25 * (scale * n) ** 2:
            break
    alpha = soft(mask, rng.uniform(0.5, 1.2))[..., None]
    colours = np.clip(drawn_object(rng, material, n, mask)[0], 0, 1)
    layer = np.concatenate([colours * alpha, alpha], -1).astype(np.float32)
    rows, columns = np.nonzero(layer[..., 3] > 0.5)
    layer = layer[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    factor = side_px / max(layer.shape[:2])
    size = (max(4, int(layer.shape[1] * factor)), max(4, int(layer.shape[0] * factor)))
    return cv2.resize(layer, size, interpolation=cv2.INTER_AREA)


@dataclass
class CloseUp:
    """What one click gives, by the side of the window in pixels: the IoU of the best scored mask of each thing."""

    best: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, engine: Engine, scene: Small, rng: Rng) -> None:
        """Click each thing of a scene, in all of it and in windows."""
        size_hw = (SIDE, SIDE)
        all_of_it = engine.encode(scene.image)
        for mask in scene.masks:
            x, y = inner_point(mask)
            for window in [whole(size_hw), *views_of(x, y, rng)]:
                x0, y0, x1, y1 = window
                part = scene.image[y0:y1, x0:x1]
                embedding = all_of_it if window == whole(size_hw) else engine.encode(np.ascontiguousarray(part))
                [found] = engine.decode(embedding, [Prompt(((x - x0, y - y0),), (1,))])
                self.best[x1 - x0].append(iou(drawn_in(found.logits[found.best], window, size_hw), mask))

    def table(self, cells: int) -> str:
        """Return the figures as a Markdown table, with the half width of the 95 % interval.

        Args:
            cells: of the model's logits, to a side.
        """
        lines = ["| seen by itself | cell | click IoU | at least 0.5 | n |", "|---|---|---|---|---|"]
        for side, values in sorted(self.best.items(), reverse=True):
            half = 1.96 * float(np.std(values)) / len(values) ** 0.5
            share = float(np.mean(np.array(values) >= 0.5))
            name = "the whole picture" if side == SIDE else f"a window of {side} px"
            figures = f"{np.mean(values):.3f} ± {half:.3f} | {share:.3f} | {len(values)} |"
            lines.append(f"| {name} | {side / cells:g} px | {figures}")
        return "\n".join(lines)


def views_of(x: float, y: float, rng: Rng) -> Iterator[tuple[int, int, int, int]]:
    """Yield the windows of who looks at a place more and more closely, with it off the middle by up to a third."""
    for side in VIEWS_PX:
        across, down = rng.uniform(-side / 3, side / 3, 2)
        left, top = (float(np.clip(value - side / 2, 0, SIDE - side)) for value in (x + across, y + down))
        window = around((left, top, left + side, top + side), (SIDE, SIDE))
        if window is not None:
            yield window
