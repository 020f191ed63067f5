"""What people have opens: every usual format, the first of several pictures, and files that only look broken."""

from __future__ import annotations

import io
import struct
import sys
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from app.errors import CorruptImageError, TooManyPixelsError, UnsupportedImageError
from app.pictures import PictureLimits, read_native, read_picture, render_picture
from app.settings import Settings
from tests.helpers.color_profiles import P3
from tests.helpers.image_files import GRAY, chunk, file_of, noise, png, png16, with_chunks, wrong_checksum

LIMITS = PictureLimits.of(Settings())
RED, BLUE = (250, 10, 10), (10, 10, 250)
TEXT = b"".join(b"node %d: value %d; " % (i, i * 7919 % 10007) for i in range(120_000))


def pixel(data: bytes, x: int = 5, y: int = 5) -> list[int]:
    return [int(level) for level in read_native(data, LIMITS)[y, x]]


def pages(kind: str, **options: Any) -> bytes:
    first, second = Pil.new("RGB", (40, 30), RED), Pil.new("RGB", (40, 30), BLUE)
    return file_of(first, kind, save_all=True, append_images=[second], **options)


@pytest.mark.parametrize(
    "data",
    [
        file_of(Pil.new("RGB", (40, 30), RED), "JPEG", quality=95),
        file_of(Pil.new("RGB", (40, 30), RED), "JPEG", quality=95, progressive=True),
        file_of(Pil.new("RGB", (40, 30), RED), "JPEG", quality=95) + b"and more behind its end" * 99,
        file_of(Pil.new("RGB", (40, 30), RED), "JPEG", quality=95) + b"\0\0\0\x18ftypmp42" + bytes(5000),
        pages("MPO", quality=95),
        pages("PNG"),
        pages("WEBP", lossless=True),
        pages("GIF"),
        pages("TIFF"),
        pages("AVIF", quality=95),
        file_of(Pil.new("RGB", (40, 30), RED), "TIFF", compression="tiff_lzw"),
        file_of(Pil.new("RGB", (40, 30), RED), "TIFF", compression="jpeg", quality=95),
        file_of(Pil.new("RGB", (40, 30), RED), "TIFF", compression="tiff_deflate", big_tiff=True),
        file_of(Pil.new("RGB", (40, 30), RED), "BMP"),
        file_of(Pil.new("RGB", (40, 30), RED).quantize(4), "BMP"),
        file_of(Pil.new("RGB", (40, 30), RED).quantize(4), "PNG"),
    ],
    ids=[
        *("jpeg", "progressive jpeg", "jpeg with a tail", "motion photo", "mpo", "apng", "moving webp", "moving gif"),
        *("tiff of two pages", "moving avif", "lzw tiff", "jpeg tiff", "big tiff", "bmp", "bmp of few colors"),
        "png of few colors",
    ],
)
def test_the_first_picture_of_a_file_is_read(data: bytes) -> None:
    picture = read_picture(data, LIMITS)
    assert (picture.width, picture.height) == (40, 30)
    assert np.abs(np.subtract(pixel(data)[:3], RED)).max() <= 8
    assert np.abs(picture.working.astype(int) - RED).max() <= 8


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [("CMYK", (0, 255, 255, 0), (255, 0, 0)), ("1", 1, (255, 255, 255)), ("L", 77, (77, 77, 77)), ("LAB", None, None)],
    ids=["inks", "one bit", "grey", "Lab"],
)
def test_a_tiff_may_hold_every_kind_of_pixel(mode: str, color: Any, expected: tuple[int, ...] | None) -> None:
    picture = Pil.new(mode, (40, 30), color if color is not None else 0)
    native = read_native(file_of(picture, "TIFF"), LIMITS)
    assert native.shape == (30, 40, 3)
    assert expected is None or tuple(native[5, 5]) == expected


def test_a_gif_whose_first_frame_covers_a_part_has_the_size_of_its_screen() -> None:
    frame = file_of(Pil.new("P", (10, 8), 1), "GIF")
    screen = bytearray(frame)
    screen[6:10] = struct.pack("<2H", 30, 20)
    at = screen.index(b"\x2c")
    screen[at + 1 : at + 5] = struct.pack("<2H", 12, 6)
    picture = read_picture(bytes(screen), LIMITS)
    assert (picture.width, picture.height) == (30, 20)
    covered = np.zeros((20, 30), np.bool_)
    covered[6:14, 12:22] = True
    assert np.array_equal(read_native(bytes(screen), LIMITS)[..., 3] == 255, covered)


def interlaced() -> tuple[bytes, np.ndarray[Any, Any]]:
    """Return a PNG in Adam7's seven passes, and its pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (19, 23), np.uint8)
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [pixels[y::dy, x::dx] for x, y, dx, dy in passes]
    rows = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    head = struct.pack(">IIBBBBB", 23, 19, 8, 0, 0, 0, 1)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body, pixels


def test_an_interlaced_png_is_read() -> None:
    data, pixels = interlaced()
    assert np.array_equal(read_native(data, LIMITS)[..., 0], pixels)


# ---- metadata


@pytest.mark.parametrize(
    "more",
    [
        chunk(b"zTXt", b"Raw profile type 8bim\0\0" + zlib.compress(TEXT)),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(TEXT)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(TEXT)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + TEXT),
        chunk(b"iTXt", b"XML:com.adobe.xmp"),
        chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(60_000_000))),
        chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(bytes(60_000_000))),
        chunk(b"zTXt", b"Raw profile type exif\0\0not packed"),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(60_000_000))),
        chunk(b"iCCP", b""),
        wrong_checksum(chunk(b"tEXt", b"Comment\0x")),
        wrong_checksum(chunk(b"iCCP", b"p\0\0" + zlib.compress(P3))),
        wrong_checksum(chunk(b"gAMA", struct.pack(">I", 100_000))),
        wrong_checksum(chunk(b"eXIf", b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0")),
        wrong_checksum(chunk(b"tRNS", bytes(6))),
        chunk(b"gAMA", b"x"),
        chunk(b"cHRM", b"x"),
        chunk(b"pHYs", b"x"),
        chunk(b"acTL", b"x"),
        b"".join(chunk(b"tEXt", b"key %d\0value" % i) for i in range(20_000)),
    ],
    ids=[
        *("8bim", "exif text that is none", "packed XMP", "large XMP", "cut XMP", "unpacks to much"),
        *("XMP unpacks to much", "not packed", "profile unpacks to much", "no profile"),
        *("checksum of a text", "of a profile", "of a gamma", "of EXIF", "of transparency"),
        *("cut gamma", "cut chromaticities", "cut resolution", "cut animation", "very many texts"),
    ],
)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_sound_png_opens_whatever_lies_beside_its_pixels(more: bytes, place: str) -> None:
    plain = file_of(noise(40, 30), "PNG")
    data = with_chunks(plain, more) if place == "before" else plain[:-12] + more + plain[-12:]
    assert np.array_equal(read_native(data, LIMITS), read_native(plain, LIMITS))
    assert read_picture(data, LIMITS).orientation == 1


@pytest.mark.slow
def test_many_texts_that_unpack_to_much_take_little_memory() -> None:
    names = (b"XML:com.adobe.xmp", b"Raw profile type xmp", b"Raw profile type exif", b"Raw profile type APP1")
    packed = zlib.compress(bytes(16_000_000))
    bombs = [chunk(b"zTXt", name + b"\0\0" + packed) for name in names for _ in range(50)]
    data = with_chunks(png(), *bombs)
    tracemalloc.start()
    try:
        assert read_picture(data, LIMITS).width == 64
        assert tracemalloc.get_traced_memory()[1] < 150_000_000
    finally:
        tracemalloc.stop()


def test_a_large_profile_is_applied() -> None:
    large = struct.pack(">I", len(P3) + 1_500_000) + P3[4:] + bytes(1_500_000)
    plain = file_of(Pil.new("RGB", (40, 30), (30, 200, 60)), "PNG")
    data = with_chunks(plain, chunk(b"iCCP", b"p\0\0" + zlib.compress(large)))
    assert np.abs(np.subtract(pixel(data), (0, 205, 0))).max() <= 3


# ---- transparency


def half_transparent_palette() -> Pil.Image:
    picture = Pil.new("P", (40, 30), 1)
    picture.putpalette([0, 0, 0, 9, 99, 9])
    return picture


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png(mode="RGBA", color=(40, 40, 200, 128)), [40, 40, 200, 128]),
        (png(mode="LA", color=(77, 51)), [77, 77, 77, 51]),
        (file_of(Pil.new("RGB", (40, 30), GRAY), "PNG", transparency=GRAY), [*GRAY, 0]),
        (file_of(Pil.new("RGB", (40, 30), GRAY), "PNG", transparency=(1, 2, 3)), [*GRAY, 255]),
        (file_of(Pil.new("L", (40, 30), 77), "PNG", transparency=77), [77, 77, 77, 0]),
        (file_of(Pil.new("1", (40, 30), 1), "PNG", transparency=1), [255, 255, 255, 0]),
        (file_of(half_transparent_palette(), "PNG", transparency=b"\xff\x40"), [9, 99, 9, 64]),
        (file_of(Pil.new("RGBA", (40, 30), (9, 99, 9, 40)), "WEBP", lossless=True, exact=True), [9, 99, 9, 40]),
        (file_of(Pil.new("RGBA", (40, 30), (9, 99, 9, 40)), "TIFF"), [9, 99, 9, 40]),
        (file_of(Pil.new("RGBA", (40, 30), (9, 99, 9, 40)), "AVIF", quality=100, subsampling="4:4:4"), [9, 99, 9, 40]),
    ],
    ids=[
        *("RGBA", "LA", "one color", "another color", "one grey", "one bit", "palette", "webp", "tiff", "avif"),
    ],
)
def test_a_picture_keeps_its_own_transparency(data: bytes, expected: list[int]) -> None:
    assert np.abs(np.subtract(pixel(data), expected)).max() <= 3


@pytest.mark.parametrize("depth", [2, 4])
def test_one_grey_of_few_bits_may_be_transparent(depth: int) -> None:
    row = b"\0" + (b"\x1b" * 3 if depth == 2 else b"\x01\x23\x45")
    head = struct.pack(">IIBBBBB", 24 // depth, 3, depth, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"tRNS", b"\0\2") + chunk(b"IDAT", zlib.compress(row * 3))
    native = read_native(b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b""), LIMITS)
    assert (native[0, :, 3] == 0).tolist() == [(level == 2) for level in ([0, 1, 2, 3] * 3 if depth == 2 else range(6))]


# ---- refusals


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"%PDF-1.7\n", "a PDF"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG"),
        (b'<?xml version="1.0"?>\n<!-- made by x -->\n<svg/>', "an SVG"),
        (b"<!doctype html><html></html>", "a web page"),
        (b"<!---->" * 1000, "a web page"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\xff\x0a" + bytes(30), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (file_of(Pil.new("RGB", (16, 16)), "ICO"), "an icon"),
        (b"\0\0\2\0\1\0\x20\x20\0\0" + bytes(40), "an icon"),  # a cursor
        (file_of(Pil.new("RGB", (16, 16)), "TGA"), "a TGA"),
        (file_of(Pil.new("RGBA", (300, 2)), "TGA", rle=True), "a TGA"),
        (file_of(Pil.new("L", (16, 16)), "TGA"), "a TGA"),
        (file_of(Pil.new("P", (16, 16)), "TGA"), "a TGA"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "raw file"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(40), "raw file"),
        (b"PK\x03\x04" + bytes(30), "a ZIP"),
        (b"plain words", "something else"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_names_what_came(data: bytes, words: str) -> None:
    with pytest.raises(UnsupportedImageError) as raised:
        read_picture(data, LIMITS)
    assert words in raised.value.message
    assert "TIFF" in raised.value.message


def damaged(data: bytes) -> bytes:
    spoilt = bytearray(data)
    spoilt[len(data) // 2] ^= 0xFF
    return bytes(spoilt)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (file_of(noise(64, 48), "PNG")[:3000], "ends too soon"),
        (file_of(noise(64, 48), "JPEG")[:1500], "ends too soon"),
        (file_of(noise(64, 48), "TIFF")[:3000], "damaged"),
        (file_of(noise(64, 48), "BMP")[:3000], "ends too soon"),
        (file_of(noise(64, 48), "GIF")[:3000], "ends too soon"),
        (damaged(file_of(noise(64, 48), "PNG")), "broken data"),
    ],
    ids=["cut png", "cut jpeg", "cut tiff", "cut bmp", "cut gif", "checksum of the pixels"],
)
def test_a_refusal_names_what_is_damaged(data: bytes, words: str) -> None:
    with pytest.raises(CorruptImageError) as raised:
        read_picture(data, LIMITS)
    assert words in raised.value.message


def huge_tile() -> bytes:
    tags = [(256, 4, 16), (257, 4, 16), (258, 3, 8), (259, 3, 1), (262, 3, 1), (277, 3, 1)]
    tags += [(322, 4, 2**17), (323, 4, 2**17), (324, 4, 8), (325, 4, 2**31)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(64)


def huge_avif() -> bytes:
    data = bytearray(file_of(Pil.new("RGB", (64, 48)), "AVIF"))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">2I", 16_000, 16_000)
    return bytes(data)


def huge_gif() -> bytes:
    data = bytearray(file_of(Pil.new("P", (10, 8)), "GIF"))
    at = data.index(b"\x2c")
    data[at + 5 : at + 9] = struct.pack("<2H", 60_000, 60_000)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        huge_tile(),
        huge_gif(),
        huge_avif(),
        file_of(Pil.new("1", (8, 8)), "BMP").replace(struct.pack("<2i", 8, 8), struct.pack("<2i", 60_000, 60_000)),
    ],
    ids=["tile of a tiff", "frame of a gif", "avif", "bmp"],
)
def test_a_bomb_is_refused_before_a_pixel_is_decoded(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pil.Image, "load", lambda _: pytest.fail("no pixel may be decoded"))
    with pytest.raises(TooManyPixelsError):
        read_picture(data, LIMITS)


def test_a_raw_file_in_the_dress_of_a_tiff_is_refused() -> None:
    data = file_of(Pil.new("RGB", (40, 30)), "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    with pytest.raises(UnsupportedImageError, match="raw file"):
        read_picture(data, LIMITS)


# ---- HEIC


def heic() -> bytes:
    plugin = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    plugin.from_pillow(Pil.new("RGB", (64, 48), RED)).save(stream, quality=95)
    return stream.getvalue()


def test_heic_is_read_where_its_library_is_installed() -> None:
    data = heic()
    picture = read_picture(data, LIMITS)
    assert (picture.width, picture.height, picture.rendered) == (64, 48, True)
    assert np.abs(picture.working.astype(int) - RED).max() <= 8


def test_the_refusal_of_heic_names_the_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnsupportedImageError, match="pillow-heif isn't installed"):
        read_picture(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), LIMITS)


# ---- renditions


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (pages("TIFF"), "PNG"),
        (png16(np.full((20, 20), 7, np.uint16)), "PNG"),
        (png(mode="RGBA", color=(9, 9, 9, 9)), "PNG"),
        (file_of(Pil.new("RGB", (2100, 2000), RED), "TIFF"), "JPEG"),
        (file_of(Pil.new("RGBA", (2100, 2000), (0, 0, 0, 0)), "TIFF", compression="tiff_lzw"), "JPEG"),
    ],
    ids=["tiff", "16 bit", "transparent", "large", "large and transparent"],
)
def test_a_rendition_has_the_pixels_of_its_picture_and_nothing_else(data: bytes, kind: str) -> None:
    rendition = render_picture(data, LIMITS)
    shown = Pil.open(io.BytesIO(rendition.data))
    native = read_native(data, LIMITS)
    assert shown.format == kind
    assert rendition.media_type == f"image/{kind.lower()}"
    assert shown.size == native.shape[1::-1]
    expected = native if kind == "PNG" or native.shape[2] == 3 else np.full((2000, 2100, 3), 255)
    assert np.abs(np.asarray(shown).astype(int) - expected).max() <= 6
