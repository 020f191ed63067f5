"""Surfaces for drawn scenes: colour fields, patterns, noise and crops of photographs.

All return (n, n, 3) float32 in about [0, 1], RGB; the scene clips at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Rng = np.random.Generator


def fractal_noise(rng: Rng, n: int) -> Array:
    """Return (n, n) float32 noise of unit variance, rough or smooth."""
    field = np.zeros((n, n), np.float32)
    amplitude, decay = 1.0, rng.uniform(0.3, 0.75)
    for octave in range(int(rng.integers(3, 7))):
        side = min(2 ** (octave + 1 + int(rng.integers(0, 2))), n)
        coarse = rng.standard_normal((side, side)).astype(np.float32)
        field += amplitude * cv2.resize(coarse, (n, n), interpolation=cv2.INTER_CUBIC)
        amplitude *= decay
    return field / (field.std() + 1e-6)


def coordinates(n: int) -> tuple[Array, Array]:
    """Return x and y in [0, 1), (n, n) float32 each."""
    ramp = np.arange(n, dtype=np.float32) / n
    return np.broadcast_to(ramp, (n, n)), np.broadcast_to(ramp[:, None], (n, n))


def pattern(rng: Rng, n: int) -> Array:
    """Return (n, n) float32 in [-1, 1]: stripes, checks, dots or waves, turned and bent."""
    x, y = coordinates(n)
    angle, frequency = rng.uniform(0, np.pi), rng.uniform(4, 40)
    u = x * np.cos(angle) + y * np.sin(angle)
    v = y * np.cos(angle) - x * np.sin(angle)
    if rng.random() < 0.4:
        u = u + 0.02 * rng.random() * fractal_noise(rng, n)
    along, across = np.sin(2 * np.pi * frequency * u), np.sin(2 * np.pi * frequency * v)
    kind = rng.integers(0, 4)
    wave = (
        along
        if kind == 0
        else np.sign(along)
        if kind == 1
        else np.sign(along * across)
        if kind == 2
        else along * across
    )
    return cv2.GaussianBlur(wave.astype(np.float32), (0, 0), 0.7)


def recolour(rng: Rng, image: Array, strength: float = 1.0) -> Array:
    """Return the picture with another cast, gamma, contrast and saturation, sometimes with channels swapped."""
    if rng.random() < 0.3 * strength:
        image = image[..., rng.permutation(3)]
    grey = image.mean(-1, keepdims=True)
    image = grey + (image - grey) * rng.uniform(1 - 0.8 * strength, 1 + 0.5 * strength)
    image = np.clip(image, 1e-3, 1) ** rng.uniform(1 - 0.35 * strength, 1 + 0.5 * strength)
    gain = 1 + strength * rng.uniform(-0.2, 0.2, 3).astype(np.float32)
    return image * gain + strength * rng.uniform(-0.12, 0.12)


def photo_crop(rng: Rng, photos: Sequence[Array], n: int, zoom: tuple[float, float] = (0.25, 1.0)) -> Array:
    """Return a square piece of a photograph, turned, mirrored and recoloured."""
    photo = photos[int(rng.integers(len(photos)))]
    height, width = photo.shape[:2]
    side = max(32, int(min(height, width) * rng.uniform(*zoom)))
    top, left = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
    piece = photo[top : top + side, left : left + side].astype(np.float32) / 255
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    piece = np.rot90(piece, int(rng.choice([0, 0, 0, 1, 2, 3])))
    piece = cv2.resize(np.ascontiguousarray(piece), (n, n), interpolation=cv2.INTER_CUBIC)
    return recolour(rng, piece)


def plain(rng: Rng, n: int) -> Array:
    """Return one colour with any of: soft noise, a pattern, grain, a gradient."""
    surface = np.ones((n, n, 3), np.float32) * rng.uniform(0.02, 0.98, 3).astype(np.float32)
    if rng.random() < 0.55:
        surface += fractal_noise(rng, n)[..., None] * rng.uniform(-0.12, 0.12, 3).astype(np.float32)
    if rng.random() < 0.3:
        surface += pattern(rng, n)[..., None] * rng.uniform(-0.15, 0.15, 3).astype(np.float32)
    if rng.random() < 0.2:
        surface += rng.standard_normal((n, n, 1)).astype(np.float32) * rng.uniform(0, 0.08)
    if rng.random() < 0.7:
        x, y = coordinates(n)
        slope = rng.uniform(-0.35, 0.35, 2)
        surface += ((x - 0.5) * slope[0] + (y - 0.5) * slope[1])[..., None].astype(np.float32)
    return surface


def texture(rng: Rng, photos: Sequence[Array], n: int, *, photo_share: float = 0.4) -> Array:
    """Return a surface, a piece of a photograph with the probability `photo_share`."""
    if photos and rng.random() < photo_share:
        return photo_crop(rng, photos, n, (0.1, 0.6))
    return plain(rng, n)
