"""Rims that follow a picture's edges: what is of one colour is on one side, what isn't told by colours stays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from app.engine.contract import Candidates
from app.engine.sam2.edges import FINE_SIDE, SURE, EdgeGuide, along_edges, edge_guide, guided, window_means
from app.engine.sam2.selection import MAX_LOGIT
from app.masks.regions import stability_of

SIDE = 64
CELL = 4
"""Pixels of the model's input for a cell."""


def halves(rim: int) -> NDArray[np.float32]:
    """Return pixels that are red to the left of the cell `rim` and blue from there on."""
    pixels = np.zeros((1, 3, SIDE * CELL, SIDE * CELL), np.float32)
    pixels[:, 0, :, : rim * CELL] = 1
    pixels[:, 2, :, rim * CELL :] = 1
    return pixels


def guide_of(pixels: NDArray[np.float32]) -> EdgeGuide:
    guide = edge_guide(pixels, SIDE)
    assert guide is not None
    return guide


def columns(rim: int, size: float = 6.0) -> NDArray[np.float32]:
    """Return logits that are on an object to the left of the column `rim`."""
    logits = np.full((SIDE, SIDE), -size, np.float32)
    logits[:, :rim] = size
    return logits


def test_a_rim_beside_an_edge_moves_onto_it() -> None:
    ragged = columns(30)
    ragged[::3] = columns(31)[::3]
    ragged[1::5] = columns(29)[1::5]
    found = guided(ragged, guide_of(halves(30)))
    assert_array_equal(found > 0, columns(30) > 0)


def test_a_rim_that_the_colours_do_not_tell_of_stays_straight() -> None:
    flat = np.zeros((1, 3, SIDE * CELL, SIDE * CELL), np.float32)
    assert_array_equal(guided(columns(30), guide_of(flat)) > 0, columns(30) > 0)


def test_a_thin_thing_of_its_own_colour_is_kept() -> None:
    pixels = np.zeros((1, 3, SIDE * CELL, SIDE * CELL), np.float32)
    pixels[:, 1, 20 * CELL : 21 * CELL] = 1
    thin = np.full((SIDE, SIDE), -6, np.float32)
    thin[20] = 6
    assert_array_equal(guided(thin, guide_of(pixels)) > 0, thin > 0)


def test_logits_that_go_with_the_colours_are_found_again() -> None:
    cells = np.random.default_rng(0).uniform(-1, 1, (1, 3, SIDE, SIDE)).astype(np.float32)
    guide = guide_of(cells.repeat(CELL, 2).repeat(CELL, 3))
    logits = (guide.colours * np.array([0.3, -0.2, 0.4], np.float32)[:, None, None]).sum(0) + np.float32(0.05)
    logits *= np.float32(SURE) / np.abs(logits).max()
    inner = slice(3, -3)
    assert_allclose(guided(logits, guide)[inner, inner], logits[inner, inner], atol=0.03)


def test_logits_are_no_smaller_than_before_far_from_a_rim() -> None:
    found = guided(columns(30, 9.0), guide_of(halves(30)))
    assert np.abs(found[:, :20]).min() > 8.99
    assert np.abs(found[:, 40:]).min() > 8.99


def test_as_many_cells_are_unsure_as_before() -> None:
    starts = np.random.default_rng(2).uniform(17, 19, (SIDE, 1))
    inside = 12 - np.abs(np.arange(SIDE) - starts - 12)  # an object of 24 cells, whose logits rise by 1 a cell
    soft = inside.clip(-6, 6).astype(np.float32)
    found = guided(soft, guide_of(np.zeros((1, 3, SIDE * CELL, SIDE * CELL), np.float32)))
    unsure = [np.count_nonzero(np.abs(logits) < SURE) for logits in (soft, found)]
    assert unsure[1] == pytest.approx(unsure[0], abs=3)  # the last of them lie on the bound
    assert stability_of(found) == pytest.approx(stability_of(soft), abs=0.02)


def test_every_candidate_is_guided_and_keeps_its_score_and_bounds() -> None:
    guide = guide_of(halves(30))
    scores = np.array([0.9, 0.5], np.float32)
    logits = np.stack([columns(31), columns(29, 32.0)])
    found = along_edges(Candidates(logits, scores), guide)
    assert_array_equal(found.logits, np.stack([guided(one, guide) for one in logits]).clip(-MAX_LOGIT, MAX_LOGIT))
    assert_array_equal(found.scores, scores)
    assert found.logits.dtype == np.float32


def test_a_model_with_the_grid_of_the_published_ones_is_left_as_it_is() -> None:
    pixels = np.zeros((1, 3, 4 * FINE_SIDE, 4 * FINE_SIDE), np.float32)
    assert edge_guide(pixels, FINE_SIDE) is None
    found = Candidates(np.ones((1, FINE_SIDE, FINE_SIDE), np.float32), np.ones(1, np.float32))
    assert along_edges(found, None) is found


@pytest.mark.parametrize("place", [(0, 0), (5, 40), (63, 63)])
def test_a_window_mean_is_that_of_the_cells_around_which_go_on_beyond_the_rim(place: tuple[int, int]) -> None:
    maps = np.random.default_rng(1).normal(size=(2, SIDE, SIDE)).astype(np.float32)
    rows, across = (np.clip(np.arange(at - 3, at + 4), 0, SIDE - 1) for at in place)
    expected = maps[:, rows][:, :, across].mean((1, 2))
    assert_allclose(window_means(maps)[:, place[0], place[1]], expected, atol=1e-5)
