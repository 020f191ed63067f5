from __future__ import annotations

import numpy as np

from app.cli.overlay import draw_overlay, outline

IMAGE = np.full((40, 40, 3), 200, dtype=np.uint8)
SQUARE = np.pad(np.ones((20, 20), dtype=np.bool_), 10)


def test_the_overlay_tints_the_mask_alone() -> None:
    drawn = draw_overlay(IMAGE, SQUARE, (20, 20))
    assert (drawn[~SQUARE] == 200).all()
    assert (drawn[SQUARE] != 200).any(axis=1).all()


def test_the_outline_is_stronger_than_the_tint() -> None:
    drawn = draw_overlay(IMAGE, SQUARE, (20, 20), color=(255, 0, 0))
    assert drawn[10, 10].tolist() == [255, 0, 0]
    assert drawn[12, 12].tolist() == [224, 110, 110]


def test_the_point_is_marked_where_it_was_clicked() -> None:
    drawn = draw_overlay(IMAGE, np.zeros_like(SQUARE), (30, 5), color=(255, 0, 0))
    assert drawn[5, 30].tolist() == [255, 0, 0]
    assert (drawn[:, :20] == 200).all()


def test_the_picture_itself_stays_as_it_was() -> None:
    draw_overlay(IMAGE, SQUARE, (20, 20))
    assert (IMAGE == 200).all()


def test_the_outline_is_as_wide_as_its_stroke() -> None:
    assert outline(SQUARE, 1).sum() == 20 * 20 - 18 * 18
    assert outline(SQUARE, 2).sum() == 20 * 20 - 16 * 16


def test_the_rim_of_the_picture_is_no_edge() -> None:
    assert not outline(np.ones((5, 5), dtype=np.bool_), 1).any()
