"""Where a person dabs a mask that is wrong, and what is noted of it."""

from __future__ import annotations

import numpy as np
import pytest

from app.nano.dabs import Dabs, deepest_error, far_place
from app.nano.scenes import Scene
from tests.helpers.fake_engine import FakeEngine

SIDE = 128
DOWN, ACROSS = np.ogrid[:SIDE, :SIDE]


def disc(x: float, y: float, radius: float) -> np.ndarray:
    return np.hypot(ACROSS - x, DOWN - y) < radius


def test_a_dab_is_at_the_heart_of_the_deepest_error_and_as_wide() -> None:
    truth = disc(40, 40, 20)
    missing = deepest_error(truth & ~disc(40, 30, 8), truth)
    assert missing is not None
    assert missing.label == 1
    assert missing.path[0] == pytest.approx((40.5, 30.5), abs=1)
    assert missing.radius == pytest.approx(8, abs=1)
    too_much = deepest_error((truth & ~disc(40, 30, 8)) | disc(90, 90, 12), truth)
    assert too_much is not None
    assert too_much.label == 0
    assert too_much.path[0] == pytest.approx((90.5, 90.5), abs=1)
    assert deepest_error(truth, truth) is None


def test_a_dab_far_from_a_small_thing_is_far_from_it() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        dab = far_place(rng, disc(30, 30, 6))
        assert dab is not None
        [(x, y)] = dab.path
        assert np.hypot(x - 30, y - 30) > 0.15 * SIDE
    assert far_place(rng, disc(64, 64, 50)) is None


def test_each_thing_is_corrected_by_a_click_and_by_a_dab() -> None:
    found = Dabs()
    scene = Scene(np.zeros((SIDE, SIDE, 3), np.uint8), [disc(60, 60, 40), disc(100, 20, 9)])
    found.add(FakeEngine(), scene, np.random.default_rng(4))
    rows = np.array(found.rows["the first mask"])
    assert rows.shape == (2, 4)
    assert (rows[:, 3] > rows[:, 0]).all()  # the pixels of a dab in an error make it less
    assert len(found.rows["far from a small thing"]) == 1
    head, _, *lines = found.table().splitlines()
    assert {line.count("|") for line in lines} == {head.count("|")}
    assert lines[0].startswith("| the first mask | ")
