from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import PngImagePlugin

from app.errors import CorruptImageError, HoverError, ImageTooLargeError, TooManyPixelsError, UnsupportedImageError
from app.pictures import WORKING_SIDE, Picture, PictureLimits, image_id_of, read_picture
from app.pictures.limits import ShapeLimits
from app.settings import Settings
from tests.helpers.image_files import GRAY, chunk, file_of, noise, png, png_header, png_with_exif

LIMITS = PictureLimits.of(Settings())


def read(
    data: bytes, *, max_bytes: int = LIMITS.max_bytes, max_pixels: int = LIMITS.max_pixels, **shape: int
) -> Picture:
    return read_picture(data, PictureLimits(max_bytes, max_pixels, ShapeLimits(**shape)))


def first_pixel(data: bytes) -> tuple[int, ...]:
    return tuple(int(value) for value in read(data).working[0, 0])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_read(kind: str) -> None:
    data = file_of(Pil.new("RGB", (64, 48), GRAY), kind)
    picture = read(data)
    assert (picture.width, picture.height, picture.image_id) == (64, 48, image_id_of(data))
    assert picture.working.shape == (48, 64, 3)
    assert picture.working.dtype == np.uint8
    assert np.abs(picture.working.astype(int) - 200).max() <= 2


def test_the_same_bytes_have_the_same_name_and_others_another() -> None:
    assert image_id_of(b"a") == image_id_of(b"a") != image_id_of(b"b")
    assert len(image_id_of(b"a")) == 32


def test_a_single_pixel_is_a_picture() -> None:
    picture = read(png(1, 1))
    assert (picture.width, picture.height, picture.working.shape) == (1, 1, (1, 1, 3))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UnsupportedImageError),
        (bytes(range(256)) * 20, UnsupportedImageError),
        (b"<!doctype html><html><body>no</body></html>", UnsupportedImageError),
        (b"%PDF-1.7\n", UnsupportedImageError),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', UnsupportedImageError),
        (file_of(Pil.new("RGB", (16, 16)), "ICO"), UnsupportedImageError),
        (cut(file_of(noise(64, 48), "JPEG")), CorruptImageError),
        (cut(file_of(noise(64, 48), "PNG")), CorruptImageError),
        (cut(file_of(noise(64, 48), "WEBP")), CorruptImageError),
        (png()[:20], CorruptImageError),
        (png_header(0, 0), UnsupportedImageError),
    ],
    ids=[
        *("empty", "garbage", "html", "pdf", "svg", "ico"),
        *("cut jpeg", "cut png", "cut webp", "cut header", "0 x 0"),
    ],
)
def test_what_is_no_sound_picture_is_refused(data: bytes, error: type[HoverError]) -> None:
    with pytest.raises(error) as raised:
        read(data)
    assert raised.value.http_status == 415


@pytest.mark.parametrize(
    "data",
    [
        png_header(30_000, 30_000),
        png_header(9400, 9400, color_type=6),
        png_header(60_000, 1),
        png_header(5000, 1),
        file_of(Pil.new("L", (4, 4)), "JPEG").replace(b"\x08\x00\x04\x00\x04", b"\x08\xff\xdc\xff\xdc"),
    ],
    ids=["30000 x 30000", "9400 x 9400 RGBA", "60000 x 1", "5000 x 1", "jpeg 65500 x 65500"],
)
def test_too_many_pixels_are_refused_by_the_header_alone(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pil.Image, "load", lambda _: pytest.fail("no pixel may be decoded"))
    assert len(data) < 20_000
    with pytest.raises(TooManyPixelsError):
        read(data)


@pytest.mark.parametrize(
    ("size", "limit", "taken"),
    [
        ((10, 10), {"max_pixels": 101}, True),
        ((10, 10), {"max_pixels": 100}, True),
        ((10, 10), {"max_pixels": 99}, False),
        ((10, 20), {"max_side": 21}, True),
        ((10, 20), {"max_side": 20}, True),
        ((10, 20), {"max_side": 19}, False),
        ((20, 10), {"max_side": 19}, False),
        ((1, 99), {}, True),
        ((1, 100), {}, True),
        ((1, 101), {}, False),
        ((101, 1), {}, False),
    ],
    ids=str,
)
def test_sizes_are_taken_up_to_the_limit(size: tuple[int, int], limit: dict[str, int], taken: bool) -> None:
    data = png(*size)
    if taken:
        assert (read(data, **limit).width, read(data, **limit).height) == size
    else:
        with pytest.raises(TooManyPixelsError):
            read(data, **limit)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_bytes_are_taken_up_to_the_limit(more: int) -> None:
    data = png()
    if more >= 0:
        assert read(data, max_bytes=len(data) + more).width == 64
    else:
        with pytest.raises(ImageTooLargeError):
            read(data, max_bytes=len(data) + more)


def transparent_palette() -> Pil.Image:
    picture = Pil.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    picture.info["transparency"] = 1
    return picture


@pytest.mark.parametrize(
    ("data", "pixel"),
    [
        (png(mode="L", color=77), (77, 77, 77)),
        (png(mode="LA", color=(77, 255)), (77, 77, 77)),
        (png(mode="LA", color=(77, 0)), (255, 255, 255)),
        (png(mode="1", color=1), (255, 255, 255)),
        (png(mode="1", color=0), (0, 0, 0)),
        (png(mode="RGBA", color=(10, 20, 30, 255)), (10, 20, 30)),
        (png(mode="RGBA", color=(10, 20, 30, 0)), (255, 255, 255)),
        (png(mode="RGBA", color=(0, 0, 0, 51)), (204, 204, 204)),
        (file_of(transparent_palette(), "PNG"), (255, 255, 255)),
        (png(mode="I;16", color=40_000), (156, 156, 156)),
        (png(mode="I;16", color=65_535), (255, 255, 255)),
        (file_of(Pil.new("L", (8, 8), 77), "JPEG"), (77, 77, 77)),
        (file_of(Pil.new("CMYK", (8, 8), (255, 0, 0, 0)), "JPEG"), (0, 255, 255)),
        (file_of(Pil.new("RGBA", (8, 8), (9, 9, 9, 0)), "WEBP", lossless=True, exact=True), (255, 255, 255)),
    ],
    ids=[
        *("L", "LA", "LA transparent", "white bit", "black bit", "RGBA", "RGBA transparent", "RGBA half"),
        *("P transparent", "16 bit", "16 bit white", "L jpeg", "CMYK", "RGBA webp"),
    ],
)
def test_every_kind_of_pixel_becomes_rgb_over_white(data: bytes, pixel: tuple[int, int, int]) -> None:
    assert np.abs(np.subtract(first_pixel(data), pixel)).max() <= 1


# How a 2 x 3 picture with a marked corner is stored, for each EXIF orientation: (row, column) of the corner that is
# top-left once upright.
STORED_CORNER = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (-1, 0), 7: (-1, -1), 8: (0, -1)}


def turned_file(orientation: int, kind: str) -> bytes:
    pixels = np.full((60, 40, 3), 250, np.uint8)
    row, column = STORED_CORNER[orientation]
    pixels[slice(0, 20) if row == 0 else slice(-20, None), slice(0, 20) if column == 0 else slice(-20, None)] = 0
    exif = Pil.Exif()
    exif[0x0112] = orientation
    return file_of(Pil.fromarray(pixels), kind, exif=exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_stands_upright_whatever_way_the_camera_was_held(orientation: int, kind: str) -> None:
    picture = read(turned_file(orientation, kind))
    assert (picture.width, picture.height) == ((60, 40) if orientation >= 5 else (40, 60))
    assert picture.working.shape == (picture.height, picture.width, 3)
    assert picture.working[:15, :15].max() < 60
    assert picture.working[25:, 25:].min() > 200


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_unknown_orientation_is_passed_over(orientation: int) -> None:
    exif = Pil.Exif()
    exif[0x0112] = orientation
    picture = read(file_of(Pil.new("RGB", (64, 48), GRAY), "JPEG", exif=exif))
    assert (picture.width, picture.height) == (64, 48)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"garbage that is no TIFF header",
        b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00",  # cut inside the first entry
        b"II*\x00\xff\xff\xff\x7f",  # the directory lies far behind the end
        b"MM\x00*\x00\x00\x00\x08\xff\xff" + bytes(64),  # 65535 entries
        b"II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x02\x00\x04\x00\x00\x00six\x00\x00\x00\x00\x00",  # a text
        bytes(2**16),
    ],
    ids=["empty", "garbage", "cut", "far", "many", "text", "zeros"],
)
def test_a_bad_orientation_mark_is_passed_over(exif: bytes) -> None:
    plain = read(png()).working
    assert np.array_equal(read(png_with_exif(exif)).working, plain)
    jpeg = file_of(Pil.fromarray(plain), "JPEG")
    segment = b"Exif\x00\x00" + exif[:60_000]
    marked = jpeg[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + jpeg[2:]
    assert np.array_equal(read(marked).working, read(jpeg).working)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_bad_color_profile_is_passed_over(kind: str) -> None:
    data = file_of(Pil.new("RGB", (64, 48), GRAY), kind, icc_profile=b"no profile" * 100)
    assert np.array_equal(read(data).working, read(file_of(Pil.new("RGB", (64, 48), GRAY), kind)).working)


def frames(kind: str) -> bytes:
    pictures = [Pil.new("RGB", (16, 16), color) for color in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    return file_of(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=50, **options)


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    with Pil.open(io.BytesIO(frames(kind))) as animation:
        assert getattr(animation, "n_frames", 1) == 3
    assert first_pixel(frames(kind)) == (250, 0, 0)


def test_a_large_picture_is_scaled_down_for_the_model_and_keeps_its_own_size() -> None:
    picture = read(png(WORKING_SIDE + 1000, 1524))
    assert (picture.width, picture.height) == (WORKING_SIDE + 1000, 1524)
    assert picture.working.shape == (1024, WORKING_SIDE, 3)


def test_a_picture_at_the_working_size_is_left_as_it_is() -> None:
    assert read(png(WORKING_SIDE, 100)).working.shape == (100, WORKING_SIDE, 3)


def test_text_that_unpacks_to_much_is_not_unpacked() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("note", "0" * 50_000_000, zip=True)
    data = file_of(Pil.new("RGB", (8, 8), GRAY), "PNG", pnginfo=info)
    assert len(data) < 100_000
    assert read(data).width == 8


@pytest.mark.parametrize("tail", [b"PK\x03\x04 a zip", b"<script>alert(1)</script>"])
def test_what_follows_a_picture_is_passed_over(tail: bytes) -> None:
    assert np.array_equal(read(png() + tail).working, read(png()).working)


def test_a_damaged_chunk_is_refused() -> None:
    data = bytearray(file_of(noise(64, 48), "PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(CorruptImageError):
        read(bytes(data))


def test_a_parser_that_fails_in_an_odd_way_is_answered_like_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise SyntaxError("a parser's own")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", broken)
    with pytest.raises(CorruptImageError):
        read(png())


def test_an_unknown_chunk_is_passed_over() -> None:
    data = png()
    assert read(data[:33] + chunk(b"abCd", b"x" * 100) + data[33:]).width == 64
