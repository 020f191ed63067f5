"""Moving scenes with truth, to judge how objects are followed: drawn ones that travel, turn, grow, cover others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.arrays import ImageArray, MaskArray
from app.nano import scenes
from app.nano.scenes import Material
from app.nano.shapes import shape, strokes

Array = NDArray[Any]
Rng = np.random.Generator
EDGE = 0.1
"""Of a frame; nearer to its border no object's middle comes."""


@dataclass(frozen=True)
class MovingScene:
    """A clip.

    Attributes:
        frames: (n, n, 3) uint8 each.
        masks: of every object, its visible part on every frame, (n, n) bool each.
    """

    frames: list[ImageArray]
    masks: list[list[MaskArray]]


class Path:
    """A smooth way: straight with a slow sway, turning and growing; thrown back at the border."""

    def __init__(self, rng: Rng) -> None:
        angle, speed = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.8)
        self.start, self.travel = rng.uniform(0.2, 0.8, 2), speed * np.array([np.cos(angle), np.sin(angle)])
        self.sway, self.phase = rng.uniform(0, 0.06, 2), rng.uniform(0, 2 * np.pi, 2)
        self.rhythm = rng.uniform(0.5, 2, 2)
        self.turn, self.growth, self.shear = rng.normal(0, 0.5), rng.normal(0, 0.25), rng.normal(0, 0.15)

    def at(self, part: float, n: int) -> Array:
        """Return the affine map (2, 3) of an object at the middle of a frame of n pixels, `part` of the way along."""
        where = self.start + part * self.travel + self.sway * np.sin(2 * np.pi * self.rhythm * part + self.phase)
        span = 1 - 2 * EDGE
        folded = (where - EDGE) % (2 * span)
        where = EDGE + np.minimum(folded, 2 * span - folded)
        angle, shear = self.turn * part, self.shear * np.sin(2 * np.pi * part)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = rotation @ np.array([[1, shear], [0, 1]]) * np.exp(self.growth * part)
        return np.column_stack([linear, where * n - linear @ np.array([n / 2, n / 2])])


def moving_scene(rng: Rng, material: Material, frames: int = 30, n: int = 512) -> MovingScene:
    """Return a clip of two to four objects, a fifth of the time all alike, before a ground that pans and zooms."""
    ground = scenes.background(rng, material, n)[0].astype(np.float32)
    ground = cv2.resize(np.clip(ground, 0, 1), (3 * n // 2, 3 * n // 2), interpolation=cv2.INTER_CUBIC)
    pan, zoom, light = rng.normal(0, 0.12, 2) * n, np.exp(rng.normal(0, 0.06)), rng.normal(0, 0.12)
    count = int(rng.integers(2, 5))
    twin = layer(rng, material, n, rng.uniform(0.09, 0.16)) if rng.random() < 0.2 else None
    layers = [
        layer(rng, material, n, float(np.exp(rng.uniform(np.log(0.07), np.log(0.25))))) if twin is None else twin
        for _ in range(count)
    ]
    paths = [Path(rng) for _ in layers]
    made, masks = [], [[] for _ in layers]  # type: tuple[list[ImageArray], list[list[MaskArray]]]
    for number in range(frames):
        part = number / max(1, frames - 1)
        scale = zoom**part
        shift = -n / 4 - pan * (part - 0.5) + (1 - scale) * n / 2
        view = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        image = cv2.warpAffine(ground, view, (n, n), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        image, visible = covered(image, layers, [path.at(part, n) for path in paths])
        for mask, seen in zip(masks, visible, strict=True):
            mask.append(seen)
        made.append(filmed(rng, image * (1 + light * np.sin(3 * part))))
    return MovingScene(made, masks)


def layer(rng: Rng, material: Material, n: int, scale: float) -> Array:
    """Return one object at the middle of a page, (n, n, 4) float32, colours times opacity, and opacity."""
    while True:
        draw = strokes if rng.random() < 0.1 else shape
        mask = draw(rng, n, scale, np.array([0.5, 0.5]))
        if mask.sum() > 0.25 * (scale * n) ** 2:
            break
    colours, _ = scenes.drawn_object(rng, material, n, mask)
    alpha = scenes.soft(mask, rng.uniform(0.5, 1.2))[..., None]
    return np.concatenate([np.clip(colours, 0, 1) * alpha, alpha], -1).astype(np.float32)


def covered(image: Array, layers: list[Array], maps: list[Array]) -> tuple[Array, list[MaskArray]]:
    """Return a picture with objects laid over it, and the visible part of each."""
    visible: list[MaskArray] = []
    for page, way in zip(layers, maps, strict=True):
        moved = cv2.warpAffine(page, way, image.shape[1::-1], flags=cv2.INTER_LINEAR)
        image = image * (1 - moved[..., 3:]) + moved[..., :3]
        solid = moved[..., 3] > 0.5
        visible = [*(seen & ~solid for seen in visible), solid]
    return image, visible


def filmed(rng: Rng, image: Array) -> ImageArray:
    """Return a frame as a camera keeps it: with noise, compressed."""
    noisy = image + rng.standard_normal(image.shape).astype(np.float32) * 0.012
    pixels = (np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return scenes.decode_image(packed)
