"""An object predicted again from its prompts: the same questions in the same order, whatever answers them."""

from __future__ import annotations

import pytest

from app.protocol import messages as m
from app.session.objects import Answer, SessionObject
from app.session.replay import first_query, next_query
from app.session.session import Change, Query
from tests.assertions import answer_to, do, open_session

CLICK = m.Click(seq=1, x=10, y=10)


def refined(seq: int, x: float = 30) -> m.Click:
    return m.Click(seq=seq, x=x, y=30, label=0, object=1)


def replayed(item: SessionObject) -> tuple[Answer, list[Query]]:
    """Return the answer after a replay, and what was asked."""
    asked = [first_query(item)]
    while True:
        answer = answer_to(asked[-1])
        following = next_query(item, asked[-1], answer)
        if following is None:
            return answer, asked
        asked.append(following)


def made_by(*messages: Change) -> SessionObject:
    session = open_session()
    for message in messages:
        do(session, message)
    return session.objects[1]


@pytest.mark.parametrize(
    ("messages", "questions"),
    [
        ([CLICK], 1),
        ([m.Box(seq=1, box=(1, 1, 9, 9))], 1),
        ([CLICK, refined(2)], 2),
        ([CLICK, refined(2), refined(3, 40), refined(4, 50)], 4),
        ([m.Box(seq=1, box=(1, 1, 9, 9)), refined(2)], 2),
        ([CLICK, m.Choose(seq=2, object=1, candidate=0), refined(3), refined(4, 40)], 3),
        ([CLICK, refined(2), m.Move(seq=3, object=1, point=0, x=5, y=5)], 1),
        ([CLICK, refined(2), m.Move(seq=3, object=1, point=0, x=5, y=5), refined(4, 40)], 2),
        ([CLICK, refined(2), m.Unpoint(seq=3, object=1, point=1), refined(4, 40)], 2),
        ([CLICK, refined(2), m.Box(seq=3, box=(1, 1, 9, 9), object=1), refined(4, 40)], 2),
        ([CLICK, m.Label(seq=2, object=1, name="cup"), refined(3)], 2),
    ],
    ids=["click", "box", "two", "four", "box, click", "choice", "move", "move, click", "unpoint", "boxed", "label"],
)
def test_a_replay_with_the_same_model_gives_the_same_answer(messages: list[Change], questions: int) -> None:
    item = made_by(*messages)
    answer, asked = replayed(item)
    assert answer == item.answer
    assert len(asked) == questions
    assert (asked[-1].subject.points, asked[-1].subject.box) == (item.points, item.box)


def test_a_candidate_that_was_refined_is_the_one_that_was_picked() -> None:
    _, asked = replayed(made_by(CLICK, m.Choose(seq=2, object=1, candidate=0), refined(3)))
    first = answer_to(asked[0])
    assert first.best != 0
    assert asked[1].feedback == first.memory[0]


def test_without_a_pick_the_best_of_the_model_at_hand_is_refined() -> None:
    item = made_by(CLICK, refined(2))
    other = Answer(answer_to(first_query(item)).masks, (b"a", b"b", b"c"), best=1)
    following = next_query(item, first_query(item), other)
    assert following is not None
    assert following.feedback == b"b"


def test_a_pick_stays_the_objects_choice_and_the_best_is_the_models() -> None:
    picked = made_by(CLICK, m.Choose(seq=2, object=1, candidate=0))
    assert (picked.pick, picked.chosen) == (0, 0)
    assert made_by(CLICK).pick is None


def test_the_last_question_of_a_replay_says_which_candidate_is_to_be_drawn() -> None:
    item = made_by(CLICK, m.Choose(seq=2, object=1, candidate=0), refined(3), m.Choose(seq=4, object=1, candidate=0))
    assert [query.subject.pick for query in replayed(item)[1]] == [None, 0]
