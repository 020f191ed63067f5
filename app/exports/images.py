"""Masks, cutouts and overlays as PNG, at the picture's native size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Final
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageDraw

from app.arrays import MaskArray
from app.errors import Reason, TooManyObjectsError, UnknownObjectError
from app.exports.edges import softened
from app.exports.names import MAX_FILE_NAME_BYTES, clipped, fit_for_files
from app.exports.outlines import Ring
from app.exports.polygons import simple_parts
from app.exports.selection import ExportObject, PixelArray, Selection
from app.protocol.run_lengths import box_of
from app.session.names import UNNAMED_CLASS, class_name
from app.session.palette import color_rgb

MAX_INDEXED: Final = 255
"""Colours of an indexed PNG beside the background."""
TINT: Final = 0.45
"""Share of an object's colour in its pixels: it is seen, and the picture under it too."""
STROKES_ACROSS: Final = 400
"""An outline is so many times thinner than the picture is long."""
COLOR_LEVEL: Final = 3
"""How hard zlib tries on pictures: more takes twice as long for a tenth of the bytes."""
MASK_LEVEL: Final = 6
"""How hard zlib tries on masks, which are so plain that it is done in no time."""
RGBA_CHANNELS: Final = 4
"""Red, green, blue, and how opaque: a picture with so many is transparent somewhere."""


def mask_png(selection: Selection, out: IO[bytes]) -> None:
    """Write the mask of the only object: 8 bit grey, 255 on the object and 0 elsewhere.

    Raises:
        UnknownObjectError: there is no object.
    """
    require_object(selection)
    grey(selection.objects[0].draw()).save(out, "PNG", compress_level=MASK_LEVEL)


def masks_zip(selection: Selection, out: IO[bytes]) -> None:
    """Write the masks of several objects: a grey PNG each, and `indexed.png` with all.

    A pixel of `indexed.png` has the number that the name of its object's own PNG begins with, 0 where there is none;
    where objects overlap, the last made lies on top.

    Raises:
        TooManyObjectsError: an indexed PNG has no room for so many.
    """
    check_indexed(len(selection.objects))
    numbers: NDArray[np.uint8] = np.zeros(selection.image.size_hw, np.uint8)
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for number, shown in enumerate(selection.objects, 1):
            mask_hw = shown.draw()
            numbers[mask_hw] = number
            with archive.open(member_name(number, shown), "w") as member:
                grey(mask_hw).save(member, "PNG", compress_level=MASK_LEVEL)
        with archive.open("indexed.png", "w") as member:
            colors = [color_rgb(selection.color_of(shown)) for shown in selection.objects]
            indexed(numbers, colors).save(member, "PNG", compress_level=MASK_LEVEL)


def member_name(number: int, shown: ExportObject) -> str:
    """Return the name of an object's own PNG: its number and its class."""
    stem = f"{number:03d}-{fit_for_files(class_name(shown.item)).strip(' .') or UNNAMED_CLASS}"
    return f"{clipped(stem, MAX_FILE_NAME_BYTES - len('.png'))}.png"


def cutout_png(selection: Selection, out: IO[bytes]) -> None:
    """Write the picture with everything but the objects transparent, and black beneath; or over a colour.

    Where the picture is itself transparent, so is the object. The options say whether its edge is soft and whether
    the picture is cut to what is seen of the objects.

    Raises:
        UnknownObjectError: there is no object.
    """
    require_object(selection)
    Pil.fromarray(cutout_pixels(selection)).save(out, "PNG", compress_level=COLOR_LEVEL)


def cutout_pixels(selection: Selection) -> NDArray[np.uint8]:
    """Return what `cutout_png` writes, (H, W, 4), or (H, W, 3) over a colour."""
    options = selection.options
    rgba = (soft_cutout if options.edge == "soft" else hard_cutout)(selection)
    if options.trim:
        x0, y0, x1, y1 = box_of(rgba[..., 3] > 0)
        rgba = rgba[y0:y1, x0:x1] if x0 < x1 else rgba
    cut = Pil.fromarray(rgba)
    if options.ground is not None:
        ground = Pil.new("RGB", cut.size, options.ground)
        ground.paste(cut, mask=cut)
        cut = ground
    return np.asarray(cut)


def covered(selection: Selection) -> MaskArray:
    """Return what all objects cover, (H, W) bool."""
    mask_hw: MaskArray = np.zeros(selection.image.size_hw, np.bool_)
    for shown in selection.objects:
        mask_hw |= shown.draw()
    return mask_hw


def hard_cutout(selection: Selection) -> NDArray[np.uint8]:
    """Return the picture, (H, W, 4), every pixel of which is in or out."""
    cut = np.where(covered(selection), np.uint8(255), np.uint8(0))[..., None]
    pixels = selection.pixels()
    pixels &= cut  # what was cut away is nobody's business; a picture's own transparency stays
    return pixels if pixels.shape[2] == RGBA_CHANNELS else np.concatenate([pixels, cut], axis=2)


def soft_cutout(selection: Selection) -> NDArray[np.uint8]:
    """Return the picture, (H, W, 4), with an edge that follows what it shows."""
    mask_hw = covered(selection)
    pixels = selection.pixels()
    rgba: NDArray[np.uint8] = np.zeros((*selection.image.size_hw, RGBA_CHANNELS), np.uint8)
    for soft in softened(pixels[..., :3], mask_hw):
        part = rgba[soft.rows, soft.columns]
        part[..., :3], part[..., 3] = soft.rgb, soft.alpha
        if pixels.shape[2] == RGBA_CHANNELS:
            part[..., 3] = np.minimum(soft.alpha, pixels[soft.rows, soft.columns, 3])
        part[part[..., 3] == 0] = 0  # what was cut away is nobody's business
    return rgba


def overlay_png(selection: Selection, out: IO[bytes]) -> None:
    """Write the picture, over white, with the objects tinted and outlined in their colours."""
    Pil.fromarray(overlay_pixels(selection)).save(out, "PNG", compress_level=COLOR_LEVEL)


def overlay_pixels(selection: Selection) -> NDArray[np.uint8]:
    """Return what `overlay_png` writes, (H, W, 3)."""
    pixels = opaque(selection.pixels())
    outlines: list[tuple[list[Ring], tuple[int, int, int]]] = []
    for shown in selection.objects:
        mask_hw, color = shown.draw(), color_rgb(selection.color_of(shown))
        tint(pixels, mask_hw, color)
        outlines.append(([ring for part in simple_parts(mask_hw) for ring in (part.outer, *part.holes)], color))
    drawn = Pil.fromarray(pixels)
    pen, stroke = ImageDraw.Draw(drawn), max(1, round(max(pixels.shape) / STROKES_ACROSS))
    for rings, color in outlines:
        for ring in rings:
            pen.line([*map(tuple, ring.tolist()), tuple(ring[0].tolist())], fill=color, width=stroke, joint="curve")
    return np.asarray(drawn)


def opaque(pixels: PixelArray) -> NDArray[np.uint8]:
    """Return a picture over white, (H, W, 3); the same array where it is opaque."""
    if pixels.shape[2] != RGBA_CHANNELS:
        return pixels
    picture = Pil.fromarray(pixels)
    white = Pil.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return np.array(white)


def tint(pixels: NDArray[np.uint8], mask_hw: MaskArray, color: tuple[int, int, int]) -> None:
    """Mix a colour into the pixels of a mask, in place."""
    x0, y0, x1, y1 = box_of(mask_hw)
    crop, inside = pixels[y0:y1, x0:x1], mask_hw[y0:y1, x0:x1]
    crop[inside] = ((1 - TINT) * crop[inside] + TINT * np.array(color)).astype(np.uint8)


def grey(mask_hw: MaskArray) -> Pil.Image:
    """Return a mask as a grey picture, 0 or 255."""
    return Pil.fromarray(mask_hw.astype(np.uint8) * np.uint8(255))


def check_indexed(count: int) -> None:
    """Refuse so many objects in one indexed picture.

    Raises:
        TooManyObjectsError: it has no room for them.
    """
    if count > MAX_INDEXED:
        text = "an indexed mask takes {most} objects, got {got}; name fewer in objects"
        raise TooManyObjectsError(Reason("indexed", text, most=MAX_INDEXED, got=count))


def indexed(numbers: NDArray[np.uint8], colors: Sequence[tuple[int, int, int]]) -> Pil.Image:
    """Return the number of each pixel's object, (H, W) uint8, as a picture in the objects' colours."""
    picture = Pil.fromarray(numbers).convert("P")
    picture.putpalette([0, 0, 0, *(part for color in colors for part in color)])
    return picture


def require_object(selection: Selection) -> None:
    """Refuse a picture of nothing.

    Raises:
        UnknownObjectError: no object was asked for, or there is none.
    """
    if not selection.objects:
        raise UnknownObjectError(
            Reason("export_nothing", "there is no object to export; click one first, or name one in objects")
        )
