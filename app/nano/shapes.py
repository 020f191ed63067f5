"""Outlines for drawn objects: round, cornered, branching, holed and thin ones. Masks are (n, n) bool."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Rng = np.random.Generator
SUBPIXEL_BITS = 4


def fill(points_xy: Array, n: int) -> Array:
    """Return the filled polygon; points in pixels, (N, 2)."""
    canvas = np.zeros((n, n), np.uint8)
    cv2.fillPoly(canvas, [np.round(points_xy * 2**SUBPIXEL_BITS).astype(np.int32)], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    return canvas > 127


def unit_outline(rng: Rng) -> Array:
    """Return (N, 2) points of an outline of about unit radius."""
    turn = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    kind = rng.integers(0, 7)
    if kind == 0:  # ellipse
        radius = 1 / np.sqrt(np.cos(turn) ** 2 + (np.sin(turn) / rng.uniform(0.35, 1)) ** 2)
    elif kind in (1, 2):  # blob, by a Fourier series of its radius
        radius = np.ones_like(turn)
        for order in range(2, 8):
            radius += rng.normal(0, 0.4 / order) * np.cos(order * turn + rng.uniform(0, 2 * np.pi))
        radius = np.clip(radius, 0.2, 2)
    elif kind == 3:  # superellipse: from lozenge to rounded box
        power, aspect = rng.uniform(0.8, 8), rng.uniform(0.25, 1)
        radius = (np.abs(np.cos(turn)) ** power + np.abs(np.sin(turn) / aspect) ** power) ** (-1 / power)
    elif kind == 4:  # star or flower
        radius = 1 + rng.uniform(0.15, 0.5) * np.cos(int(rng.integers(3, 9)) * turn)
    elif kind == 5:  # random polygon
        corners = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
        lengths = rng.uniform(0.5, 1.3, len(corners))
        return np.stack([np.cos(corners) * lengths, np.sin(corners) * lengths], 1)
    else:  # box
        return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [1, rng.uniform(0.15, 1)]
    return np.stack([np.cos(turn) * radius, np.sin(turn) * radius], 1)


def place(rng: Rng, outline: Array, n: int, scale: float, center_xy: Array) -> Array:
    """Return the outline turned, squeezed and moved, filled. Scale and centre in parts of n."""
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    squeeze = np.array([1, rng.uniform(0.6, 1)])
    return fill((outline @ turn.T * scale * squeeze + center_xy) * n, n)


def limbs(rng: Rng, n: int, scale: float, center_xy: Array) -> Array:
    """Return thick strokes that branch from one body: creatures, tools, plants."""
    canvas = np.zeros((n, n), np.uint8)
    center = center_xy * n
    for _ in range(int(rng.integers(1, 6))):
        point, heading = center.copy(), rng.uniform(0, 2 * np.pi)
        thickness = max(3, int(n * scale * rng.uniform(0.06, 0.5)))
        for _ in range(int(rng.integers(2, 7))):
            heading += rng.normal(0, 0.5)
            step = point + n * scale * rng.uniform(0.15, 0.5) * np.array([np.cos(heading), np.sin(heading)])
            cv2.line(canvas, tuple(point.astype(int)), tuple(step.astype(int)), 255, thickness, cv2.LINE_AA)
            point, thickness = step, max(3, int(thickness * rng.uniform(0.6, 1)))
    return canvas > 127


def letter(rng: Rng, n: int, scale: float, center_xy: Array) -> Array:
    """Return a fat letter or digit: corners, holes, thin joints."""
    canvas = np.zeros((n, n), np.uint8)
    text = chr(int(rng.choice([*range(48, 58), *range(65, 91)])))
    size = scale * n / 12
    at = (int((center_xy[0] - 0.6 * scale) * n), int((center_xy[1] + 0.6 * scale) * n))
    cv2.putText(
        canvas, text, at, int(rng.integers(0, 5)), size, 255, max(3, int(size * rng.uniform(2, 7))), cv2.LINE_AA
    )
    return canvas > 127


def with_hole(rng: Rng, mask: Array) -> Array:
    """Return the mask with a hole around its deepest point, as in a ring or a handle."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    hole = np.zeros(mask.shape, np.uint8)
    cv2.circle(hole, (int(x), int(y)), max(2, int(depth.max() * rng.uniform(0.35, 0.8))), 1, -1)
    return mask & (hole == 0)


def arc(rng: Rng, n: int, scale: float, center_xy: Array) -> Array:
    """Return a ring or a piece of one, round or flat, of one width all along."""
    canvas = np.zeros((n, n), np.uint8)
    across = max(2, int(scale * n)), max(2, int(scale * n * rng.uniform(0.4, 1)))
    begin, length = rng.uniform(0, 360), rng.uniform(120, 400)
    width = max(3, int(min(across) * rng.uniform(0.2, 0.7)))
    center = (int(center_xy[0] * n), int(center_xy[1] * n))
    turn = float(rng.uniform(0, 180))
    cv2.ellipse(canvas, center, across, turn, begin, begin + min(length, 360), 255, width, cv2.LINE_AA)
    return canvas > 127


def strokes(rng: Rng, n: int, scale: float, center_xy: Array) -> Array:
    """Return what is all lines, turned: a letter or a piece of a ring."""
    if rng.random() < 0.35:
        return arc(rng, n, scale, center_xy)
    upright = letter(rng, n, scale, center_xy).astype(np.uint8) * 255
    middle = float(center_xy[0] * n), float(center_xy[1] * n)
    return cv2.warpAffine(upright, cv2.getRotationMatrix2D(middle, rng.uniform(-50, 50), 1), (n, n)) > 127


def shape(rng: Rng, n: int, scale: float | None = None, center_xy: Array | None = None) -> Array:
    """Return one object's outline, filled; scale and centre at random unless given, in parts of n."""
    scale = float(np.exp(rng.uniform(np.log(0.035), np.log(0.38)))) if scale is None else scale
    center_xy = rng.uniform(0.05, 0.95, 2) if center_xy is None else center_xy
    kind = rng.random()
    if kind < 0.15:
        return limbs(rng, n, scale, center_xy)
    if kind < 0.2:
        return letter(rng, n, scale, center_xy)
    mask = place(rng, unit_outline(rng), n, scale, center_xy)
    if rng.random() < 0.15:  # two outlines grown together
        near = center_xy + rng.normal(0, 0.7 * scale, 2)
        mask |= place(rng, unit_outline(rng), n, scale * rng.uniform(0.3, 0.9), near)
    return with_hole(rng, mask) if rng.random() < 0.08 and mask.any() else mask
