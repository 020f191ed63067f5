"""Reading a picture: for the model, for files of its own size, and for pages that can't show it themselves."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

from app.arrays import ImageArray
from app.errors import CorruptImageError, ImageTooLargeError, Reason
from app.pictures.color import nclx_profile, png_profile, to_srgb
from app.pictures.depth import sixteen_bits
from app.pictures.formats import Opened, is_deep_with_alpha, open_picture, reason
from app.pictures.limits import PictureLimits
from app.pictures.orientation import orientation_of, upright
from app.pictures.png import Png

WORKING_SIDE: Final = 2048
"""Longest side of the picture that the model sees. Its own input is 1024 or less; more only costs memory."""
TURNED_BY_THE_PAGE: Final = ("JPEG", "PNG", "WEBP")
"""Formats whose marks the page takes out. Turns of AVIF and HEIC are part of their decoding, everywhere."""
RENDERED: Final = ("TIFF", "HEIF")
"""Formats that few browsers show, and those not all alike."""
SCALED_FIRST: Final = ("RGB", "L", "CMYK")
"""Modes of opaque pictures that can be scaled before their colours are converted, which saves most of the work."""
MAX_PNG_PIXELS: Final = 4_000_000
"""A rendition of more pixels is a JPEG: as a PNG, a photograph would take seconds and tens of megabytes."""
PHOTOMETRIC: Final = 262
JPEG_QUALITY: Final = 92
"""Of a picture that is shown in the place of one that browsers can't read: no eye sees the loss."""

NativeArray = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB, or (H, W, 4) with alpha where the picture is transparent; sRGB, upright, at its own size."""


@dataclass(frozen=True)
class Picture:
    """A picture that was understood.

    Attributes:
        image_id: 32 hex digits of the SHA-256 of its bytes: who has the picture has its name, nobody else.
        width, height: of the upright picture, in pixels; the frame of all points and boxes.
        working: (h, w, 3) uint8 sRGB, upright, over white, at most `WORKING_SIDE` on the long side.
        orientation: 1 to 8, the EXIF orientation by which the pixels of the file, decoded without heeding a mark,
            become upright.
        rendered: True where browsers show the file not at all or otherwise; see `render_picture`.
    """

    image_id: str
    width: int
    height: int
    working: ImageArray
    orientation: int = 1
    rendered: bool = False


@dataclass(frozen=True)
class Rendition:
    """A picture for pages that can't show the file: a PNG or JPEG of pixels alone, upright, in sRGB."""

    data: bytes
    media_type: str


@dataclass
class Decoded:
    """The pixels of a picture, not yet upright, and how they are to be taken.

    Attributes:
        color: of mode RGB, L, I;16, CMYK or LAB.
        alpha: of mode L, None where the picture is opaque.
        stretched: its grey levels were spread over black to white.
        profile: the ICC profile of `color`, None for sRGB.
        turn: 1 to 8, the EXIF orientation.
    """

    color: Pil.Image
    alpha: Pil.Image | None
    stretched: bool
    profile: bytes | None
    turn: int


def image_id_of(data: bytes) -> str:
    """Return the name of a picture: the same bytes have the same name, in every session."""
    return sha256(data).hexdigest()[:32]


def read_picture(data: bytes, limits: PictureLimits) -> Picture:
    """Return the upright picture in some bytes. Takes up to seconds; call it in a worker thread.

    Transparent pixels are laid over white. Of an animation the first frame counts, of a TIFF the first page.

    Raises:
        ImageTooLargeError, TooManyPixelsError: beyond a limit; nothing was decoded.
        UnsupportedImageError: of a format that isn't read.
        CorruptImageError: cut or damaged.
    """
    if len(data) > limits.max_bytes:
        raise ImageTooLargeError(
            Reason(
                "picture_bytes",
                "a picture may have {most} bytes, got {got}; save it smaller",
                most=limits.max_bytes,
                got=len(data),
            )
        )
    opened = open_picture(data, limits)
    with opened.pixels:
        width, height = opened.pixels.size
        decoded = decode(opened, at_least=WORKING_SIDE)
        working = upright(shrunk(decoded), decoded.turn)
    if decoded.turn >= 5:
        width, height = height, width
    orientation = decoded.turn if opened.kind in TURNED_BY_THE_PAGE else 1
    rendered = decoded.stretched or opened.kind in RENDERED
    return Picture(image_id_of(data), width, height, np.asarray(working), orientation, rendered)


def read_native(data: bytes, limits: PictureLimits) -> NativeArray:
    """Return a picture at its own size. Takes up to seconds; call it in a worker thread.

    The array is the caller's own to change. The colours of pixels that are wholly transparent mean nothing.

    Raises:
        TooManyPixelsError, UnsupportedImageError, CorruptImageError: see `read_picture`.
    """
    return np.array(native(data, limits))


def read_opaque(data: bytes, limits: PictureLimits) -> ImageArray:
    """Return a picture at its own size, as a model sees it: over white. Takes up to seconds, as `read_native`."""
    return np.asarray(opaque(native(data, limits)))


def part_for_model(pixels: ImageArray, window: tuple[int, int, int, int]) -> ImageArray:
    """Return a part of a picture as a model sees it, at most `WORKING_SIDE` on the long side.

    Args:
        pixels: (H, W, 3) uint8, see `read_opaque`.
        window: `(x0, y0, x1, y1)` of it.
    """
    x0, y0, x1, y1 = window
    part = np.ascontiguousarray(pixels[y0:y1, x0:x1])
    return part if max(part.shape[:2]) <= WORKING_SIDE else np.asarray(fitted(Pil.fromarray(part)))


def render_picture(data: bytes, limits: PictureLimits) -> Rendition:
    """Return a picture as every browser shows it, at its own size. Takes up to seconds; call it in a worker thread.

    Raises:
        TooManyPixelsError, UnsupportedImageError, CorruptImageError: see `read_picture`.
    """
    picture, out = native(data, limits), BytesIO()
    if picture.width * picture.height <= MAX_PNG_PIXELS:
        picture.save(out, "PNG", compress_level=1)
        return Rendition(out.getvalue(), "image/png")
    opaque(picture).save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return Rendition(out.getvalue(), "image/jpeg")


def native(data: bytes, limits: PictureLimits) -> Pil.Image:
    """Return a picture at its own size, upright sRGB, of mode RGB or RGBA.

    Raises:
        TooManyPixelsError, UnsupportedImageError, CorruptImageError: see `read_picture`.
    """
    opened = open_picture(data, limits)
    with opened.pixels:
        decoded = decode(opened)
        rgb = to_srgb(decoded.color, decoded.profile)
        if decoded.alpha is not None:
            rgb.putalpha(decoded.alpha)
        return upright(rgb, decoded.turn).copy()  # before its file is closed


def shrunk(decoded: Decoded) -> Pil.Image:
    """Return a picture over white, sRGB, at most `WORKING_SIDE` on the long side."""
    color, alpha = decoded.color, decoded.alpha
    if alpha is None and color.mode in SCALED_FIRST:
        return to_srgb(fitted(color), decoded.profile)
    rgb = to_srgb(color, decoded.profile)
    return fitted(rgb if alpha is None else over_white(rgb, alpha))


def fitted(picture: Pil.Image) -> Pil.Image:
    """Return a picture of at most `WORKING_SIDE`, the same one where it fits."""
    picture.thumbnail((WORKING_SIDE, WORKING_SIDE), Pil.Resampling.LANCZOS, reducing_gap=3.0)
    return picture


def opaque(picture: Pil.Image) -> Pil.Image:
    """Return a picture of mode RGB or RGBA over white."""
    return over_white(picture.convert("RGB"), picture.getchannel("A")) if picture.mode == "RGBA" else picture


def over_white(rgb: Pil.Image, alpha: Pil.Image) -> Pil.Image:
    """Return a picture laid over white."""
    white = Pil.new("RGB", rgb.size, "white")
    white.paste(rgb, mask=alpha)
    return white


def decode(opened: Opened, *, at_least: int | None = None) -> Decoded:
    """Return the pixels of a picture.

    Args:
        opened: with its header read.
        at_least: a JPEG may be decoded smaller, to sides no shorter than this; None decodes it whole.

    Raises:
        CorruptImageError: cut or damaged.
    """
    picture = opened.pixels
    try:
        if at_least is not None:
            picture.draft("RGB", (at_least, at_least))
        picture.load()
        color, alpha, stretched = separated(opened)
    except Exception as error:  # parsers raise many kinds on damaged data, SyntaxError among them
        cut = "truncated" in str(error) or "premature" in str(error).lower()
        if cut:
            told = Reason("cut", "the picture is cut or damaged: it ends too soon; save it again and send it whole")
        else:
            text = "the picture is cut or damaged: {cause}; save it again and send it whole"
            told = Reason("damaged", text, cause=reason(error))
        raise CorruptImageError(told) from error
    return Decoded(color, alpha, stretched, profile_of(opened), turn_of(opened))


def separated(opened: Opened) -> tuple[Pil.Image, Pil.Image | None, bool]:
    """Return colour and alpha of a picture, and whether its grey levels were stretched; see `Decoded`."""
    picture, png = opened.pixels, opened.png
    if png is not None and is_deep_with_alpha(png):
        halves = np.asarray(picture).astype(np.uint16)
        return deep_grey(halves[..., 0] * 256 + halves[..., 1], halves[..., 2].astype(np.uint8))
    if picture.mode[0] in "IF":
        return deep_grey(*levels_of(picture))
    if png is not None:
        mend_transparency(picture, png)
    if opened.kind == "GIF":
        picture = uncovered(picture)
    if picture.mode == "LA":
        return picture.getchannel("L"), picture.getchannel("A"), False
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        return rgba.convert("RGB"), rgba.getchannel("A"), False
    if picture.mode == "1":
        return picture.convert("L"), None, False
    return (picture if picture.mode in ("RGB", "L", "CMYK", "LAB") else picture.convert("RGB")), None, False


def deep_grey(levels: NDArray[np.generic], alpha: NDArray[np.uint8] | None) -> tuple[Pil.Image, Pil.Image | None, bool]:
    """Return grey levels, (H, W), as a picture of mode I;16, their alpha, and whether they were stretched."""
    grey, stretched = sixteen_bits(levels, None if alpha is None else alpha > 0)
    return Pil.fromarray(grey), None if alpha is None else Pil.fromarray(alpha), stretched


def levels_of(picture: Pil.Image) -> tuple[NDArray[np.generic], NDArray[np.uint8] | None]:
    """Return the grey levels of a picture of more than 8 bits, (H, W), and its alpha, (H, W), None where opaque."""
    levels = np.asarray(picture)
    if picture.mode.startswith("I;16"):
        levels = levels.astype(np.uint16)  # whichever way its bytes lie
        if getattr(picture, "tag_v2", {}).get(PHOTOMETRIC) == 0:
            levels = np.uint16(2**16 - 1) - levels
    clear = picture.info.get("transparency")
    alpha = np.where(levels == clear, np.uint8(0), np.uint8(255)) if isinstance(clear, int) else None
    return levels, alpha


def uncovered(gif: Pil.Image) -> Pil.Image:
    """Return the first frame of a GIF, transparent where it leaves the screen as it is, as browsers show it."""
    box: tuple[int, int, int, int] = gif.dispose_extent  # type: ignore[attr-defined]
    if box == (0, 0, *gif.size):
        return gif
    screen = Pil.new("RGBA", gif.size)
    screen.paste(gif.convert("RGBA").crop(box), box)
    return screen


def mend_transparency(picture: Pil.Image, png: Png) -> None:
    """Bring the one transparent colour of a PNG to the 8 bits that its pixels were brought to."""
    clear = picture.info.get("transparency")
    if picture.mode == "L" and isinstance(clear, int) and png.depth in (2, 4):
        picture.info["transparency"] = clear * 255 // (2**png.depth - 1)
    elif picture.mode == "RGB" and isinstance(clear, tuple):
        picture.info["transparency"] = tuple(part >> 8 if png.depth == 16 else part & 255 for part in clear)


def profile_of(opened: Opened) -> bytes | None:
    """Return the ICC profile of a picture's colours, None where they are sRGB or nothing is known."""
    if opened.png is not None:
        return png_profile(opened.png)
    profile = opened.pixels.info.get("icc_profile")
    if profile or opened.kind not in ("AVIF", "HEIF"):
        return profile or None
    return nclx_profile(opened.data)


def turn_of(opened: Opened) -> int:
    """Return the EXIF orientation of a picture's pixels as they were decoded, 1 to 8."""
    if opened.png is not None:
        return orientation_of(opened.png.exif, opened.png.xmp)
    info = opened.pixels.info
    exif = [info["exif"]] if isinstance(info.get("exif"), bytes) else []
    xmp = [info["xmp"]] if isinstance(info.get("xmp"), bytes) else []
    if opened.kind in TURNED_BY_THE_PAGE:
        return orientation_of(exif, xmp)
    return orientation_of(exif, []) if opened.kind == "AVIF" else 1  # TIFF and HEIC are upright once decoded
