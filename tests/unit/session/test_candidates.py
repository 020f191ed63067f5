"""A click takes the candidate that a hover showed."""

from __future__ import annotations

import pytest

from app.errors import UnknownObjectError
from app.protocol import messages as m
from tests.helpers.assertions import do, only_gone, only_object, open_session


def test_a_click_takes_the_candidate_that_was_shown_in_one_step() -> None:
    session = open_session()
    made = only_object(do(session, m.Click(seq=1, x=10, y=10, candidate=0)))
    assert made.chosen == 0
    assert only_gone(do(session, m.Undo(seq=2))).objects == (1,)


def test_a_click_on_the_best_candidate_leaves_the_choice_to_the_model() -> None:
    session = open_session()
    do(session, m.Click(seq=1, x=10, y=10, candidate=2))
    assert (session.objects[1].chosen, session.objects[1].pick) == (2, None)


def test_a_click_for_a_candidate_that_there_is_not_changes_nothing() -> None:
    session = open_session()
    do(session, m.Click(seq=1, x=10, y=10))
    before = session.objects
    for message in (m.Click(seq=2, x=10, y=10, candidate=3), m.Click(seq=3, x=10, y=10, object=1, candidate=1)):
        with pytest.raises(UnknownObjectError, match=f"got candidate {message.candidate}; count from 0"):
            do(session, message)
    assert session.objects is before
