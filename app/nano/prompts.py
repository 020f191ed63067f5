"""Where a person would click: on an object, around it, and where a mask is wrong. Pure NumPy and OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Rng = np.random.Generator
Point = tuple[float, float]


def inner_point(mask: Array) -> Point:
    """Return the pixel centre that is deepest inside the mask, where SAM's evaluation clicks (Kirillov et al. 2023)."""
    return deepest(mask)[0]


def deepest(mask: Array) -> tuple[Point, float]:
    """Return the pixel centre that is deepest inside the mask, and how deep it is: pixels to the nearest outside."""
    padded = np.pad(mask.astype(np.uint8), 1)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return (float(x) + 0.5, float(y) + 0.5), float(depth[y, x])


def any_point(rng: Rng, mask: Array) -> Point:
    """Return the centre of any pixel of the mask; its rim is left out where it is thick enough."""
    core = cv2.erode(np.pad(mask.astype(np.uint8), 1), np.ones((3, 3), np.uint8))[1:-1, 1:-1].astype(bool)
    flat = np.flatnonzero(core if core.sum() > 20 else mask)
    y, x = divmod(int(flat[int(rng.integers(len(flat)))]), mask.shape[1])
    return x + 0.5, y + 0.5


def click_inside(rng: Rng, mask: Array) -> Point:
    """Return a click on the object: anywhere on it or at its heart, by turns."""
    return inner_point(mask) if rng.random() < 0.5 else any_point(rng, mask)


def box_around(rng: Rng, mask: Array, jitter: float) -> tuple[float, float, float, float]:
    """Return a box as a hand draws it: each side off by a normal error of `jitter` times the box's size."""
    ys, xs = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    x0, y0, x1, y1 = float(xs[0]), float(ys[0]), float(xs[-1] + 1), float(ys[-1] + 1)
    error = rng.normal(0, jitter, 4) * np.array([x1 - x0, y1 - y0, x1 - x0, y1 - y0])
    left, top, right, bottom = np.array([x0, y0, x1, y1]) + error
    height, width = mask.shape
    left, top = max(0.0, min(left, width - 2.0)), max(0.0, min(top, height - 2.0))
    return left, top, min(float(width), max(right, left + 1)), min(float(height), max(bottom, top + 1))


def correction(rng: Rng | None, predicted: Array, truth: Array) -> tuple[Point, int]:
    """Return a click in the largest wrong patch, and its label: 1 where the mask should grow, 0 where it should shrink.

    Args:
        rng: None takes the patch's deepest pixel; otherwise half of the clicks fall anywhere in it.
        predicted: (h, w) bool, the mask to correct.
        truth: (h, w) bool. Where both are equal, the click falls on the object.
    """
    wrong = (predicted != truth).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(wrong)
    if count < 2:
        return inner_point(truth), 1
    patch = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    point = inner_point(patch) if rng is None or rng.random() < 0.5 else any_point(rng, patch)
    return point, int(truth[int(point[1]), int(point[0])])


def iou(one: Array, other: Array) -> float:
    """Return intersection over union of two masks; 1 where both are empty."""
    union = int((one | other).sum())
    return float((one & other).sum() / union) if union else 1.0
