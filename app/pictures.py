"""From the bytes that a stranger sent to an upright RGB picture, within limits.

Only JPEG, PNG and WebP parsers ever run; sizes are read from the header before a pixel is decoded. File names and
media types are not looked at, and nothing is fetched by address.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image as Pil
from PIL import UnidentifiedImageError

from app.engine.contract import Image
from app.errors import CorruptImageError, ImageTooLargeError, TooManyPixelsError, UnsupportedImageError
from app.settings import Settings

FORMATS: Final = ("JPEG", "PNG", "WEBP")
WORKING_SIDE: Final = 2048
"""Longest side of the picture that the model sees. Its own input is 1024 or less; more only costs memory."""
EXIF_ORIENTATION: Final = 0x0112
UPRIGHT: Final = {
    2: Pil.Transpose.FLIP_LEFT_RIGHT,
    3: Pil.Transpose.ROTATE_180,
    4: Pil.Transpose.FLIP_TOP_BOTTOM,
    5: Pil.Transpose.TRANSPOSE,
    6: Pil.Transpose.ROTATE_270,
    7: Pil.Transpose.TRANSVERSE,
    8: Pil.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation; from 5 on it swaps width and height."""


@dataclass(frozen=True)
class PictureLimits:
    """Bounds of one picture, from the settings."""

    max_bytes: int
    max_pixels: int
    max_side: int
    max_aspect: int

    @classmethod
    def of(cls, settings: Settings) -> PictureLimits:
        """Return the bounds that an operator has set."""
        return cls(settings.max_upload_bytes, settings.max_pixels, settings.max_side, settings.max_aspect)


@dataclass(frozen=True)
class Picture:
    """A picture that was understood.

    Attributes:
        image_id: 32 hex digits of the SHA-256 of its bytes: who has the picture has its name, nobody else.
        width, height: of the upright picture, in pixels; the frame of all points and boxes.
        working: (h, w, 3) uint8 RGB, upright, at most `WORKING_SIDE` on the long side.
    """

    image_id: str
    width: int
    height: int
    working: Image


def image_id_of(data: bytes) -> str:
    """Return the name of a picture: the same bytes have the same name, in every session."""
    return sha256(data).hexdigest()[:32]


def read_picture(data: bytes, limits: PictureLimits) -> Picture:
    """Return the upright picture in some bytes. Takes up to seconds; call it in a worker thread.

    Transparent pixels are laid over white. Of an animation the first frame counts.

    Raises:
        ImageTooLargeError, TooManyPixelsError: beyond a limit; nothing was decoded.
        UnsupportedImageError: not a JPEG, PNG or WebP.
        CorruptImageError: cut or damaged.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLargeError(f"a picture may have {limits.max_bytes} bytes, got {len(data)}; save it smaller")
    with open_picture(data) as picture:
        check_size(picture.size, limits)
        width, height = picture.size
        rgb = decoded(picture, at_least=WORKING_SIDE)
        turn = orientation(picture)
    if turn >= 5:
        width, height = height, width
    rgb.thumbnail((WORKING_SIDE, WORKING_SIDE), Pil.Resampling.LANCZOS, reducing_gap=3.0)
    return Picture(image_id_of(data), width, height, np.asarray(upright(rgb, turn)))


def read_native(data: bytes, limits: PictureLimits) -> Image:
    """Return a picture at its own size, (H, W, 3) uint8 RGB, upright. Takes up to seconds; call it in a worker thread.

    The array is the caller's own to change.

    Raises:
        TooManyPixelsError, UnsupportedImageError, CorruptImageError: see `read_picture`.
    """
    with open_picture(data) as picture:
        check_size(picture.size, limits)
        rgb = decoded(picture)
        return np.array(upright(rgb, orientation(picture)))


def open_picture(data: bytes) -> Pil.Image:
    """Return the picture with only its header read.

    Raises:
        UnsupportedImageError, CorruptImageError: see `read_picture`.
    """
    try:
        with warnings.catch_warnings():  # of a bomb, which `check_size` judges by the settings, and of bad EXIF
            warnings.simplefilter("ignore")
            return Pil.open(BytesIO(data), formats=FORMATS)
    except Pil.DecompressionBombError as error:
        raise TooManyPixelsError("the picture has far too many pixels; scale it down") from error
    except UnidentifiedImageError as error:
        raise UnsupportedImageError("expected a JPEG, PNG or WebP picture; convert the file and try again") from error
    except Exception as error:
        raise CorruptImageError("the picture's header is damaged; save it again") from error


def check_size(size_wh: tuple[int, int], limits: PictureLimits) -> None:
    """Refuse a picture by the size that its header states.

    Raises:
        TooManyPixelsError: too many pixels, a side too long, or a strip.
    """
    width, height = size_wh
    if width * height > limits.max_pixels or max(size_wh) > limits.max_side:
        raise TooManyPixelsError(
            f"a picture may have {limits.max_pixels / 1e6:g} megapixels and sides of {limits.max_side}, "
            f"got {width} x {height}; scale it down"
        )
    if max(size_wh) > limits.max_aspect * min(size_wh):
        raise TooManyPixelsError(
            f"a picture may be {limits.max_aspect} times as long as wide, got {width} x {height}; crop it"
        )


def decoded(picture: Pil.Image, *, at_least: int | None = None) -> Pil.Image:
    """Return the pixels of a picture as RGB, not yet upright.

    Args:
        picture: with its header read.
        at_least: a JPEG may be decoded smaller, to sides no shorter than this; None decodes it whole.

    Raises:
        CorruptImageError: cut or damaged.
    """
    try:
        if at_least is not None:
            picture.draft("RGB", (at_least, at_least))
        picture.load()
        return to_rgb(picture)
    except Exception as error:  # parsers raise many kinds on damaged data, SyntaxError among them
        raise CorruptImageError("the picture is cut or damaged; save it again and send it whole") from error


def upright(picture: Pil.Image, turn: int) -> Pil.Image:
    """Return a picture turned by its EXIF orientation, 1 to 8."""
    return picture.transpose(UPRIGHT[turn]) if turn in UPRIGHT else picture


def orientation(picture: Pil.Image) -> int:
    """Return the EXIF orientation of a picture, 1 to 8; 1 where the mark is missing or damaged."""
    try:
        mark = picture.getexif().get(EXIF_ORIENTATION)
    except Exception:  # the mark is not worth a picture, whatever its parser stumbles over
        return 1
    return mark if mark in UPRIGHT else 1


def to_rgb(picture: Pil.Image) -> Pil.Image:
    """Return the picture as RGB: 16 bit grey scaled down, not clipped, and transparency laid over white."""
    if picture.mode.startswith("I"):
        grey = (np.asarray(picture, np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        picture = Pil.fromarray(grey)
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Pil.new("RGBA", layer.size, "white")
        picture.alpha_composite(layer)
    return picture.convert("RGB")
