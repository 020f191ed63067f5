"""Colours of objects stand out from what they cover."""

from __future__ import annotations

import numpy as np
import pytest

from app.protocol import messages as m
from app.protocol.run_lengths import encode_mask
from app.session.contrast import DISTINCT, GRID, grid_colors, oklab, visible_color
from app.session.palette import PALETTE, color_hex, color_rgb
from app.session.query import Query
from app.session.session import Session
from app.session.values import OpenImage
from tests.helpers.assertions import LIMITS, MODEL, answer_to

LEFT = encode_mask(np.arange(90)[None, :].repeat(60, 0) < 45, score=1.0)
ALL = encode_mask(np.ones((60, 90), np.bool_), score=1.0)
NOTHING = encode_mask(np.zeros((60, 90), np.bool_), score=1.0)


def picture(left: tuple[int, int, int], right: tuple[int, int, int] = (92, 108, 120)) -> OpenImage:
    """Return a picture of two halves."""
    pixels = np.empty((60, 90, 3), np.uint8)
    pixels[:, :45], pixels[:, 45:] = left, right
    return OpenImage("a", 90, 60, colors=grid_colors(pixels))


def distance(color: int, ground: tuple[int, int, int]) -> float:
    one, other = oklab(np.array([color_rgb(color), ground], np.uint8))
    return float(np.linalg.norm(one - other))


@pytest.mark.parametrize("color", range(len(PALETTE)), ids=PALETTE)
@pytest.mark.parametrize("first", [0, 3])
def test_no_object_is_shown_in_the_colour_that_it_covers(color: int, first: int) -> None:
    chosen = visible_color(first, picture(color_rgb(color)), LEFT)
    assert distance(chosen, color_rgb(color)) >= DISTINCT


@pytest.mark.parametrize(
    "ground", [(222, 130, 20), (255, 255, 255), (0, 0, 0), (128, 128, 128), (210, 180, 140)], ids=str
)
def test_the_first_that_stands_out_is_taken(ground: tuple[int, int, int]) -> None:
    chosen = visible_color(1, picture(ground), LEFT)
    passed = [color for color in range(1, chosen) if distance(color, ground) >= DISTINCT]
    assert passed == []
    assert distance(chosen, ground) >= DISTINCT


def test_what_lies_beside_the_object_does_not_count() -> None:
    assert visible_color(1, picture((92, 108, 120), color_rgb(1)), LEFT) == 1
    assert visible_color(1, picture(color_rgb(1), (92, 108, 120)), LEFT) != 1


def test_of_those_that_stand_out_the_least_used_is_taken() -> None:
    grey = picture((92, 108, 120))
    assert visible_color(0, grey, LEFT) == 0
    assert visible_color(0, grey, LEFT, used=[0]) == 1
    assert visible_color(0, grey, LEFT, used=[0, 1, 8]) not in (0, 1)


def test_the_first_will_do_where_nothing_is_known_of_the_picture_or_nothing_is_covered() -> None:
    assert visible_color(5, OpenImage("a", 90, 60), ALL) == 5
    assert visible_color(5, picture(color_rgb(5)), NOTHING) == 5


def test_on_a_motley_picture_the_farthest_is_taken() -> None:
    pixels = np.array([color_rgb(number % 8) for number in range(GRID * GRID)], np.uint8).reshape(GRID, GRID, 3)
    chosen = visible_color(0, OpenImage("a", 90, 60, colors=pixels.tobytes()), ALL)
    assert color_hex(chosen) in PALETTE


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (700, 3), (GRID, GRID), (2048, 1500)])
def test_a_picture_of_any_size_has_a_grid(size: tuple[int, int]) -> None:
    assert len(grid_colors(np.zeros((*size, 3), np.uint8))) == GRID * GRID * 3


def test_an_object_keeps_the_colour_that_it_began_with() -> None:
    session = Session(LIMITS, MODEL)
    session.open(0, picture(color_rgb(0)))
    for seq, object_ in ((1, None), (2, 1)):
        query = session.step(m.Click(seq=seq, x=10, y=10, object=object_))
        assert isinstance(query, Query)
        session.commit(query, answer_to(query))
        color = session.objects[1].color
        assert color != 0
    assert session.objects[1].color == color
