"""Whether a prompt lies on the picture. Pure."""

from __future__ import annotations

from app.errors import BadCoordError
from app.protocol.fields import BoxXyxy


def check_point(x: float, y: float, width: int, height: int) -> None:
    """Refuse a point off the picture; its right and lower edge still count.

    Raises:
        BadCoordError: the point is outside, or not finite.
    """
    if not (0 <= x <= width and 0 <= y <= height):
        raise BadCoordError(f"a point must lie within 0 to {width} and 0 to {height}, got ({x:g}, {y:g})")


def check_box(box: BoxXyxy, width: int, height: int) -> None:
    """Refuse a box off the picture or inside out.

    Raises:
        BadCoordError: a corner is outside, or x0 < x1 and y0 < y1 do not hold.
    """
    x0, y0, x1, y1 = box
    check_point(x0, y0, width, height)
    check_point(x1, y1, width, height)
    if not (x0 < x1 and y0 < y1):
        raise BadCoordError(f"a box must have x0 < x1 and y0 < y1, got ({x0:g}, {y0:g}, {x1:g}, {y1:g})")
