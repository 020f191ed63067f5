"""Scenes whose masks are also what lies behind and within the things of a photograph: sky, wall, grass, a patch of fur.

Masks that people drew are of things. Who clicks on the sky means the sky, though, so two kinds of masks are added that
a program finds: the ground where it is of about one colour, and regions with a real edge.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.nano.photos import regions
from app.nano.scenes import Scene

Array = NDArray[Any]
Rng = np.random.Generator

SPREAD: Final = 26.0
"""Largest deviation of a ground's colour (CIELAB of 8 bits) that still counts as one."""
REGION_SIDE: Final = 256
"""Regions are looked for in a small picture: it takes a quarter of the time, and they are smoother."""
THINGS_KEPT: Final = 6


def ground_scene(made: Scene) -> Scene | None:
    """Return a scene with its ground as a further mask, or None where the ground isn't one thing to the eye."""
    ground = ~np.any(made.masks, axis=0)
    if not 0.15 < ground.mean() < 0.85 or spread(made.image, ground) > SPREAD:
        return None
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ground.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    pieces = [labels == number for number in range(1, count) if areas[number - 1] > 0.03 * ground.size]
    grounds = [ground] if areas.max() > 0.9 * ground.sum() else pieces
    return Scene(made.image, made.masks[:THINGS_KEPT] + grounds) if grounds else None


def spread(image: Array, mask: Array) -> float:
    """Return the deviation of the blurred colours inside a mask, away from its rim."""
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), 4), cv2.COLOR_RGB2LAB).astype(np.float32)
    core = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    return float(np.linalg.norm(lab[core].std(0))) if core.sum() > 2000 else np.inf


def region_scene(rng: Rng, made: Scene) -> Scene | None:
    """Return a scene with regions that don't cut its things in two as further masks, or None where there are none."""
    side = made.image.shape[0]
    small = cv2.resize(made.image, (REGION_SIDE, REGION_SIDE), interpolation=cv2.INTER_AREA)
    found = [enlarged(region, side) for region in regions(rng, small, limit=10)]
    kept = [region for region in found if all(is_apart_or_nested(region, thing) for thing in made.masks)]
    return Scene(made.image, made.masks[:THINGS_KEPT] + kept) if kept else None


def enlarged(mask: Array, side: int) -> Array:
    """Return a mask at (side, side), its steps smoothed."""
    soft = cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(soft, (0, 0), 1.5) > 0.5


def is_apart_or_nested(one: Array, other: Array) -> bool:
    """True for two masks that hardly touch, or one of which lies in the other."""
    both, smaller = int((one & other).sum()), min(int(one.sum()), int(other.sum()))
    return not 0.06 * smaller <= both <= 0.92 * smaller
