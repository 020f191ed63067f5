"""Photographs that Python packages carry, and region truth for them by classical segmentation.

Photographs teach what drawn scenes can't: the colours, blur and clutter of cameras. Nobody has drawn masks on
these, so the truth is what a merged over-segmentation calls one region, kept where its edge is a real one.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import felzenszwalb

Array = NDArray[Any]
Rng = np.random.Generator

TRAINED = ("astronaut.png", "camera.png", "coins.png", "motorcycle_left.png")
SURFACES = ("brick.png", "grass.png", "gravel.png", "ihc.png", "hubble_deep_field.jpg", "moon.png", "retina.jpg")
HELD_OUT = ("chelsea.png", "coffee.png", "rocket.jpg")
"""Of scikit-image; never trained on, not even as a surface."""

MIN_REGION = 0.01
"""Smallest region that counts as a thing, in parts of the picture; below are fragments of light and texture."""


def read(package: str, name: str) -> Array:
    """Return (H, W, 3) uint8."""
    with resources.as_file(resources.files(package) / name) as path, Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def training_photos() -> list[Array]:
    """Return the pictures with things on them."""
    return [read("skimage.data", name) for name in TRAINED] + [
        read("sklearn.datasets.images", name) for name in ("china.jpg", "flower.jpg")
    ]


def training_surfaces() -> list[Array]:
    """Return the pictures that serve as textures alone."""
    return [read("skimage.data", name) for name in SURFACES]


def held_out_photos() -> dict[str, Array]:
    """Return the pictures kept for judging, by name."""
    return {name: read("skimage.data", name) for name in HELD_OUT}


def photo_objects() -> list[Array]:
    """Return things cut from the training photographs, (h, w, 4) uint8 premultiplied RGBA.

    Boxes were drawn by hand, GrabCut (Rother et al. 2004) found the outlines; coins come by a local threshold.
    """
    boxes = (
        ("skimage.data", "astronaut.png", (150, 5, 300, 200)),
        ("skimage.data", "astronaut.png", (330, 345, 511, 511)),
        ("sklearn.datasets.images", "flower.jpg", (150, 20, 500, 370)),
        ("sklearn.datasets.images", "china.jpg", (70, 15, 350, 395)),
    )
    cuts = []
    for package, name, (x0, y0, x1, y1) in boxes:
        photo = read(package, name)
        labels = np.zeros(photo.shape[:2], np.uint8)
        cv2.setRNGSeed(0)
        model = (np.zeros((1, 65)), np.zeros((1, 65)))
        cv2.grabCut(photo[..., ::-1].copy(), labels, (x0, y0, x1 - x0, y1 - y0), *model, 8, cv2.GC_INIT_WITH_RECT)
        cuts.append(cut_out(photo, smooth((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), 5)))
    return cuts + coins()


def coins() -> list[Array]:
    """Return the coins of scikit-image's picture, one cutout each."""
    photo = read("skimage.data", "coins.png")
    grey = cv2.GaussianBlur(photo[..., 0], (0, 0), 2)
    light = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 151, 0)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(light)
    whole = [part for part in range(1, count) if 600 < stats[part, cv2.CC_STAT_AREA] < 6000]
    return [cut_out(photo, smooth(labels == part, 9)) for part in whole]


def cut_out(photo: Array, mask: Array) -> Array:
    """Return the masked thing as premultiplied RGBA, cropped with a margin of 2 pixels."""
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)
    rgba = np.dstack([photo * alpha[..., None], alpha * 255]).astype(np.uint8)
    ys, xs = np.nonzero(mask)
    piece = rgba[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    return cv2.copyMakeBorder(piece, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))


def merge_alike(image_lab: Array, labels: Array, threshold: float) -> Array:
    """Return labels with neighbours merged whose mean colours differ by less than `threshold` (CIELAB)."""
    labels = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    count = int(labels.max()) + 1
    sizes = np.bincount(labels.ravel(), minlength=count).astype(np.float64)
    means = (
        np.stack([np.bincount(labels.ravel(), image_lab[..., c].ravel(), count) for c in range(3)], 1) / sizes[:, None]
    )
    right = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], 1)
    down = np.stack([labels[:-1].ravel(), labels[1:].ravel()], 1)
    pairs = np.concatenate([right, down])
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], 1), axis=0)
    parent = np.arange(count)

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = int(parent[node])
        return node

    gaps = np.linalg.norm(means[pairs[:, 0]] - means[pairs[:, 1]], axis=1)
    for one, other in pairs[np.argsort(gaps)]:
        a, b = root(int(one)), root(int(other))
        if a != b and np.linalg.norm(means[a] - means[b]) < threshold:
            means[a] = (means[a] * sizes[a] + means[b] * sizes[b]) / (sizes[a] + sizes[b])
            sizes[a] += sizes[b]
            parent[b] = a
    return np.array([root(node) for node in range(count)])[labels]


def smooth(mask: Array, kernel: int) -> Array:
    """Return the mask with frayed edges, specks and small holes gone."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), kernel / 3)
    flat = (soft > 0.5).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(1 - flat)
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] < 0.02 * flat.sum():
            flat[parts == part] = 1
    count, parts, stats, _ = cv2.connectedComponentsWithStats(flat)
    if count < 2:
        return flat.astype(bool)
    return parts == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def edge_contrast(image_lab: Array, mask: Array) -> float:
    """Return how far the colours just inside and just outside are apart, against their own spread."""
    flat = mask.astype(np.uint8)
    kernel = np.ones((9, 9), np.uint8)
    inside = image_lab[mask & (cv2.erode(flat, kernel) == 0)]
    outside = image_lab[(cv2.dilate(flat, kernel) > 0) & ~mask]
    if len(inside) < 20 or len(outside) < 20:
        return 0.0
    return float(np.linalg.norm(inside.mean(0) - outside.mean(0)))


def regions(rng: Rng, image: Array, *, limit: int = 12) -> list[Array]:
    """Return up to `limit` masks of things that stand out in a picture, coarse ones and their parts.

    Args:
        rng: decides how fine the regions are.
        image: (n, n, 3) uint8.
        limit: masks returned at most, any of those found.
    """
    n = image.shape[0]
    calm = cv2.bilateralFilter(image, 7, 40, 5)
    lab = cv2.cvtColor(calm, cv2.COLOR_RGB2LAB).astype(np.float32)
    fine = felzenszwalb(calm, scale=float(rng.uniform(60, 300)), sigma=0.8, min_size=int(n * n * 0.0008))
    found: list[Array] = []
    for threshold in (rng.uniform(8, 14), rng.uniform(16, 28), rng.uniform(30, 45)):
        labels = merge_alike(lab, fine, float(threshold))
        values, counts = np.unique(labels, return_counts=True)
        for value in values[(counts > MIN_REGION * n * n) & (counts < 0.35 * n * n)]:
            mask = smooth(labels == value, 5)
            if mask.sum() < MIN_REGION * n * n or edge_contrast(lab, mask) < 14 or ragged(mask):
                continue
            if all((mask & other).sum() < 0.85 * (mask | other).sum() for other in found):
                found.append(mask)
    return [found[int(index)] for index in rng.permutation(len(found))[:limit]]


def ragged(mask: Array) -> bool:
    """True where the outline is far longer than a thing of this area would have: leaves, grass, noise."""
    outline, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    length = sum(cv2.arcLength(part, True) for part in outline)
    return bool(length**2 > 12 * 4 * np.pi * mask.sum())
