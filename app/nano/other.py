"""A second, unrelated generator of scenes, for judging alone: metaballs, glyphs and tiles on tinted noise.

It shares no code, no photograph and no ready-made object with `scenes.py`, so that a model which only learned the
habits of one generator is found out here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from app.nano.scenes import Scene

Array = NDArray[Any]
Rng = np.random.Generator
MIN_SHARE = 0.003


def tinted_noise(rng: Rng, n: int) -> Array:
    """Return (n, n, 3) float32 in [0, 1]: blurred noise between two colours."""
    noise = Image.fromarray(rng.integers(0, 256, (n, n), dtype=np.uint8)).filter(
        ImageFilter.GaussianBlur(rng.uniform(1, 40))
    )
    level = np.asarray(noise, np.float32)
    level = (level - level.min()) / (np.ptp(level) + 1e-6)
    one, other = rng.uniform(0, 1, (2, 3)).astype(np.float32)
    return one + (other - one) * (level[..., None] * rng.uniform(0.1, 0.7))


def metaballs(rng: Rng, n: int) -> Array:
    """Return a mask: where the fields of a few balls add up."""
    y, x = np.mgrid[0:n, 0:n].astype(np.float32) / n
    field = np.zeros((n, n), np.float32)
    center, spread = rng.uniform(0.1, 0.9, 2), rng.uniform(0.04, 0.18)
    for _ in range(int(rng.integers(1, 5))):
        cx, cy = center + rng.normal(0, spread, 2)
        field += (spread * rng.uniform(0.4, 1)) ** 2 / ((x - cx) ** 2 + (y - cy) ** 2 + 1e-6)
    return field > 1


def glyph(rng: Rng, n: int) -> Array:
    """Return a mask: one large letter of Pillow's own font, turned."""
    page = Image.new("L", (n, n), 0)
    font = ImageFont.load_default(size=float(rng.uniform(0.2, 0.6) * n))
    x, y = rng.uniform(0.2, 0.8, 2) * n
    at = (float(x), float(y))
    ImageDraw.Draw(page).text(
        at, str(rng.choice(list("ABDGHKMOQRSXZ2358&@"))), fill=255, font=font, anchor="mm", stroke_width=3
    )
    return np.asarray(page.rotate(float(rng.uniform(-40, 40)), center=at)) > 127


def tile(rng: Rng, n: int) -> Array:
    """Return a mask: a rounded rectangle or an arc, turned."""
    page = Image.new("L", (n, n), 0)
    pen = ImageDraw.Draw(page)
    cx, cy = rng.uniform(0.15, 0.85, 2) * n
    w, h = rng.uniform(0.05, 0.3, 2) * n
    if rng.random() < 0.7:
        pen.rounded_rectangle((cx - w, cy - h, cx + w, cy + h), radius=float(min(w, h) * rng.uniform(0, 1)), fill=255)
    else:
        pen.arc((cx - w, cy - h, cx + w, cy + h), 0, float(rng.uniform(150, 330)), fill=255, width=int(min(w, h) * 0.5))
    return np.asarray(page.rotate(float(rng.uniform(0, 180)), center=(float(cx), float(cy)))) > 127


def other_scene(rng: Rng, n: int = 512) -> Scene:
    """Return a scene with at least one mask."""
    image, masks = tinted_noise(rng, n), list[Array]()
    while not masks:
        for _ in range(int(rng.integers(2, 8))):
            mask = (metaballs, glyph, tile)[int(rng.integers(3))](rng, n)
            if not MIN_SHARE * n * n < mask.sum() < 0.6 * n * n:
                continue
            shade = 1 + rng.uniform(-0.4, 0.4) * np.linspace(-1, 1, n, dtype=np.float32)[:, None, None]
            edge = Image.fromarray((mask * 255).astype(np.uint8)).filter(
                ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.5)))
            )
            alpha = np.asarray(edge, np.float32)[..., None] / 255
            image = image * (1 - alpha) + tinted_noise(rng, n) * shade * alpha
            masks = [below & ~mask for below in masks] + [mask]
        masks = [mask for mask in masks if mask.sum() > MIN_SHARE * n * n]
    noisy = image + rng.normal(0, rng.uniform(0, 0.03), image.shape)
    return Scene((np.clip(noisy, 0, 1) * 255).astype(np.uint8), masks)
