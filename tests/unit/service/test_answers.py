"""What of a model's answer goes out: how fine each candidate is, and when its specks go."""

from __future__ import annotations

import numpy as np
import pytest

from app.arrays import Logits
from app.engine.contract import Candidates
from app.errors import UnknownObjectError
from app.masks.packing import as_kept
from app.masks.upsampling import upsampled_mask
from app.protocol.recipe import BoxStep
from app.protocol.run_lengths import decode_mask, encode_mask
from app.service.answers import NOISE, WORTH_CLEANING, object_answer, preview_answer
from app.session.objects import SessionObject

GRID = 64
SIZE_HW = (300, 400)
SHARE = 0.001
SUBJECT = SessionObject(id=1, name="", color=0)
SCORES = np.array([0.5, 0.9, 0.7], np.float32)


def disc(radius: float) -> Logits:
    y, x = np.ogrid[:GRID, :GRID]
    logits: Logits = np.asarray(radius - np.hypot(x - 31.5, y - 31.5), np.float32)
    return logits


def specked(logits: Logits) -> Logits:
    """Return logits with a lone cell in every fourth row and column outside of the disc."""
    found: Logits = logits.copy()
    lone = np.zeros(found.shape, np.bool_)
    lone[1:-1:4, 1:-1:4] = True
    found[lone & (logits < -3)] = 1
    return found


def found(*logits: Logits) -> Candidates:
    return Candidates(np.stack(logits), SCORES[: len(logits)])


def picking(candidate: int | None) -> SessionObject:
    return SessionObject(id=1, name="", color=0, trail=(BoxStep(box=(0, 0, 1, 1), pick=candidate),))


def test_only_the_best_candidate_is_drawn_at_the_pictures_size() -> None:
    answer = object_answer(found(disc(10), disc(20), disc(25)), SIZE_HW, SHARE, picking(None))
    shown = SessionObject(id=1, name="", color=0, answer=answer).shown
    assert [mask.size for mask in shown] == [(GRID, GRID), SIZE_HW, (GRID, GRID)]
    assert np.array_equal(decode_mask(shown[1]), upsampled_mask(as_kept(disc(20)), SIZE_HW))
    assert np.array_equal(decode_mask(shown[2]), disc(25) > 0)
    assert [answer.lacks(index) for index in range(4)] == [True, False, True, False]


def test_a_candidate_that_was_picked_is_drawn_instead_of_the_best() -> None:
    answer = object_answer(found(disc(10), disc(20), disc(25)), SIZE_HW, SHARE, picking(2))
    shown = SessionObject(id=1, name="", color=0, trail=(BoxStep(box=(0, 0, 1, 1), pick=2),), answer=answer).shown
    assert [mask.size for mask in shown] == [(GRID, GRID), (GRID, GRID), SIZE_HW]
    with pytest.raises(UnknownObjectError, match="2 candidates, got candidate 2"):
        object_answer(found(disc(10), disc(20)), SIZE_HW, SHARE, picking(2))


def test_a_coarse_candidate_says_about_what_its_fine_mask_does() -> None:
    whole = tuple(
        object_answer(found(disc(10), disc(20), disc(25)), SIZE_HW, SHARE, picking(pick)).fine[pick] for pick in (0, 1)
    )
    coarse = object_answer(found(disc(10), disc(20), disc(25)), SIZE_HW, SHARE, picking(2)).masks
    for one, other in zip(coarse, whole, strict=False):
        assert other is not None
        assert one.score == other.score
        assert one.area == pytest.approx(other.area, rel=0.05)


@pytest.mark.parametrize("size_hw", [(64, 64), (40, 60), (64, 2000), (2000, 64)], ids=str)
def test_nothing_is_coarse_where_the_picture_is_no_finer_than_the_grid(size_hw: tuple[int, int]) -> None:
    answer = object_answer(found(disc(10), disc(20), disc(25)), size_hw, SHARE, picking(None))
    assert SessionObject(id=1, name="", color=0, answer=answer).shown == answer.masks


def test_a_step_of_the_history_counts_what_it_holds_of_both() -> None:
    answer = object_answer(found(disc(10), disc(20), disc(25)), SIZE_HW, SHARE, picking(None))
    drawn = answer.fine[answer.best]
    assert drawn is not None
    held = [*answer.memory, *(mask.runs for mask in (*answer.masks, drawn))]
    assert SessionObject(id=1, name="", color=0, answer=answer).nbytes == sum(map(len, held))


def test_every_candidate_of_a_preview_whose_specks_weigh_is_without_them() -> None:
    dirty = specked(disc(20))
    assert len(encode_mask(dirty > 0, score=1.0).runs) in WORTH_CLEANING
    answer = preview_answer(found(dirty, dirty, dirty), (300, 400), SHARE, SUBJECT)
    assert all(np.array_equal(decode_mask(mask), disc(20) > 0) for mask in answer.masks)


def test_only_the_best_candidate_of_a_preview_is_cleaned_where_specks_are_few() -> None:
    dirty = disc(20)
    dirty[2, 2] = 1
    answer = preview_answer(found(dirty, dirty, dirty), (300, 400), SHARE, SUBJECT)
    assert [decode_mask(mask)[2, 2] for mask in answer.masks] == [True, False, True]


def test_noise_is_not_sorted_while_someone_hovers() -> None:
    noise = np.random.default_rng(0).standard_normal((GRID, GRID)).astype(np.float32)
    answer = preview_answer(found(noise, disc(20), noise), (300, 400), SHARE, SUBJECT)
    assert np.array_equal(decode_mask(answer.masks[0]), noise > 0)


def test_a_best_candidate_that_is_noise_is_shown_as_it_is() -> None:
    noise = np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32)
    assert len(encode_mask(noise > 0, score=1.0).runs) > NOISE
    answer = preview_answer(found(noise), (300, 400), SHARE, SUBJECT)
    assert np.array_equal(decode_mask(answer.masks[0]), noise > 0)
