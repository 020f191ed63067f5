"""Training batches: augmented scenes with truth on the logit grid and first prompts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from app.nano.pool import Pool, augment
from app.nano.prompts import box_around, click_inside

Array = NDArray[Any]
STRIDE = 4
"""Pixels of the model's input to a cell of the logit grid."""
BOX_SHARE = 0.3


@dataclass(frozen=True)
class Plan:
    """What a stage trains on: pictures of `size` pixels, `pictures` at a time, `prompts` on each."""

    size: int
    pictures: int
    prompts: int


def first_prompt(rng: np.random.Generator, mask: Array) -> tuple[Array, Array]:
    """Return (2, 2) float32 points in input pixels and (2,) labels: a box's corners (2, 3), or a click and padding."""
    if rng.random() < BOX_SHARE:
        x0, y0, x1, y1 = box_around(rng, mask, float(rng.choice([0.0, 0.02, 0.05])))
        return np.array([[x0, y0], [x1, y1]], np.float32), np.array([2, 3], np.int32)
    return np.array([click_inside(rng, mask), (0, 0)], np.float32), np.array([1, -1], np.int32)


def label_map(masks: list[Array]) -> Array:
    """Return (h, w) int64 on the logit grid: the number of the smallest mask at each cell, 0 for none."""
    n = masks[0].shape[0]
    labels = np.zeros((n, n), np.int64)
    for number, mask in enumerate(sorted(masks, key=lambda mask: -int(mask.sum())), start=1):
        labels[mask] = number
    return labels[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE].copy()


def prompted(rng: np.random.Generator, masks: list[Array], count: int) -> list[int]:
    """Return the numbers of the masks to prompt for, by the square root of area: a whole is one among many parts."""
    sides = np.sqrt([int(mask.sum()) for mask in masks])
    return rng.choice(len(masks), count, replace=len(masks) < count, p=sides / sides.sum()).tolist()


class Batches(IterableDataset[tuple[Tensor, ...]]):
    """Endless batches of a pool; each worker draws from its own seed."""

    def __init__(self, folder: Path, plan: Plan, seed: int) -> None:
        self.folder, self.plan, self.seed = folder, plan, seed

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """Yield images (B, 3, n, n) float32 in [0, 1], truth (B*K, n/4, n/4), labels (B, n/4, n/4), points, kinds."""
        cv2.setNumThreads(1)
        worker = get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        pool = Pool(self.folder)
        while True:
            yield self.batch(rng, pool)

    def batch(self, rng: np.random.Generator, pool: Pool) -> tuple[Tensor, ...]:
        """Return one batch."""
        images: list[Array] = []
        truths, labels, points, kinds = list[Array](), list[Array](), list[Array](), list[Array]()
        while len(images) < self.plan.pictures:
            made = augment(rng, pool.sample(rng), self.plan.size)
            if not made.masks:
                continue
            images.append(made.image)
            labels.append(label_map(made.masks))
            for index in prompted(rng, made.masks, self.plan.prompts):
                mask = made.masks[index]
                grid = self.plan.size // STRIDE
                truths.append(cv2.resize(mask.astype(np.float32), (grid, grid), interpolation=cv2.INTER_AREA))
                point, kind = first_prompt(rng, mask)
                points.append(point)
                kinds.append(kind)
        pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div(255)
        arrays = (np.stack(truths), np.stack(labels), np.stack(points), np.stack(kinds))
        return pixels, *(torch.from_numpy(array) for array in arrays)
