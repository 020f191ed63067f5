"""Grey of more than 8 bits is seen: what fills little of its range is stretched, everything else is left as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from app.pictures import PictureLimits, read_native, read_picture
from app.pictures.depth import sixteen_bits
from app.settings import Settings
from tests.helpers.image_files import chunk, file_of, png16

LIMITS = PictureLimits.of(Settings())
Y, X = np.mgrid[:120, :160]
DISC = np.hypot(X - 80, Y - 60) < 30


def two_levels(low: int, high: int, noise: int = 0) -> np.ndarray[Any, np.dtype[np.uint16]]:
    levels = np.where(DISC, high, low).astype(np.int64)
    levels += np.random.default_rng(0).integers(-noise, noise + 1, DISC.shape)
    return levels.clip(0, 65535).astype(np.uint16)


def both(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the grey of a picture, which has to be the same for the model and in a file."""
    picture, native = read_picture(data, LIMITS), read_native(data, LIMITS)
    assert np.array_equal(picture.working, native[..., :3])
    grey: np.ndarray[Any, np.dtype[np.uint8]] = native[..., 0]
    return grey


@pytest.mark.parametrize(
    ("low", "high", "noise"),
    [
        (1000, 3300, 20),
        (7200, 7900, 20),
        (300, 1000, 20),
        (0, 20, 0),
        (60000, 65535, 0),
        (1000, 1001, 0),
        (0, 32000, 0),
    ],
    ids=["12 bit camera", "thermal", "X-ray", "labels", "bright", "one level apart", "just under half"],
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "big-endian TIFF", "PNG with alpha"])
def test_levels_that_fill_little_of_the_range_are_stretched(kind: str, low: int, high: int, noise: int) -> None:
    levels = two_levels(low, high, noise)
    data = {
        "PNG": lambda: png16(levels),
        "PNG with alpha": lambda: png16(levels, alpha=np.full_like(levels, 65535)),
        "TIFF": lambda: file_of(Pil.fromarray(levels), "TIFF"),
        "big-endian TIFF": lambda: file_of(Pil.fromarray(levels.astype(">u2")), "TIFF", big_endian=True),
    }[kind]()
    grey = both(data).astype(int)
    bottom, top = np.percentile(levels, [0.1, 99.9])
    expected = ((levels.astype(float) - bottom) / (top - bottom)).clip(0, 1) * 255
    assert np.abs(grey - expected).max() <= 2
    assert read_picture(data, LIMITS).rendered


@pytest.mark.parametrize(
    "levels",
    [
        two_levels(16000, 52000, 20),
        two_levels(0, 65535),
        two_levels(0, 33000),
        np.full(DISC.shape, 1000, np.uint16),
        np.zeros(DISC.shape, np.uint16),
        np.where((X == 3) & (Y == 3), 65535, 1000).astype(np.uint16),
    ],
    ids=["full range", "black and white", "just over half", "one level", "black", "one level and a hot pixel"],
)
def test_everything_else_keeps_its_high_byte(levels: np.ndarray[Any, np.dtype[np.uint16]]) -> None:
    data = png16(levels)
    assert np.array_equal(both(data), levels >> 8)
    assert not read_picture(data, LIMITS).rendered


def test_a_hot_and_a_dead_pixel_do_not_hide_the_picture() -> None:
    levels = two_levels(1000, 3300, 20)
    levels[0, 0], levels[0, 1] = 65535, 0
    grey = both(png16(levels))
    assert grey[DISC].mean() > 240
    assert grey[~DISC].mean() < 15


def test_something_tiny_on_an_even_ground_is_seen() -> None:
    levels = np.full((200, 200), 500, np.uint16)
    levels[100, 100:103] = 900
    grey = both(png16(levels))
    assert (int(grey[0, 0]), int(grey[100, 101])) == (0, 255)


def test_a_single_pixel_is_a_picture_too() -> None:
    assert both(png16(np.full((1, 1), 40_000, np.uint16))).tolist() == [[156]]


def test_what_is_transparent_does_not_count_and_stays_transparent() -> None:
    levels = two_levels(1000, 3300)
    alpha = np.where(X < 10, 0, np.where(Y < 10, 0x8000, 65535)).astype(np.uint16)
    levels[:, :10] = 65535
    native = read_native(png16(levels, alpha=alpha), LIMITS)
    assert native.shape == (120, 160, 4)
    assert native[60, 80].tolist() == [255, 255, 255, 255]
    assert native[100, 20].tolist() == [0, 0, 0, 255]
    assert native[5, 80, 3] == 128
    assert native[50, 5, 3] == 0


def test_one_level_may_be_transparent() -> None:
    levels = two_levels(1000, 3300)
    levels[:, :10] = 40_000
    native = read_native(png16(levels, more=chunk(b"tRNS", (40_000).to_bytes(2, "big"))), LIMITS)
    assert native[50, 5, 3] == 0
    assert native[60, 80].tolist() == [255, 255, 255, 255]
    assert native[100, 20].tolist() == [0, 0, 0, 255]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (np.where(DISC, 1.0, 0.25).astype(np.float32), (64, 255)),
        (np.where(DISC, 0.3, 0.1).astype(np.float32), (0, 255)),
        (np.where(DISC, 200.0, 20.0).astype(np.float32), (20, 200)),
        (np.where(DISC, 3000, -1000).astype(np.int32), (0, 255)),
        (np.where(DISC, np.inf, 0.5).astype(np.float32), (128, 0)),
        (np.where(DISC, np.nan, 0.5).astype(np.float32), (128, 0)),
        (np.full(DISC.shape, np.nan, np.float32), (0, 0)),
    ],
    ids=["0 to 1", "a part of 0 to 1", "0 to 255", "Hounsfield", "infinite", "not a number", "nothing at all"],
)
def test_floats_and_long_integers_are_seen(levels: np.ndarray[Any, Any], expected: tuple[int, int]) -> None:
    grey = both(file_of(Pil.fromarray(levels), "TIFF"))
    assert abs(int(grey[5, 5]) - expected[0]) <= 1
    assert abs(int(grey[60, 80]) - expected[1]) <= 1


def test_percentiles_of_a_large_picture_are_exact() -> None:
    levels = np.zeros((1100, 1100), np.uint16)
    levels.reshape(-1)[:1300] = 3000  # 0.107 %
    _, stretched = sixteen_bits(levels)
    assert stretched
    assert sixteen_bits(levels)[0].max() == 65535
    levels[:] = 1000
    levels.reshape(-1)[:1300] = 3000
    levels.reshape(-1)[1300:1310] = 65535
    assert sixteen_bits(levels)[0].reshape(-1)[[5, 1305, 5000]].tolist() == [65535, 65535, 0]
