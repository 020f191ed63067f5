"""What a file is, by its first bytes, and opening it with only its header read.

Only the parser of the format that a file begins like ever runs. Names and media types are not looked at, and nothing
is fetched by address.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from types import ModuleType
from typing import Final

from PIL import Image as Pil
from PIL import UnidentifiedImageError

from app.errors import CorruptImageError, Reason, TooManyPixelsError, UnsupportedImageError
from app.pictures.limits import PictureLimits, check_size
from app.pictures.png import GREY_ALPHA, Png, halves_as_pixels, taken_apart

EXPECTED: Final = "expected a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF picture"
TAKEN: Final = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("WEBP", rb"RIFF....WEBP"),
    ("GIF", rb"GIF8[79]a"),
    ("BMP", rb"BM"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]"),
)
"""Pillow's name of each format that is read, and how its files begin."""
OTHERS: Final = (
    ("an empty file", rb"$"),
    ("a PDF", rb"%PDF"),
    ("a Photoshop file", rb"8BPS"),
    ("a JPEG XL picture", rb"\xff\x0a|\0\0\0\x0cJXL "),
    ("a JPEG 2000 picture", rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"),
    ("a TGA picture", rb"\0\0[\2\3\x0a\x0b]\0{5}.{8}[\x08\x0f\x10\x18\x20]|\0\x01[\x01\x09]"),
    ("an icon", rb"\0\0[\1\2]\0"),
    ("an OpenEXR picture", rb"\x76\x2f\x31\x01"),
    ("a raw file of a camera", rb"FUJIFILMCCD|II[*R].{5}CR|IIU\0|IIRO"),
    ("an SVG drawing", rb"\s*<(.*<)?svg[\s>/]"),
    ("a web page or other text with tags", rb"\s*<"),
    ("a ZIP file", rb"PK\x03\x04"),
    ("a video", rb"\x1a\x45\xdf\xa3|RIFF....AVI |\0\0\x01\xba"),
)
"""What people send beside pictures that are read, and how it begins."""
SAID_OF: Final = {
    "an empty file": "kind_empty",
    "a PDF": "kind_pdf",
    "a raw file of a camera": "kind_raw",
    "an SVG drawing": "kind_svg",
    "a web page or other text with tags": "kind_text",
    "a ZIP file": "kind_zip",
    "a video": "kind_video",
}
"""What the page says of some of them; of another it says that it is none that is read."""
CLIPS: Final = {"a video", "a ZIP file"}
"""What has a way of its own in."""
SNIFFED_BYTES: Final = 4096
"""How much of a file is looked at to say what it is; names of kinds stand at its beginning."""
AVIF_BRANDS: Final = {b"avif", b"avis"}
HEIF_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
RAW_BRANDS: Final = {b"crx "}
NO_HEIF: Final = (
    "this is a HEIC picture, which this server can't read, since pillow-heif isn't installed: "
    "convert it to JPEG, or install pillow-heif on the server"
)
TILE_SIDES: Final = (322, 323)
DNG_VERSION: Final = 50706


@dataclass(frozen=True)
class Opened:
    """A picture with only its header read.

    Attributes:
        kind: Pillow's name of its format; HEIF for HEIC.
        pixels: what decodes it.
        data: the file.
        png: what else a PNG holds, None for other formats.
    """

    kind: str
    pixels: Pil.Image
    data: bytes
    png: Png | None


def open_picture(data: bytes, limits: PictureLimits) -> Opened:
    """Return a picture with only its header read.

    Raises:
        TooManyPixelsError: by what its header states; nothing was decoded.
        UnsupportedImageError: of a format that isn't read.
        CorruptImageError: its header is damaged.
    """
    kind = kind_of(data)
    png = taken_apart(data) if kind == "PNG" else None
    pixels = parsed(kind, data if png is None else decodable(png))
    check_size(pixels.size, limits)
    if kind == "TIFF":
        check_tiff(pixels, limits)
    return Opened(kind, pixels, data, png)


def kind_of(data: bytes) -> str:
    """Return Pillow's name of a file's format.

    Raises:
        UnsupportedImageError: it is none that is read; the text says what came.
    """
    head = data[:SNIFFED_BYTES]
    other = named(OTHERS[:1], head) or named(tuple(each for each in OTHERS if "raw" in each[0]), head)
    if other is None and (kind := named(TAKEN, head)) is not None:
        return kind
    if head[4:8] == b"ftyp":
        return kind_of_boxes(head)
    other = other or named(OTHERS, head)
    raise UnsupportedImageError(of_another_kind(other or "something else"))


def of_another_kind(what: str) -> Reason:
    """Return what is said of a file that is no picture that is read; the page names the kinds that it has words for."""
    text = EXPECTED + (
        ", got {what}; clips go to /api/clips" if what in CLIPS else ", got {what}; convert the file and try again"
    )
    return Reason(SAID_OF.get(what, "kind_other"), text, what=what)


def named(table: tuple[tuple[str, bytes], ...], head: bytes) -> str | None:
    """Return the name of the first entry that a file begins like."""
    return next((name for name, start in table if re.match(start, head, re.DOTALL)), None)


def kind_of_boxes(head: bytes) -> str:
    """Return the format of a file that is built like MP4, by its brands.

    Raises:
        UnsupportedImageError: see `kind_of`.
    """
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
    if brands & AVIF_BRANDS:
        return "AVIF"
    if brands & HEIF_BRANDS:
        return "HEIF"
    what = "a raw file of a camera" if brands & RAW_BRANDS else "a video"
    raise UnsupportedImageError(of_another_kind(what))


def parsed(kind: str, data: bytes) -> Pil.Image:
    """Return what decodes a file of a format.

    Raises:
        TooManyPixelsError, UnsupportedImageError, CorruptImageError: see `open_picture`.
    """
    try:
        with warnings.catch_warnings():  # of a bomb, which `check_size` judges by the settings, and of bad metadata
            warnings.simplefilter("ignore")
            if kind == "HEIF":
                return heif_plugin().HeifImageFile(BytesIO(data))  # type: ignore[no-any-return]
            return Pil.open(BytesIO(data), formats=(kind,))
    except UnsupportedImageError:
        raise
    except Pil.DecompressionBombError as error:
        raise TooManyPixelsError(Reason("pixels_far", "the picture has far too many pixels; scale it down")) from error
    except UnidentifiedImageError as error:
        text = "the file begins like {kind}, but its header is damaged, or of a kind that isn't read; "
        text += "save it as JPEG or PNG"
        raise UnsupportedImageError(Reason("header", text, kind=kind)) from error
    except Exception as error:
        raise CorruptImageError(
            Reason("damaged", "the picture's header is damaged ({cause}); save it again", cause=reason(error))
        ) from error


def heif_plugin() -> ModuleType:
    """Return what reads HEIC, where it is installed.

    Raises:
        UnsupportedImageError: it isn't.
    """
    try:
        return import_module("pillow_heif")
    except ImportError as error:
        raise UnsupportedImageError(Reason("heif", NO_HEIF)) from error


def decodable(png: Png) -> bytes:
    """Return a PNG that Pillow decodes without loss of grey levels."""
    return halves_as_pixels(png.picture) if is_deep_with_alpha(png) else png.picture


def is_deep_with_alpha(png: Png) -> bool:
    """Return whether a PNG is grey with alpha, 16 bits each."""
    return (png.color_type, png.depth) == (GREY_ALPHA, 16)


def check_tiff(picture: Pil.Image, limits: PictureLimits) -> None:
    """Refuse a TIFF by what its first page states beside its size.

    Raises:
        TooManyPixelsError: one tile has more pixels than a picture may have.
        UnsupportedImageError: a camera's raw file, whose first page is a tiny preview.
    """
    tags = picture.tag_v2  # type: ignore[attr-defined]
    sides = [tags.get(side, 0) for side in TILE_SIDES]
    if not all(isinstance(side, int) for side in sides) or sides[0] * sides[1] > limits.max_pixels:
        raise TooManyPixelsError(
            Reason(
                "pixels_tile",
                "a picture may have {most:g} megapixels, a tile of it has more",
                most=limits.max_pixels / 1e6,
            )
        )
    if DNG_VERSION in tags:
        raise UnsupportedImageError(of_another_kind("a raw file of a camera"))


def reason(error: Exception) -> str:
    """Return what a parser has to say, short, for people."""
    return str(error)[:100] or type(error).__name__
