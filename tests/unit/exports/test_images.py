from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from app.arrays import MaskArray
from app.errors import ImageTooLargeError, TooManyObjectsError, UnknownObjectError
from app.exports.make import WITH_PIXELS, make_file
from app.exports.selection import Selection
from app.protocol.fields import ExportFormat
from app.session.palette import color_rgb
from tests.helpers.export_readers import MAX_BYTES, blob, from_png, made, pixels_of, selection, unzipped

MASKS = [blob(90, 160, 1), blob(90, 160, 2), blob(90, 160, 3)]


def test_one_mask_is_a_png() -> None:
    file = made("mask", selection(MASKS[0]))
    assert (file.name, file.media_type) == ("photo.mask.png", "image/png")
    picture = from_png(file.data)
    assert picture.mode == "L"
    assert np.array_equal(np.asarray(picture), np.where(MASKS[0], 255, 0))


def test_several_masks_are_a_png_each_and_one_with_numbers() -> None:
    file = made("mask", selection(*MASKS, names=["cup", "../x/\u202ey", "Object 3"]))
    assert (file.name, file.media_type) == ("photo.masks.zip", "application/zip")
    files = unzipped(file.data)
    assert list(files) == ["001-cup.png", "002-_x_ y.png", "003-object.png", "indexed.png"]
    for data, mask_hw in zip(files.values(), MASKS, strict=False):
        assert np.array_equal(np.asarray(from_png(data)) == 255, mask_hw)
    indexed = from_png(files["indexed.png"])
    expected = np.where(MASKS[2], 3, np.where(MASKS[1], 2, np.where(MASKS[0], 1, 0)))
    assert indexed.mode == "P"
    assert np.array_equal(np.asarray(indexed), expected)
    colors = np.asarray(indexed.convert("RGB"))
    assert colors[MASKS[2]][0].tolist() == list(color_rgb(2))
    assert colors[expected == 0][0].tolist() == [0, 0, 0]


def test_a_cutouts_alpha_is_the_mask_and_nothing_else_of_the_picture_is_in_it() -> None:
    file = made("cutout", selection(MASKS[0], MASKS[1]))
    assert (file.name, file.media_type) == ("photo.cutout.png", "image/png")
    picture = from_png(file.data)
    assert picture.mode == "RGBA"
    rgba, both = np.asarray(picture), MASKS[0] | MASKS[1]
    assert np.array_equal(rgba[..., 3], np.where(both, 255, 0))
    assert np.array_equal(rgba[both][:, :3], pixels_of(90, 160)[both])
    assert not rgba[~both].any()


def transparent(*masks: MaskArray) -> Selection:
    """Return objects on a picture that is more transparent from left to right."""
    alpha = np.broadcast_to(np.linspace(0, 255, 160).astype(np.uint8)[:, None], (90, 160, 1))
    pixels = np.concatenate([pixels_of(90, 160), alpha], axis=2)
    return replace(selection(*masks), pixels=pixels.copy)


def test_a_cutout_keeps_the_transparency_of_its_picture() -> None:
    chosen = transparent(MASKS[0])
    rgba = np.asarray(from_png(made("cutout", chosen).data))
    assert np.array_equal(rgba[MASKS[0]], chosen.pixels()[MASKS[0]])
    assert not rgba[~MASKS[0]].any()


def test_an_overlay_of_a_transparent_picture_lies_over_white() -> None:
    rgb = np.asarray(from_png(made("overlay", transparent()).data))
    before = pixels_of(90, 160)
    assert rgb[:, 0].min() == 255
    assert np.array_equal(rgb[:, -1], before[:, -1])
    assert np.abs(rgb[:, 80] - (255 - (255.0 - before[:, 80]) * 128 / 255)).max() <= 2


def test_an_overlay_tints_the_objects_and_leaves_the_rest() -> None:
    mask_hw = np.zeros((90, 160), np.bool_)
    mask_hw[20:60, 30:100] = True
    picture = from_png(made("overlay", selection(mask_hw)).data)
    rgb, before = np.asarray(picture), pixels_of(90, 160)
    assert (picture.mode, picture.size) == ("RGB", (160, 90))
    assert np.array_equal(rgb[:18], before[:18])
    inner = np.abs(rgb[25:55, 35:95] - (0.55 * before[25:55, 35:95] + 0.45 * np.array(color_rgb(0))))
    assert inner.max() <= 1
    assert rgb[40, 30].tolist() == list(color_rgb(0))


def test_an_overlay_of_no_object_is_the_picture() -> None:
    assert np.array_equal(np.asarray(from_png(made("overlay", selection()).data)), pixels_of(30, 40))


@pytest.mark.parametrize("kind", ["mask", "cutout"])
def test_a_picture_of_nothing_is_refused(kind: ExportFormat) -> None:
    with pytest.raises(UnknownObjectError, match="click one"):
        made(kind, selection())


@pytest.mark.parametrize("kind", get_args(ExportFormat))
def test_a_file_is_never_larger_than_allowed(kind: ExportFormat) -> None:
    chosen = selection(*MASKS)
    size = len(made(kind, chosen).data)
    assert len(make_file(kind, chosen, size).data) == size
    with pytest.raises(ImageTooLargeError, match="HOVERSAM_MAX_EXPORT_BYTES"):
        make_file(kind, chosen, size - 1)
    with pytest.raises(ImageTooLargeError):
        make_file(kind, chosen, 1)


@pytest.mark.parametrize("kind", sorted(set(get_args(ExportFormat)).difference(WITH_PIXELS)))
def test_other_formats_never_read_the_picture(kind: ExportFormat) -> None:
    def unwanted() -> None:
        raise AssertionError("the pixels were read")

    made(kind, replace(selection(*MASKS), pixels=unwanted))  # type: ignore[arg-type]


def test_more_objects_than_a_png_has_colours_are_refused() -> None:
    with pytest.raises(TooManyObjectsError, match="255"):
        make_file("mask", selection(*[MASKS[0]] * 256), MAX_BYTES)
