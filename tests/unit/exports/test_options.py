"""How a file is made, beside its format: trimmed, soft-edged, over a colour, in fewer points; and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from PIL import Image as Pil
from PIL import ImageDraw

from app.arrays import MaskArray
from app.errors import BadMessageError
from app.exports.edges import alpha_of, softened
from app.exports.options import check_options
from app.exports.selection import Selection
from app.protocol.fields import ExportFormat
from app.protocol.values import ExportOptions
from tests.helpers.export_readers import from_png, made, selection


def disc(radius: int, size: int = 200) -> MaskArray:
    y, x = np.mgrid[:size, :size]
    mask_hw: MaskArray = np.hypot(x - size / 2, y - size / 2) < radius
    return mask_hw


def chosen(mask_hw: MaskArray, **options: Any) -> Selection:
    return replace(selection(mask_hw), options=ExportOptions(**options))


def test_trimmed_cutout_is_the_part_of_the_whole_one_that_shows_something() -> None:
    whole = np.asarray(from_png(made("cutout", chosen(disc(40))).data))
    trimmed = np.asarray(from_png(made("cutout", chosen(disc(40), trim=True)).data))
    assert trimmed.shape == (79, 79, 4)
    assert np.array_equal(trimmed, whole[61:140, 61:140])


def test_ground_lies_behind_and_the_file_is_opaque() -> None:
    picture = from_png(made("cutout", chosen(disc(40), ground="#ff8000")).data)
    plain = np.asarray(from_png(made("cutout", chosen(disc(40))).data))
    assert picture.mode == "RGB"
    assert picture.getpixel((0, 0)) == (255, 128, 0)
    assert np.array_equal(np.asarray(picture)[disc(40)], plain[disc(40)][:, :3])


def test_soft_edge_is_between_and_all_else_is_as_the_mask_says() -> None:
    alpha = np.asarray(from_png(made("cutout", chosen(disc(40), edge="soft")).data))[..., 3]
    assert (alpha[disc(34)] == 255).all()
    assert (alpha[~disc(46)] == 0).all()
    rim = alpha[disc(41) & ~disc(39)]
    assert np.mean((rim > 20) & (rim < 235)) > 0.3
    assert set(np.unique(np.asarray(from_png(made("cutout", chosen(disc(40))).data))[..., 3])) == {0, 255}


def test_soft_edge_goes_where_the_picture_has_one_and_takes_the_ground_out_of_the_colours() -> None:
    picture = Pil.new("RGB", (200, 200), (20, 60, 200))
    ImageDraw.Draw(picture).ellipse((60, 60, 140, 140), fill=(230, 200, 40))
    rgb = np.asarray(picture)
    colors = rgb.astype(np.float32) / np.float32(255)
    guided, blind = alpha_of(colors, disc(38), 4), alpha_of(np.zeros_like(colors), disc(38), 4)
    missed = disc(40) & ~disc(38)  # the picture's own edge lies two pixels farther out
    assert guided[missed].mean() > 1.25 * blind[missed].mean()
    assert guided[disc(43) & ~disc(41)].mean() < blind[disc(43) & ~disc(41)].mean()

    [soft] = softened(rgb, disc(41))
    partly = (soft.alpha > 40) & (soft.alpha < 215)
    before = rgb[soft.rows, soft.columns]
    assert partly.any()
    assert soft.rgb[partly][:, 2].mean() < before[partly][:, 2].mean()  # less of the blue behind


def test_soft_cutout_of_bands_is_that_of_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.asarray(from_png(made("cutout", chosen(disc(70), edge="soft")).data))
    monkeypatch.setattr("app.exports.edges.BAND_PIXELS", 1000)
    assert np.array_equal(np.asarray(from_png(made("cutout", chosen(disc(70), edge="soft")).data)), whole)


def test_more_tolerance_is_fewer_points_and_more_pixels_that_differ() -> None:
    points, differing = [], []
    for tolerance in (0.0, 1.0, 4.0, 12.0):
        [thing] = json.loads(made("coco", chosen(disc(80), tolerance=tolerance)).data)["annotations"]
        points.append(sum(len(ring) for ring in thing["polygons"]) // 2)
        differing.append(thing["polygons_differ"])
    assert points == sorted(points, reverse=True)
    assert differing == sorted(differing)
    assert differing[0] == 0 < differing[-1]
    assert points[0] > 10 * points[-1]
    assert len(made("svg", chosen(disc(80), tolerance=12.0)).data) < len(made("svg", chosen(disc(80))).data)


@pytest.mark.parametrize("options", [{"trim": True}, {"edge": "soft"}, {"ground": "#ffffff"}, {"tolerance": 2.0}])
def test_option_that_a_format_does_not_take_is_refused_and_says_who_takes_it(options: dict[str, Any]) -> None:
    takers = {"coco", "yolo", "labelme", "svg"} if "tolerance" in options else {"cutout"}
    [name] = options
    for kind in get_args(ExportFormat):
        if kind in takers:
            check_options(kind, ExportOptions(**options))
            continue
        with pytest.raises(BadMessageError, match=f"{kind} takes no {name}, which is for .*{min(takers)}"):
            made(kind, chosen(disc(10), **options))


@pytest.mark.parametrize(
    "options",
    [{"edge": "feathered"}, {"ground": "red"}, {"ground": "#fff"}, {"tolerance": -1}, {"tolerance": 101}, {"shade": 1}],
)
def test_unknown_and_unbounded_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, ExportOptions)
