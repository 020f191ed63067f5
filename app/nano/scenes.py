"""Pictures with truth: drawn scenes of objects on surfaces, and pieces of photographs with their regions.

A scene is what one training picture and its masks come from. Everything is drawn from one generator, so a seed
gives the same scene again. Not covered: prompts (`prompts.py`) and storage (`pool.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.nano import photos as photographs
from app.nano.cutouts import Cutouts
from app.nano.shapes import shape, strokes
from app.nano.textures import coordinates, fractal_noise, photo_crop, recolour, texture

Array = NDArray[Any]
Rng = np.random.Generator
MIN_AREA = 0.004
"""Smallest visible object, in parts of the picture: 32 x 32 pixels of 512 x 512, or 64 cells of the logit grid."""


@dataclass(frozen=True)
class Scene:
    """A picture (n, n, 3) uint8 RGB and the visible masks (n, n) bool of its objects and their parts."""

    image: Array
    masks: list[Array]


@dataclass(frozen=True)
class Material:
    """What scenes are made of: photographs, textures and ready-made objects."""

    photos: list[Array]
    surfaces: list[Array]
    cutouts: Cutouts


def material(cutouts_folder: Path | None, *, held_out: bool) -> Material:
    """Return what scenes are made of; `held_out` takes the ready-made objects that training never sees."""
    objects = Cutouts(cutouts_folder, held_out=held_out, photographed=[] if held_out else photographs.photo_objects())
    return Material(photographs.training_photos(), photographs.training_surfaces(), objects)


def soft(mask: Array, sigma: float) -> Array:
    """Return the mask as alpha with an edge about `sigma` pixels wide."""
    return cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)


def relief(rng: Rng, mask: Array) -> Array:
    """Return light (n, n, 1) float32 about 1 on a body that bulges from its outline, with a highlight at times."""
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    top = max(float(depth.max()), 1.0)
    bulge = np.sqrt(np.clip(1 - (1 - np.minimum(depth / top, 1)) ** 2, 0, 1)) * top * rng.uniform(0.3, 1.2)
    bulge = cv2.GaussianBlur(bulge, (0, 0), 1 + 0.06 * top)
    slope_x, slope_y = cv2.Sobel(bulge, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(bulge, cv2.CV_32F, 0, 1, scale=0.125)
    normal_z = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.2)
    length = np.sqrt(1 + height**2)
    facing = (-(slope_x * np.cos(angle) + slope_y * np.sin(angle)) + height) * normal_z / length
    ambient = rng.uniform(0.35, 0.8)
    light = ambient + (1.15 - ambient) * np.clip(facing, 0, 1)
    if rng.random() < 0.3:
        light = light + rng.uniform(0.2, 0.7) * np.clip(facing, 0, 1) ** rng.uniform(8, 40)
    return light[..., None]


def cast_shadow(rng: Rng, image: Array, mask: Array) -> Array:
    """Return the picture darkened where the object's soft, shifted outline falls."""
    sigma, reach = rng.uniform(2, 14), rng.normal(0, 10, 2)
    moved = np.roll(soft(mask, sigma), (int(reach[0]), int(reach[1])), (0, 1))
    return image * (1 - rng.uniform(0.15, 0.65) * moved[..., None])


def background(rng: Rng, material: Material, n: int) -> tuple[Array, list[Array]]:
    """Return a ground, and the masks of its halves where it is divided as wall and floor."""
    kind = rng.random()
    if kind < 0.3:
        return photo_crop(rng, material.photos, n, (0.3, 1.0)), []
    pool = material.photos + material.surfaces
    ground = texture(rng, pool, n, photo_share=0.35)
    if kind < 0.8:
        return ground, []
    x, y = coordinates(n)
    slant = rng.normal(0, 0.25)
    horizon = rng.uniform(0.25, 0.75) + slant * (x - 0.5) + 0.04 * rng.random() * fractal_noise(rng, n)
    below = (y > horizon) if rng.random() < 0.75 else (x > horizon)
    alpha = soft(below, rng.uniform(0.4, 2))[..., None]
    return ground * (1 - alpha) + texture(rng, pool, n, photo_share=0.35) * alpha, [below, ~below]


def drawn_object(rng: Rng, material: Material, n: int, mask: Array) -> tuple[Array, list[Array]]:
    """Return the colours (n, n, 3) of a drawn object and the masks of its parts."""
    pool = material.photos + material.surfaces
    skin = texture(rng, pool, n, photo_share=0.2)
    parts: list[Array] = []
    for _ in range(int(rng.choice([0, 0, 0, 1, 2]))):
        ys, xs = np.nonzero(mask)
        pick = int(rng.integers(len(ys)))
        part = (
            shape(rng, n, float(np.sqrt(mask.mean()) * rng.uniform(0.15, 0.5)), np.array([xs[pick], ys[pick]]) / n)
            & mask
        )
        if 0.05 * mask.sum() < part.sum() < 0.6 * mask.sum():
            skin = np.where(part[..., None], texture(rng, pool, n, photo_share=0.15), skin)
            parts.append(part)
    return (skin * relief(rng, mask) if rng.random() < 0.65 else skin), parts


def colour_part(rng: Rng, colours: Array, mask: Array) -> list[Array]:
    """Return at most one mask: the largest connected patch of about one colour inside a ready-made object."""
    ys, xs = np.nonzero(mask)
    pick = int(rng.integers(len(ys)))
    near = (np.abs(colours - colours[ys[pick], xs[pick]]).max(-1) < 0.12) & mask
    count, labels = cv2.connectedComponents(cv2.medianBlur(near.astype(np.uint8) * 255, 5))
    part = labels == labels[ys[pick], xs[pick]]
    is_part = count > 1 and labels[ys[pick], xs[pick]] > 0 and 0.06 * mask.sum() < part.sum() < 0.7 * mask.sum()
    return [part] if is_part else []


class Canvas:
    """A picture under construction: objects go on top, what they cover is taken from the masks below."""

    def __init__(self, image: Array, masks: list[Array]) -> None:
        self.image = image
        self.masks = masks

    def put(self, rng: Rng, colours: Array, alpha: Array, parts: list[Array]) -> None:
        """Lay an object with its parts over the picture."""
        mask = alpha > 0.5
        if rng.random() < 0.45:
            self.image = cast_shadow(rng, self.image, mask)
        self.image = self.image * (1 - alpha[..., None]) + colours * alpha[..., None]
        self.masks = [below & ~mask for below in self.masks] + [mask, *parts]


def add_objects(rng: Rng, material: Material, canvas: Canvas, *, huddled: bool) -> None:
    """Lay one to six objects down, or a crowd of one kind; huddled ones cover one another in part."""
    n = canvas.image.shape[0]
    crowd = rng.random() < 0.12
    crowd_scale, crowd_seed = float(rng.uniform(0.06, 0.14)), int(rng.integers(2**31))
    cutout_share = 0.5 if len(material.cutouts) else 0.0
    as_cutouts = rng.random() < cutout_share
    hub, reach = (rng.uniform(0.25, 0.75, 2), rng.uniform(0.05, 0.2)) if huddled else (np.zeros(2), 0.0)
    smallest = 0.15 if huddled and rng.random() < 0.5 else 0.05
    for _ in range(int(rng.integers(3, 10) if crowd else rng.integers(1, 7))):
        center = np.clip(rng.normal(hub, reach), 0.05, 0.95) if huddled else rng.uniform(0.05, 0.95, 2)
        scale = (
            crowd_scale * rng.uniform(0.8, 1.25)
            if crowd
            else float(np.exp(rng.uniform(np.log(smallest), np.log(0.42))))
        )
        if as_cutouts if crowd else rng.random() < cutout_share:
            source = np.random.default_rng(crowd_seed) if crowd else rng
            colours, alpha = material.cutouts.draw(source, n, scale, center)
            colours = recolour(rng, colours, 0.5) if rng.random() < 0.5 else colours
            parts = colour_part(rng, colours, alpha > 0.5) if (alpha > 0.5).any() and rng.random() < 0.2 else []
        else:
            outlined = strokes if huddled and rng.random() < 0.4 else shape
            mask = outlined(rng, n, scale, center)
            if not mask.any():
                continue
            colours, parts = drawn_object(rng, material, n, mask)
            alpha = soft(mask, rng.uniform(0.3, 1.4))
        if (alpha > 0.5).sum() > MIN_AREA * n * n:
            canvas.put(rng, colours, alpha, parts)


def clutter(rng: Rng, image: Array) -> Array:
    """Return the picture with lines, specks and scratches over it that belong to no object."""
    canvas = np.ascontiguousarray(image)
    n = canvas.shape[0]
    for _ in range(int(rng.integers(3, 30))):
        a, b = rng.integers(0, n, 2), rng.normal(0, n / 8, 2)
        colour = tuple(float(c) for c in rng.uniform(0, 1, 3))
        end = (int(a[0] + b[0]), int(a[1] + b[1]))
        cv2.line(canvas, (int(a[0]), int(a[1])), end, colour, int(rng.integers(1, 3)), cv2.LINE_AA)
    return canvas


def camera(rng: Rng, image: Array) -> Array:
    """Return the picture as a camera would give it: light, blur, grain, JPEG. (n, n, 3) uint8."""
    n = image.shape[0]
    if rng.random() < 0.4:
        x, y = coordinates(n)
        slope = rng.uniform(-0.5, 0.5, 2)
        image = image * np.clip(1 + (x - 0.5) * slope[0] + (y - 0.5) * slope[1], 0.3, 1.7)[..., None]
    if rng.random() < 0.35:
        image = recolour(rng, np.clip(image, 0, 1), 0.4)
    image = np.clip(image, 0, 1).astype(np.float32)
    if rng.random() < 0.35:
        small = int(n * rng.uniform(0.45, 0.9))
        image = cv2.resize(
            cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA), (n, n), interpolation=cv2.INTER_CUBIC
        )
    if rng.random() < 0.35:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.6:
        grain = rng.standard_normal((n, n, 1 if rng.random() < 0.3 else 3)).astype(np.float32)
        image = image + grain * rng.uniform(0, 0.04)
    pixels = (np.clip(image, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.5:
        _, packed = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))])
        pixels = decode_image(packed)
    return np.ascontiguousarray(pixels)


def decode_image(packed: Array) -> Array:
    """Return the picture (n, n, 3) uint8 RGB in the bytes of a PNG or JPEG file.

    Raises:
        ValueError: the bytes are damaged; draw the scene again.
    """
    pixels = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError("the picture of a scene is damaged; delete its file and draw it again")
    return np.ascontiguousarray(pixels[..., ::-1])


def drawn_scene(rng: Rng, material: Material, n: int = 512, *, huddle_share: float = 0.0) -> Scene:
    """Return objects on a ground."""
    canvas = Canvas(*background(rng, material, n))
    add_objects(rng, material, canvas, huddled=huddle_share > 0 and rng.random() < huddle_share)
    image = clutter(rng, canvas.image) if rng.random() < 0.12 else canvas.image
    return Scene(camera(rng, image), large_enough(canvas.masks))


def photo_scene(rng: Rng, material: Material, n: int = 512) -> Scene:
    """Return a piece of a photograph with the regions that stand out in it; an object is laid over it at times."""
    image = np.clip(photo_crop(rng, material.photos, n, (0.35, 1.0)), 0, 1)
    found = photographs.regions(rng, (image * 255).astype(np.uint8))
    canvas = Canvas(image, found)
    if len(material.cutouts) and rng.random() < 0.35:
        scale = float(np.exp(rng.uniform(np.log(0.06), np.log(0.3))))
        colours, alpha = material.cutouts.draw(rng, n, scale, rng.uniform(0.1, 0.9, 2))
        canvas.put(rng, colours, alpha, [])
    return Scene(camera(rng, canvas.image), large_enough(canvas.masks))


def large_enough(masks: list[Array]) -> list[Array]:
    """Return the masks that are neither specks nor the whole picture."""
    return [mask for mask in masks if MIN_AREA * mask.size < mask.sum() < 0.9 * mask.size]


def scene(rng: Rng, material: Material, n: int = 512, *, photo_share: float = 0.25, huddle_share: float = 0.0) -> Scene:
    """Return a scene with at least one mask, a piece of a photograph or drawn, its objects huddled together at times.

    Where `huddle_share` is 0, a seed gives the scene that it gave before there were huddles.
    """
    while True:
        if rng.random() < photo_share:
            made = photo_scene(rng, material, n)
        else:
            made = drawn_scene(rng, material, n, huddle_share=huddle_share)
        if made.masks:
            return made
