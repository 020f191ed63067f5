"""Photographs with masks that people drew, as scenes; and scenes with things cut out of them.

A folder of photographs holds `images/NAME.jpg` and `masks/NAME.png`, a palette picture whose value is the number of the
thing at each pixel, 0 for none. `masks/NAME.whole.png` may hold wholes in the same way whose parts are in the first.
What stands before the first `_` of a name is its set.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.nano.pool import save
from app.nano.scenes import Canvas, Scene, camera, large_enough
from app.nano.stuff import ground_scene, region_scene
from app.nano.textures import recolour

Array = NDArray[Any]
Rng = np.random.Generator

SIDE: Final = 512
THINGS: Final = {"cal": 0.62, "ccp": 0.18, "cat": 0.1, "coco": 0.1}
GROUNDS: Final = {"coco": 0.34, "cat": 0.3, "cal": 0.26, "ccp": 0.1}
"""How often a thing, or a ground, comes from which set."""
REGIONS_EVERY: Final = 7
"""Photographs to one whose regions are looked for, which takes a second."""
SMALLEST_THING: Final = 1500
"""Pixels; smaller ones are blurred when they are laid elsewhere."""


@dataclass(frozen=True)
class Photo:
    """A photograph (H, W, 3) uint8, its masks, and the wholes that some of these are parts of, (H, W) bool each."""

    image: Array
    masks: list[Array]
    wholes: list[Array]


class Photos:
    """The photographs of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sets: dict[str, list[str]] = {}
        for file in sorted((folder / "images").glob("*.jpg")):
            self.sets.setdefault(file.stem.split("_")[0], []).append(file.stem)
        if not self.sets:
            raise ValueError(f"{folder / 'images'} holds no JPEG; give the folder that has images/ and masks/")

    def read(self, name: str) -> Photo:
        """Return a photograph."""
        with Image.open(self.folder / "images" / f"{name}.jpg") as picture:
            image = np.asarray(picture.convert("RGB"))
        return Photo(image, self._masks(f"{name}.png"), self._masks(f"{name}.whole.png"))

    def pick(self, rng: Rng, shares: dict[str, float]) -> tuple[str, Photo]:
        """Return the set and the picture of a draw by shares of sets; sets that aren't there are left out."""
        present = [name for name in shares if name in self.sets] or list(self.sets)
        weights = np.array([shares.get(name, 1.0) for name in present])
        chosen = present[int(rng.choice(len(present), p=weights / weights.sum()))]
        names = self.sets[chosen]
        return chosen, self.read(names[int(rng.integers(len(names)))])

    def _masks(self, name: str) -> list[Array]:
        file = self.folder / "masks" / name
        if not file.exists():
            return []
        with Image.open(file) as picture:
            numbers = np.asarray(picture)
        return [numbers == number for number in np.unique(numbers) if number]


def photo_scene(photo: Photo, side: int = SIDE) -> Scene:
    """Return a photograph stretched to the square, as an engine stretches it, with its masks and wholes."""
    shrink = cv2.INTER_AREA if max(photo.image.shape[:2]) > side else cv2.INTER_LINEAR
    image = cv2.resize(photo.image, (side, side), interpolation=shrink)
    masks = [stretched(mask, side) for mask in photo.masks + photo.wholes]
    return Scene(image, large_enough(masks))


def save_photos(photos: Photos, pool: Path, seed: int) -> None:
    """Write every photograph that has masks as a scene of its set, and those with grounds and regions as masks too.

    What is there already is kept.
    """
    for number, (name, file) in enumerate((name, file) for name, files in photos.sets.items() for file in files):
        path = pool / name / f"{file}.npz"
        made = None if path.exists() else photo_scene(photos.read(file))
        if made is None or not made.masks:
            continue
        further = {"grounds": ground_scene(made)}
        if number % REGIONS_EVERY == 0:
            further["regions"] = region_scene(np.random.default_rng((seed, number)), made)
        for kind, scene in further.items():
            if scene is not None:
                save(pool / kind / f"{file}.npz", scene)
        save(path, made)  # last, so that a stopped run makes all of them again


def stretched(mask: Array, side: int) -> Array:
    """Return (side, side) bool."""
    return cv2.resize(mask.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST) > 0


@dataclass(frozen=True)
class Cut:
    """A thing cut out of a photograph: colours (h, w, 3) float32 in [0, 1], alpha (h, w) float32, parts (h, w) bool."""

    colours: Array
    alpha: Array
    parts: list[Array]


def cut_thing(rng: Rng, photos: Photos) -> Cut:
    """Return a thing that its photograph shows whole."""
    while True:
        _, photo = photos.pick(rng, THINGS)
        candidates = photo.wholes or photo.masks
        if not candidates:
            continue
        mask = candidates[int(rng.integers(len(candidates)))]
        if not is_whole(mask):
            continue
        parts = [part & mask for part in photo.masks] if photo.wholes else []
        kept = [part for part in parts if 0.05 * mask.sum() < part.sum() < 0.8 * mask.sum()]
        return cut_out(photo.image, mask, kept)


def is_whole(mask: Array) -> bool:
    """True for a thing in one piece, large enough, that the picture's edge cuts at one side at most."""
    if mask.sum() < SMALLEST_THING:
        return False
    sides = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return sum(bool(side.any()) for side in sides) < 2 and stats[1:, cv2.CC_STAT_AREA].max() >= 0.95 * mask.sum()


def cut_out(image: Array, mask: Array, parts: list[Array]) -> Cut:
    """Return a thing with a soft edge, a pixel inside its mask so that nothing of the ground comes along."""
    ys, xs = np.nonzero(mask)
    box = (slice(max(ys.min() - 3, 0), ys.max() + 4), slice(max(xs.min() - 3, 0), xs.max() + 4))
    core = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    alpha = cv2.GaussianBlur(core, (0, 0), 0.9)
    return Cut(image[box].astype(np.float32) / 255, alpha[box], [part[box] for part in parts])


def placed(rng: Rng, cut: Cut, side: int) -> Cut:
    """Return a thing somewhere on a square of `side` pixels, turned a little and mirrored at times."""
    height, width = cut.alpha.shape
    zoom = float(np.exp(rng.uniform(np.log(0.15), np.log(0.95)))) * side / max(height, width)
    angle = rng.normal(0, 0.15)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * zoom
    turn[:, 0] *= -1.0 if rng.random() < 0.5 else 1.0
    center = np.array([rng.uniform(0.1, 0.9), rng.uniform(0.15, 0.85)]) * side
    move = np.column_stack([turn, center - turn @ np.array([width / 2, height / 2])])
    sharp = cv2.GaussianBlur(cut.colours, (0, 0), max(0.3, 0.4 / zoom)) if zoom < 0.8 else cut.colours
    colours = cv2.warpAffine(sharp, move, (side, side), borderMode=cv2.BORDER_REPLICATE)
    parts = [cv2.warpAffine(part.astype(np.float32), move, (side, side)) > 0.5 for part in cut.parts]
    return Cut(colours, cv2.warpAffine(cut.alpha, move, (side, side)), parts)


def pasted_scene(rng: Rng, photos: Photos, side: int = SIDE) -> Scene:
    """Return one to four things on another photograph, whose own masks lose what is covered; at least one mask."""
    while True:
        ground = crop(rng, photos.pick(rng, GROUNDS)[1])
        made = photo_scene(ground, side)
        canvas = Canvas(made.image.astype(np.float32) / 255, made.masks)
        for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1]))):
            cut = placed(rng, cut_thing(rng, photos), side)
            colours = np.clip(recolour(rng, cut.colours, 0.4), 0, 1) if rng.random() < 0.4 else cut.colours
            canvas.put(rng, colours, cut.alpha, cut.parts if rng.random() < 0.4 else [])
        masks = large_enough(canvas.masks)
        if masks:
            return Scene(camera(rng, canvas.image) if rng.random() < 0.5 else pixels(canvas.image), masks)


def crop(rng: Rng, photo: Photo) -> Photo:
    """Return a piece of a photograph, mirrored at times."""
    height, width = photo.image.shape[:2]
    share = rng.uniform(0.6, 1)
    tall, wide = int(height * share), int(width * share)
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    step = -1 if rng.random() < 0.5 else 1
    box = (slice(top, top + tall), slice(left, left + wide))
    piece = [np.ascontiguousarray(mask[box][:, ::step]) for mask in photo.masks]
    wholes = [np.ascontiguousarray(mask[box][:, ::step]) for mask in photo.wholes]
    return Photo(np.ascontiguousarray(photo.image[box][:, ::step]), piece, wholes)


def pixels(image: Array) -> Array:
    """Return colours in [0, 1] as (h, w, 3) uint8."""
    return np.ascontiguousarray((np.clip(image, 0, 1) * 255).astype(np.uint8))
