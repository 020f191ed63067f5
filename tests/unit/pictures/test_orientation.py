"""Pictures stand upright whichever mark turns them, and a page is told how their stored pixels are to be turned."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Pil

from app.pictures import PictureLimits, read_native, read_picture
from app.settings import Settings
from tests.helpers.image_files import chunk, file_of, with_chunks
from tests.helpers.turned_files import MARKED, TURNED_KINDS, exif_of, marked_square, turned_file, xmp_of

LIMITS = PictureLimits.of(Settings())


@pytest.mark.parametrize("kind", TURNED_KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_whichever_mark_turns_it(orientation: int, kind: str) -> None:
    data = turned_file(orientation, kind)
    picture, native = read_picture(data, LIMITS), read_native(data, LIMITS)
    assert (picture.width, picture.height) == (60, 40)
    assert picture.orientation == (1 if kind in ("avif", "tiff") else orientation)
    for pixels in (picture.working, native):
        assert np.abs(pixels.astype(int) - MARKED).mean() < 4


@pytest.mark.parametrize("kind", TURNED_KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_square_is_turned_too(orientation: int, kind: str) -> None:
    native = read_native(turned_file(orientation, kind, marked_square()), LIMITS)
    assert np.abs(native.astype(int) - marked_square()).mean() < 4


def stored() -> Pil.Image:
    return Pil.fromarray(MARKED)


@pytest.mark.parametrize(
    ("exif", "xmp", "expected"),
    [
        (exif_of(6), xmp_of(3), 6),
        (exif_of(1), xmp_of(3), 1),
        (exif_of(0), xmp_of(3), 3),
        (exif_of(9), xmp_of(3), 3),
        (b"", xmp_of(8), 8),
        (b"broken", xmp_of(8), 8),
        (exif_of(6), b"<x:xmpmeta", 6),
        (b"", xmp_of(9), 1),
        (b"", xmp_of(6).replace(b'"', b"'"), 6),
        (b"", b"<rdf:Description><tiff:Orientation>6</tiff:Orientation></rdf:Description>", 6),
    ],
    ids=[
        *("EXIF first", "also where it says upright", "0 is no mark", "9 is no mark", "XMP alone", "EXIF is broken"),
        *("XMP is broken", "XMP says 9", "XMP in single quotes", "XMP as an element"),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_where_marks_disagree_exif_counts_before_xmp(kind: str, exif: bytes, xmp: bytes, expected: int) -> None:
    if kind == "PNG":
        itxt = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp)
        data = with_chunks(file_of(stored(), "PNG"), *([chunk(b"eXIf", exif)] if exif else []), itxt)
    else:
        marks = {"exif": b"Exif\0\0" + exif} if exif else {}
        data = file_of(stored(), kind, xmp=xmp, **marks)
    assert read_picture(data, LIMITS).orientation == expected


def raw_profile(name: bytes, body: bytes) -> bytes:
    text = b"\n" + name + b"\n" + b"%8d" % len(body) + b"\n" + body.hex().encode() + b"\n"
    return b"Raw profile type " + name + b"\0" + text


def cut_raw_profile(_: bytes) -> bytes:
    return b"Raw profile type exif\0\nexif\n      99\n4578696"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (raw_profile(b"exif", b"Exif\0\0" + exif_of(6)), 6),
        (raw_profile(b"exif", exif_of(6)), 6),
        (raw_profile(b"APP1", b"Exif\0\0" + exif_of(6)), 6),
        (raw_profile(b"APP1", b"http://ns.adobe.com/xap/1.0/\0" + xmp_of(6)), 6),
        (raw_profile(b"xmp", xmp_of(6)), 6),
        (b"Raw profile type exif\0\nexif\n      99\n4578696", 1),
        (b"Raw profile type exif\0", 1),
        (b"Raw profile type exif\0\nexif\nmany\nzz", 1),
    ],
    ids=["exif", "bare", "APP1", "APP1 with XMP", "xmp", "odd", "empty", "no digits"],
)
def test_imagemagick_keeps_marks_in_texts(text: bytes, expected: int) -> None:
    data = with_chunks(file_of(stored(), "PNG"), chunk(b"tEXt", text))
    assert read_picture(data, LIMITS).orientation == expected
    exif = chunk(b"eXIf", exif_of(3))
    assert read_picture(with_chunks(data, exif), LIMITS).orientation == 3  # the file's own counts first


@pytest.mark.parametrize("write", [lambda n: struct.pack("<I", n), lambda n: struct.pack("<HH", n, 0)])
def test_a_mark_may_be_written_as_a_long_number(write: Callable[[int], bytes]) -> None:
    code = 4 if write(1) == struct.pack("<I", 1) else 3
    exif = b"II*\0\x08\0\0\0\1\0\x12\1" + struct.pack("<HI", code, 1) + write(8) + bytes(4)
    assert read_picture(with_chunks(file_of(stored(), "PNG"), chunk(b"eXIf", exif)), LIMITS).orientation == 8
