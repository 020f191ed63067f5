"""A small clip of three shapes that move over a striped ground, without files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.arrays import ImageArray

HEIGHT, WIDTH = 180, 240


def moving_scene(frames: int) -> list[ImageArray]:
    """Return frames (180, 240, 3) uint8: a red disc, a blue disc and a green square, each on its way."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    stripes = np.where((x // 60) % 2 == 0, 60.0, 200.0)  # else a model takes the ground, most of the frame, for a thing
    ground = stripes + 25 * np.sin(x / 17) * np.cos(y / 23) + rng.normal(0, 6, (HEIGHT, WIDTH))
    return [drawn(ground, x, y, frame / max(1, frames - 1)) for frame in range(frames)]


def drawn(ground: NDArray[np.float64], x: NDArray[np.float32], y: NDArray[np.float32], part: float) -> ImageArray:
    """Return one frame; `part` goes from 0 at the first to 1 at the last."""
    image = np.repeat(ground[..., None], 3, 2)
    discs = [((55 + 40 * part, 65 + 40 * part), 26, (200, 40, 40)), ((150 + 30 * part, 60), 20, (40, 60, 200))]
    for (cx, cy), radius, color in discs:
        image[np.hypot(x - cx, y - cy) < radius] = color
    left, top = 80 + 30 * part, 130 - 10 * part
    image[(abs(x - left - 20) < 20) & (abs(y - top - 20) < 20)] = (40, 170, 60)
    shaded: ImageArray = image.clip(0, 255).astype(np.uint8)
    return shaded
