"""How a hand moves a pointer over a picture: to somewhere, a rest there, perhaps a click, and on. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TRAVEL_S: Final = (0.4, 1.2)
"""Shortest and longest way of a hand from one place to the next."""
_REST_S: Final = (0.2, 0.8)
"""Shortest and longest rest there."""
_TREMOR: Final = 0.003
"""How far a resting hand strays, as a share of the picture's side."""


@dataclass(frozen=True)
class Moment:
    """Where the pointer is, in pixels of the picture, and whether it clicks there."""

    x: float
    y: float
    click: bool = False


def walk(rng: random.Random, width: int, height: int, *, rate_hz: float, click_every_s: float) -> Iterator[Moment]:
    """Yield where the pointer is, `rate_hz` times a second, without end.

    Args:
        rng: chance; the same seed walks the same way.
        width: of the picture, in pixels.
        height: of the picture.
        rate_hz: moments a second.
        click_every_s: seconds from click to click, on average.
    """
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    while True:
        to_x, to_y = rng.uniform(0, width), rng.uniform(0, height)
        travel_s, rest_s = rng.uniform(*_TRAVEL_S), rng.uniform(*_REST_S)
        steps = max(1, round(travel_s * rate_hz))
        for step in range(1, steps + 1):
            share = eased(step / steps)
            yield Moment(x + (to_x - x) * share, y + (to_y - y) * share)
        x, y = to_x, to_y
        clicks = rng.random() < (travel_s + rest_s) / click_every_s
        for _ in range(max(1, round(rest_s * rate_hz))):
            yield _strayed(rng, x, y, width, height)
        if clicks:
            yield Moment(x, y, click=True)


def eased(share: float) -> float:
    """Return how far a hand has come after a share of its time: it starts and stops gently (minimum jerk)."""
    return share**3 * (10 - 15 * share + 6 * share**2)


def _strayed(rng: random.Random, x: float, y: float, width: int, height: int) -> Moment:
    return Moment(
        min(max(x + rng.gauss(0, _TREMOR) * width, 0), width), min(max(y + rng.gauss(0, _TREMOR) * height, 0), height)
    )
