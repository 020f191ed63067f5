from __future__ import annotations

import math

import pytest

from app.errors import BadCoordError
from app.session.checks import check_box, check_point


@pytest.mark.parametrize(("x", "y"), [(0, 0), (-0.0, 0), (30, 20), (15.5, 7.25), (30, 0), (0, 20)])
def test_a_point_on_the_picture_is_taken(x: float, y: float) -> None:
    check_point(x, y, 30, 20)


@pytest.mark.parametrize("bad", [math.nextafter(30, 31), math.nextafter(0, -1), math.nan, math.inf, -math.inf, 1e308])
def test_a_point_off_the_picture_is_refused(bad: float) -> None:
    for x, y in [(bad, 5), (5, bad)]:
        with pytest.raises(BadCoordError, match="within"):
            check_point(x, y, 30, 20)


@pytest.mark.parametrize("box", [(0, 0, 30, 20), (1, 1, 1.001, 1.001)])
def test_a_box_on_the_picture_is_taken(box: tuple[float, float, float, float]) -> None:
    check_box(box, 30, 20)


@pytest.mark.parametrize(
    "box", [(5, 5, 5, 9), (5, 5, 9, 5), (9, 5, 5, 9), (5, 9, 9, 5), (-1, 0, 5, 5), (0, 0, 31, 5), (0, 0, math.nan, 5)]
)
def test_a_box_off_the_picture_or_inside_out_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(BadCoordError):
        check_box(box, 30, 20)
