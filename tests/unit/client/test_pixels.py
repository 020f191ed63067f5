"""What a script has in place of a file: it arrives at the server's decoder as it was, to the pixel."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from app.client.mask_array import mask_step
from app.client.pixels import picture_of
from app.errors import BadMessageError
from app.pictures.limits import PictureLimits
from app.pictures.reading import read_picture

LIMITS = PictureLimits(2**20, 100_000)
NOISE = np.random.default_rng(5).integers(0, 256, (7, 11, 4), np.uint8)
RGB: NDArray[np.uint8] = np.ascontiguousarray(NOISE[..., :3])


def seen(given: object) -> NDArray[np.uint8]:
    """Return the pixels of which a server makes its masks."""
    data = picture_of(given)
    assert isinstance(data, bytes)
    return read_picture(data, LIMITS).working


def test_an_array_arrives_to_the_pixel_whatever_lies_between_its_samples() -> None:
    assert np.array_equal(seen(RGB), RGB)
    assert np.array_equal(seen(NOISE[..., :3]), RGB)
    assert np.array_equal(seen(RGB[::2, ::-1]), RGB[::2, ::-1])
    assert np.array_equal(seen(RGB[:1, :1]), RGB[:1, :1])
    grey = RGB[..., 0]
    assert np.array_equal(seen(grey), np.dstack([grey] * 3))
    assert np.array_equal(seen(grey[..., None]), np.dstack([grey] * 3))
    opaque = np.dstack([RGB, np.full(grey.shape, 255, np.uint8)])
    assert np.array_equal(seen(opaque), RGB)


def test_photographs_as_arrays_weigh_less_than_their_samples() -> None:
    with Image.open(Path(__file__).parents[3] / "static/samples/coffee.jpg") as photo:
        pixels = np.asarray(photo)
    assert len(bytes(picture_of(pixels))) < 0.75 * pixels.nbytes


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA", "YCbCr", "HSV", "I"])
def test_a_picture_of_pillow_arrives_as_pillow_shows_it(mode: str) -> None:
    picture = Image.fromarray(RGB).convert(mode)
    assert np.array_equal(seen(picture), np.asarray(picture.convert("RGB"))) or mode == "I"  # which is stretched


def test_a_picture_of_pillow_is_not_turned_and_keeps_its_profile_where_it_keeps_its_samples() -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    file = io.BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(RGB).save(file, "JPEG", exif=exif, icc_profile=profile)
    for mode, kept in (("RGB", True), ("CMYK", False)):
        data = picture_of(Image.open(io.BytesIO(file.getvalue())).convert(mode))
        with Image.open(io.BytesIO(bytes(data))) as sent:
            assert (sent.size, sent.getexif().get(0x112), "icc_profile" in sent.info) == ((11, 7), None, kept)


def test_an_open_file_is_read_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"the bytes")
    with path.open("rb") as file:
        assert picture_of(file) == picture_of(io.BytesIO(b"the bytes")) == b"the bytes"
    with path.open() as text, pytest.raises(TypeError, match="open it with 'rb'"):
        picture_of(text)
    assert picture_of(str(path)) == picture_of(path) == path


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (RGB / 255, r"\(7, 11, 3\) float64; .*\(pixels \* 255\)"),
        (np.moveaxis(RGB, -1, 0), r"got \(3, 7, 11\) uint8; .*np.moveaxis"),
        (RGB[..., :2], r"\(7, 11, 2\)"),
        (RGB[:0], r"\(0, 11, 3\)"),
        (Image.new("F", (2, 2)), "mode F"),
        ([[1, 2]], "got list"),
        (None, "got NoneType"),
    ],
)
def test_what_is_no_picture_is_told_what_to_do(given: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        picture_of(given)


def test_an_address_is_no_file() -> None:
    with pytest.raises(ValueError, match=r"got the address https://a.example/b.png; fetch it"):
        picture_of("https://a.example/b.png")


def test_a_mask_may_be_a_list_or_a_picture_and_has_two_sides() -> None:
    mask: Any = np.arange(12).reshape(3, 4) > 5
    picture: Any = Image.fromarray(mask)
    assert mask_step(mask) == mask_step(mask.tolist()) == mask_step(picture)
    with pytest.raises(BadMessageError, match=r"\(H, W\), got \(3, 4, 3\)"):
        mask_step(np.dstack([mask] * 3))
