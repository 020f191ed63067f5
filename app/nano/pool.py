"""A growing store of scenes on disk, so that drawing them and training on them run side by side.

One process draws (`python -m app nano draw`), another trains; a scene is used several times, each time cropped,
mirrored and recoloured anew. A scene is one `.npz` file: the picture as JPEG or PNG bytes, the masks as packed bits.
Scenes lie in a folder for each set that they come from, and sets are drawn from by shares: of 2,000 photographs, half
show clothes, and variety teaches more than number.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.nano.scenes import Scene, decode_image, large_enough
from app.nano.textures import recolour

Array = NDArray[Any]
Rng = np.random.Generator

SHARES: Final = {
    "drawn": 11.0,
    "coco": 5.0,
    "pasted": 4.0,
    "regions": 3.0,
    "ccp": 2.5,
    "cal": 2.0,
    "cat": 1.5,
    "grounds": 1.5,
}
"""How often a scene comes from which set, against 1 for any other set."""


def save(path: Path, made: Scene) -> None:
    """Write a scene under its final name in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _, picture = cv2.imencode(".png", made.image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    masks = np.packbits(np.stack(made.masks).reshape(len(made.masks), -1), axis=1)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez_compressed(file, picture=picture, masks=masks)
    partial.replace(path)


def load(path: Path) -> Scene:
    """Return the scene of a file."""
    with np.load(path) as stored:
        image = decode_image(stored["picture"])
        n = image.shape[0]
        bits = np.unpackbits(stored["masks"], axis=1, count=n * n)
        return Scene(image, list(bits.reshape(-1, n, n).astype(bool)))


def fill(folder: Path, count: int, seed: int, make: Callable[[Rng], Scene]) -> None:
    """Write `count` scenes; what is there already is kept, so that a stopped run goes on where it was."""
    for index in range(count):
        path = folder / f"{index:06d}.npz"
        if not path.exists():
            save(path, make(np.random.default_rng((seed, index))))


class Pool:
    """The scenes of a folder, read at random; new files are seen as they come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sets: dict[str, list[Path]] = {}
        self.drawn = 0

    def sample(self, rng: Rng) -> Scene:
        """Return any scene of a set that `SHARES` chose, later ones as likely as earlier ones."""
        if self.drawn % 200 == 0:
            self.sets = {}
            for file in sorted(self.folder.glob("*/*.npz")):
                self.sets.setdefault(file.parent.name, []).append(file)
        self.drawn += 1
        shares = np.array([SHARES.get(name, 1.0) for name in self.sets])
        files = list(self.sets.values())[int(rng.choice(len(shares), p=shares / shares.sum()))]
        return load(files[int(rng.integers(len(files)))])


def augment(rng: Rng, made: Scene, n: int) -> Scene:
    """Return a crop of the scene at n x n, mirrored and recoloured at times; masks that became specks are left out."""
    full = made.image.shape[0]
    side = full if rng.random() < 0.5 else int(full * rng.uniform(0.55, 1))
    top, left = int(rng.integers(0, full - side + 1)), int(rng.integers(0, full - side + 1))
    box = (slice(top, top + side), slice(left, left + side))
    shrink = cv2.INTER_AREA if n < side else cv2.INTER_LINEAR
    image = cv2.resize(made.image[box], (n, n), interpolation=shrink)
    masks = [cv2.resize(mask[box].astype(np.uint8) * 255, (n, n), interpolation=shrink) > 127 for mask in made.masks]
    if rng.random() < 0.5:
        image, masks = image[:, ::-1], [mask[:, ::-1] for mask in masks]
    if rng.random() < 0.1:
        image, masks = image[::-1], [mask[::-1] for mask in masks]
    if rng.random() < 0.4:
        light = recolour(rng, image.astype(np.float32) / 255, 0.5)
        image = (np.clip(light, 0, 1) * 255).astype(np.uint8)
    visible = large_enough(masks)
    return Scene(np.ascontiguousarray(image), [np.ascontiguousarray(mask) for mask in visible])
