from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import BadMessageError
from app.session.recipe import read_recipe
from app.session.session import Change
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.recipes import Worker, changes, recipe_of

WIDTH, HEIGHT = 90, 60
WORKER = Worker(FakeEngine(), np.zeros((HEIGHT, WIDTH, 3), np.uint8))


@given(changes(WIDTH, HEIGHT))
@settings(max_examples=300, deadline=None)
def test_a_session_is_made_again_from_its_recipe_to_the_bit(history: list[Change]) -> None:
    session = WORKER.session()
    for message in history:
        WORKER.do(session, message)
    again = WORKER.again(recipe_of(session))
    assert again.objects == session.objects
    assert list(again.objects) == list(session.objects)
    assert again.classes == session.classes
    assert recipe_of(again) == recipe_of(session)


@given(st.binary(max_size=50) | st.text(max_size=50).map(str.encode) | st.just(b"[" * 100_000))
def test_bytes_that_are_no_recipe_are_a_clear_error(data: bytes) -> None:
    with pytest.raises(BadMessageError, match="recipe"):
        read_recipe(data)
