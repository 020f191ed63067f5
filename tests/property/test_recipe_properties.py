from __future__ import annotations

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadMessageError
from app.masks.strokes import stroke_mask
from app.protocol import messages as m
from app.protocol.recipe import StrokeStep
from app.protocol.run_lengths import decode_mask
from app.service.answers import native_mask
from app.session.recipe import read_recipe
from app.session.session import Change
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.recipes import SPECK_SHARE, Worker, changes, recipe_of, strokes
from tests.helpers.thorough import examples

WIDTH, HEIGHT = 90, 60
WORKER = Worker(FakeEngine(), np.zeros((HEIGHT, WIDTH, 3), np.uint8))


@given(changes(WIDTH, HEIGHT))
@settings(max_examples=examples(200, 2000))
def test_a_session_is_made_again_from_its_recipe_to_the_bit(history: list[Change | m.Give]) -> None:
    session = WORKER.session()
    for message in history:
        WORKER.do(session, message)
    again = WORKER.again(recipe_of(session))
    assert again.objects == session.objects
    assert list(again.objects) == list(session.objects)
    assert again.classes == session.classes
    assert recipe_of(again) == recipe_of(session)


@given(changes(WIDTH, HEIGHT), strokes(WIDTH, HEIGHT, st.just(1)), changes(WIDTH, HEIGHT))
@settings(max_examples=examples(40, 2000))
def test_painted_pixels_are_never_lost(
    before: list[Change | m.Give], stroke: m.Paint, after: list[Change | m.Give]
) -> None:
    session, seqs = WORKER.session(), itertools.count(1)
    for message in [m.Click(seq=0, x=40, y=30), *before, stroke, *after]:
        WORKER.do(session, msgspec.structs.replace(message, seq=next(seqs)))
        for item in session.objects.values():
            assert item.answer is not None
            shown = decode_mask(item.shown[item.chosen])
            strokes_of = [step for step in item.trail if isinstance(step, StrokeStep)]
            left = np.ones((HEIGHT, WIDTH), np.bool_)
            for step in reversed(strokes_of):  # the last one over a pixel decides it
                under = left & stroke_mask(step.path, step.radius, (HEIGHT, WIDTH), (HEIGHT, WIDTH))
                assert (shown[under] == bool(step.label)).all()
                left &= ~under
            assert np.array_equal(native_mask(item, item.answer, (HEIGHT, WIDTH), SPECK_SHARE), shown)


@given(st.binary(max_size=50) | st.text(max_size=50).map(str.encode) | st.just(b"[" * 100_000))
def test_bytes_that_are_no_recipe_are_a_clear_error(data: bytes) -> None:
    with pytest.raises(BadMessageError, match="recipe"):
        read_recipe(data)
