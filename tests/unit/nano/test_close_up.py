"""Small things of large pictures, and the windows in which they are clicked."""

from __future__ import annotations

import numpy as np

from app.nano.close_up import SIDE, SMALLEST, CloseUp, Small, thing, views_of
from app.nano.scenes import material
from app.protocol.windows import has
from tests.helpers.fake_engine import FakeEngine


def test_a_thing_is_as_small_as_was_asked() -> None:
    layer = thing(np.random.default_rng(3), material(None, held_out=True), SIDE * SMALLEST)
    assert max(layer.shape[:2]) == int(SIDE * SMALLEST)
    assert layer[..., 3].max() > 0.5


def test_who_looks_at_a_thing_has_it_in_every_window() -> None:
    rng = np.random.default_rng(4)
    for x, y in ((3.5, 3.5), (1000.5, 700.5), (SIDE - 1.5, 40.5)):
        windows = list(views_of(x, y, rng))
        assert [x1 - x0 for x0, _, x1, _ in windows] == [1024, 512, 256]
        assert all(has(window, (x, y, x, y)) for window in windows)


def test_a_small_disc_is_lost_in_the_whole_and_found_in_a_window() -> None:
    down, across = np.ogrid[:SIDE, :SIDE]
    disc = np.hypot(across - 999.5, down - 699.5) < 40
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    found = CloseUp()
    found.add(FakeEngine(), Small(image, [disc]), np.random.default_rng(4))
    assert {side: len(values) for side, values in found.best.items()} == {2048: 1, 1024: 1, 512: 1, 256: 1}
    assert found.best[2048] < [0.1]
    assert max(found.best[512], found.best[256]) > [0.5]
    head, _, *rows = found.table(64).splitlines()
    assert len(rows) == 4
    assert head.count("|") == rows[0].count("|")
    assert rows[0].startswith("| the whole picture | 32 px | 0.0")
