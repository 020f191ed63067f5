"""Colours come out as every viewer shows them, whatever a file says of them, and a broken word is passed over."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageCms

from app.pictures import PictureLimits, read_native, read_picture
from app.settings import Settings
from tests.helpers.color_profiles import ADOBE, LINEAR_GREY, P3, P3_COLORANTS, PROPHOTO, SWAPPED, profile
from tests.helpers.image_files import chunk, file_of, with_chunks

LIMITS = PictureLimits.of(Settings())
GREEN = (30, 200, 60)
LOSSLESS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}


def shown(data: bytes) -> list[int]:
    """Return the colour in the middle, which has to be the same for the model and in a file."""
    picture, native = read_picture(data, LIMITS), read_native(data, LIMITS)
    h, w = native.shape[:2]
    assert np.abs(picture.working[h // 2, w // 2].astype(int) - native[h // 2, w // 2, :3]).max() <= 1
    return [int(level) for level in native[h // 2, w // 2, :3]]


def near(a: object, b: object, by: int = 3) -> bool:
    return bool(np.abs(np.subtract(a, b)).max() <= by)  # type: ignore[call-overload]


def flat(mode: str, color: int | tuple[int, ...], kind: str, icc: bytes | None) -> bytes:
    return file_of(Pil.new(mode, (48, 32), color), kind, icc_profile=icc, **LOSSLESS[kind])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    ("icc", "expected"),
    [(P3, (0, 205, 0)), (ADOBE, (0, 201, 37)), (PROPHOTO, (0, 230, 0)), (SWAPPED, (59, 200, 25)), (None, GREEN)],
    ids=["Display P3", "Adobe RGB", "ProPhoto", "swapped", "none"],
)
def test_a_profile_is_applied(kind: str, icc: bytes | None, expected: tuple[int, ...]) -> None:
    assert near(shown(flat("RGB", GREEN, kind, icc)), expected, 6)


@pytest.mark.parametrize(("mode", "kind"), [("L", "PNG"), ("L", "JPEG"), ("L", "TIFF"), ("I;16", "PNG")])
def test_a_grey_profile_is_applied(mode: str, kind: str) -> None:
    level = 128 if mode == "L" else 128 * 257
    data = flat(mode, level, kind, LINEAR_GREY)
    assert near(shown(data), (188, 188, 188))


def test_sixteen_bits_keep_their_shadows_through_a_profile() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    native = read_native(file_of(Pil.fromarray(levels), "PNG", icc_profile=LINEAR_GREY), LIMITS)
    assert len(np.unique(native[:16])) > 60  # of 4096 dark levels, where 8 bits would leave 16


def test_a_grey_picture_may_have_a_profile_of_colors() -> None:
    grey = shown(flat("L", 100, "PNG", profile(1.0, P3_COLORANTS)))
    assert near(grey, (168, 168, 168))


def test_a_photo_with_ink_is_shown_by_its_own_profile() -> None:
    # No CMYK profile is at hand that may be shipped; one of RGB does not fit and is passed over.
    assert near(shown(flat("CMYK", (255, 0, 0, 0), "JPEG", P3)), (0, 255, 255))


def test_transparent_pictures_have_their_profile_applied_too() -> None:
    native = read_native(flat("RGBA", (*GREEN, 128), "PNG", P3), LIMITS)
    assert near(native[5, 5], (0, 205, 0, 128), 6)
    native = read_native(flat("LA", (128, 77), "PNG", LINEAR_GREY), LIMITS)
    assert near(native[5, 5], (188, 188, 188, 77))


def test_a_palette_has_its_profile_applied() -> None:
    picture = Pil.new("RGB", (16, 16), GREEN).quantize(4)
    assert near(shown(file_of(picture, "PNG", icc_profile=P3)), (0, 205, 0), 6)


@pytest.mark.parametrize("cut", [0, 1, 40, 127, 130, 300])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_broken_profile_is_passed_over(kind: str, cut: int) -> None:
    assert near(shown(flat("RGB", GREEN, kind, P3[:cut] or None)), GREEN)


def test_a_profile_of_the_wrong_kind_is_passed_over() -> None:
    assert near(shown(flat("RGB", GREEN, "PNG", LINEAR_GREY)), GREEN)


def test_pixels_of_srgb_are_left_as_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = file_of(Pil.fromarray(pixels), "PNG", icc_profile=srgb)
    assert np.array_equal(read_native(data, LIMITS), pixels)


CHRM_P3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
GAMMA_1 = struct.pack(">I", 100_000)
GAMMA_SRGB = struct.pack(">I", 45_455)
ICCP = b"p\0\0" + zlib.compress(ADOBE)
BAD_ICCP = b"p\0\0" + zlib.compress(b"no profile" * 20)


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([(b"cICP", b"\x0c\x0d\0\1")], (0, 204, 13)),
        ([(b"cICP", b"\x0c\x0d\0\1"), (b"iCCP", ICCP), (b"sRGB", b"\0"), (b"gAMA", GAMMA_1)], (0, 204, 13)),
        ([(b"cICP", b"\x09\1\0\1")], (0, 208, 0)),  # as Chromium has it
        ([(b"cICP", b"\2\2\0\1"), (b"iCCP", ICCP)], (0, 201, 37)),
        ([(b"cICP", b"\1\x0d\0\1"), (b"iCCP", ICCP)], GREEN),
        ([(b"iCCP", ICCP), (b"sRGB", b"\0"), (b"gAMA", GAMMA_1)], (0, 201, 37)),
        ([(b"iCCP", BAD_ICCP), (b"gAMA", GAMMA_1)], (97, 229, 133)),
        ([(b"sRGB", b"\0"), (b"gAMA", GAMMA_1), (b"cHRM", CHRM_P3)], GREEN),
        ([(b"gAMA", GAMMA_1)], (97, 229, 133)),
        ([(b"gAMA", GAMMA_SRGB)], GREEN),
        ([(b"gAMA", GAMMA_SRGB), (b"cHRM", CHRM_P3)], (0, 205, 0)),
        ([(b"cHRM", CHRM_P3)], GREEN),
        ([(b"gAMA", bytes(4))], GREEN),
        ([(b"gAMA", GAMMA_SRGB), (b"cHRM", bytes(32))], GREEN),
        ([(b"cICP", b"\xff\xff\xff\xff")], GREEN),
    ],
    ids=[
        *(
            "cICP",
            "cICP before all",
            "cICP of video",
            "cICP that says nothing",
            "cICP sRGB before iCCP",
            "iCCP before sRGB and gAMA",
        ),
        *("broken iCCP", "sRGB before gAMA", "gAMA", "gAMA of sRGB", "gAMA and cHRM", "cHRM alone", "no gamma"),
        *("no primaries", "unknown cICP"),
    ],
)
def test_of_what_a_png_says_the_first_in_its_standards_order_counts(
    chunks: list[tuple[bytes, bytes]], expected: tuple[int, ...]
) -> None:
    data = with_chunks(file_of(Pil.new("RGB", (48, 32), GREEN), "PNG"), *(chunk(*each) for each in chunks))
    assert near(shown(data), expected, 6)


def test_a_grey_png_has_its_gamma_applied_at_its_own_depth() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    data = with_chunks(file_of(Pil.fromarray(levels), "PNG"), chunk(b"gAMA", GAMMA_1))
    native = read_native(data, LIMITS)
    assert len(np.unique(native[:16])) > 60
    assert near(native[128, 0], (188, 188, 188))


@pytest.mark.parametrize("transfer", [16, 18], ids=["PQ", "HLG"])
def test_high_dynamic_range_is_brought_down_without_losing_its_highlights(transfer: int) -> None:
    ramp = np.repeat(np.linspace(0, 180, 64).astype(np.uint8)[None], 8, 0)
    picture = file_of(Pil.fromarray(np.stack([ramp] * 3, -1)), "PNG")
    native = read_native(with_chunks(picture, chunk(b"cICP", bytes((9, transfer, 0, 1)))), LIMITS)
    row = native[0].astype(int).mean(-1)
    assert (np.diff(row) >= -1).all()
    assert row[-1] > 150
    assert len(np.unique(row)) > 40


def avif_with_nclx(primaries: int, transfer: int) -> bytes:
    data = bytearray(flat("RGB", GREEN, "AVIF", None))
    at = data.index(b"colrnclx") + 8
    data[at : at + 4] = struct.pack(">2H", primaries, transfer)
    return bytes(data)


@pytest.mark.parametrize(
    ("points", "expected"), [((1, 13), GREEN), ((12, 13), (0, 204, 13)), ((2, 2), GREEN)], ids=["sRGB", "P3", "open"]
)
def test_an_avif_may_name_its_colors_by_code_points(points: tuple[int, int], expected: tuple[int, ...]) -> None:
    assert near(shown(avif_with_nclx(*points)), expected, 8)


def test_colors_that_a_viewer_computes_are_the_ones_that_come_out() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
    data = file_of(Pil.fromarray(pixels), "PNG", icc_profile=ADOBE)
    opened = Pil.open(io.BytesIO(data))
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(ADOBE)), ImageCms.createProfile("sRGB")
    expected = ImageCms.profileToProfile(opened, source, target)
    assert expected is not None
    assert near(read_native(data, LIMITS).astype(int), np.asarray(expected).astype(int), 1)
