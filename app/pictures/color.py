"""Colours as a viewer shows them: what a file says of its colours is applied, and sRGB comes out.

Decision: pictures are brought to sRGB as they are read. Context: without that, a photo of a phone (Display P3) is
segmented, shown and saved paler than every viewer shows it. Choice: one place converts, for the model, the page and
every file, with LittleCMS; of what a PNG says cICP counts before iCCP, then sRGB, then gAMA with cHRM, as its
standard has it. Price: colours beyond sRGB are clipped.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image as Pil
from PIL import ImageCms

from app.pictures.icc import D65_XY, SRGB_TRANSFER, SRGB_XY, VIDEO, Numbers, h273_numbers, power, profile_of
from app.pictures.png import Png

ALIKE: Final = 2
"""Levels by which a profile may move a colour and still be taken for sRGB, whose conversion is left out."""
GAMMA_UNIT: Final = 100_000
SRGB_GAMMA: Final = 45_455
GAMMA_ALIKE: Final = 500
"""A gAMA so near that of sRGB means sRGB."""
COLOR_SPACES: Final = {"RGB": "RGB", "L": "GRAY", "I;16": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
"""The colour space that a profile of a picture of each mode has."""
NCLX: Final = b"colrnclx"
OPEN: Final = 2
"""The code point of what is left open."""
HEADER_BYTES: Final = 2**16
"""How far into a file the box that names its colours is looked for; it comes before the pixels."""


def png_profile(png: Png) -> bytes | None:
    """Return the ICC profile of a PNG's colours, None where they are sRGB or nothing is known."""
    cicp = png.chunks.get(b"cICP", b"")
    if len(cicp) == 4 and cicp[2] == 0 and (numbers := h273_numbers(cicp[0], cicp[1])) is not None:
        return profile_of(numbers, grey=png.is_grey)
    if png.profile is not None and is_profile(png.profile):
        return png.profile
    if b"sRGB" in png.chunks:
        return None
    return gamma_profile(png.chunks.get(b"gAMA", b""), png.chunks.get(b"cHRM", b""), grey=png.is_grey)


def gamma_profile(gama: bytes, chrm: bytes, *, grey: bool) -> bytes | None:
    """Return the ICC profile of a gAMA and a cHRM chunk, None where they mean sRGB or nothing."""
    if len(gama) != 4 or not (gamma := int.from_bytes(gama, "big")):
        return None
    xy, white = SRGB_XY, D65_XY
    if len(chrm) == 32:
        wx, wy, *rest = (part / GAMMA_UNIT for part in struct.unpack(">8I", chrm))
        xy, white = tuple(rest), (wx, wy)
    plain = np.allclose((*xy, *white), (*SRGB_XY, *D65_XY), atol=0.002)
    if plain and abs(gamma - SRGB_GAMMA) <= GAMMA_ALIKE:
        return None
    try:
        return profile_of(Numbers(xy, white, power(GAMMA_UNIT / gamma)), grey=grey)
    except ValueError:
        return None


def nclx_profile(data: bytes) -> bytes | None:
    """Return the ICC profile of the colours that the header of an AVIF or HEIC names by code points, if it does.

    Video's own curve, and code points that are left open, mean sRGB.
    """
    at = data.find(NCLX, 0, HEADER_BYTES) + len(NCLX)
    if at < len(NCLX) or len(data) < at + 4:
        return None
    primaries, transfer = struct.unpack(">2H", data[at : at + 4])
    means_srgb = transfer in (OPEN, *VIDEO)
    numbers = h273_numbers(primaries, SRGB_TRANSFER if means_srgb else transfer)
    return None if numbers is None else profile_of(numbers)


def is_profile(profile: bytes) -> bool:
    """Return whether some bytes are an ICC profile that can be used."""
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile)).profile.xcolor_space.strip() in COLOR_SPACES.values()
    except Exception:
        return False


def to_srgb(picture: Pil.Image, profile: bytes | None) -> Pil.Image:
    """Return a picture as 8 bit sRGB, of mode RGB.

    A profile that is broken, or of another kind of picture, is passed over.

    Args:
        picture: of mode RGB, L, I;16, CMYK or LAB, or one that has nothing to do with profiles.
        profile: its ICC profile, or None for sRGB.
    """
    try:
        converted = None if profile is None else by_profile(picture, profile)
    except Exception:  # a profile is not worth a picture, whatever LittleCMS stumbles over
        converted = None
    return plain_rgb(picture) if converted is None else converted


def by_profile(picture: Pil.Image, profile: bytes) -> Pil.Image | None:
    """Return a picture as sRGB by its profile, None where that changes nothing, or the profile is of another kind."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if space == "RGB" and picture.mode in ("L", "I;16"):
        picture = plain_rgb(picture)
    if COLOR_SPACES.get(picture.mode) != space:
        return None
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), picture.mode, "RGB")
    return None if changes_nothing(transform, picture.mode) else transform.apply(picture)


def changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Return whether a transform leaves a handful of colours from all over as they are."""
    if mode not in ("RGB", "L"):
        return False
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(27, 27, 3)
    swatch = Pil.fromarray(cube if mode == "RGB" else levels[None])
    before, after = (np.asarray(each.convert("RGB"), np.int16) for each in (swatch, transform.apply(swatch)))
    return bool(np.abs(after - before).max() <= ALIKE)


def plain_rgb(picture: Pil.Image) -> Pil.Image:
    """Return a picture as RGB by its numbers alone; of 16 bits the high byte."""
    if picture.mode == "I;16":
        picture = Pil.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return picture.convert("RGB")
