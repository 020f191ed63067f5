"""An object's trail: what each change makes of its steps, and what is asked again for it."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.contract import Candidates, Embedding, Prompt
from app.protocol import messages as m
from app.protocol.recipe import BoxStep, PointStep, Step
from app.service.answers import Replay
from app.session.query import Query
from app.session.session import Change
from tests.helpers.assertions import do, open_session, query_of
from tests.helpers.fake_engine import FakeEmbedding, FakeEngine

BOX = (1.0, 1.0, 60.0, 60.0)
CLICK = m.Click(seq=1, x=10, y=10, candidate=0)


class FlatEngine(FakeEngine):
    """Its candidate number n is 2 + n everywhere, the last with the best score."""

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        self.decoded.append(prompts)
        count = 3 if prompts[0].multimask else 1
        logits = np.stack([np.full((4, 4), 2.0 + number, np.float32) for number in range(count)])
        return [Candidates(logits, np.linspace(0.5, 0.9, count, dtype=np.float32))]


def point(x: float, label: int = 1, pick: int | None = None) -> PointStep:
    return PointStep(x=x, y=x, label=label, pick=pick)


def refined(seq: int, x: float) -> m.Click:
    return m.Click(seq=seq, x=x, y=x, label=0, object=1)


@pytest.mark.parametrize(
    ("messages", "trail"),
    [
        ([CLICK], (point(10, pick=0),)),
        ([CLICK, refined(2, 30)], (point(10, pick=0), point(30, 0))),
        ([CLICK, m.Choose(seq=2, object=1, candidate=2)], (point(10),)),
        ([CLICK, refined(2, 30), m.Move(seq=3, object=1, point=0, x=20, y=20)], (point(20, pick=0), point(30, 0))),
        ([CLICK, refined(2, 30), m.Unpoint(seq=3, object=1, point=0)], (point(30, 0),)),
        ([CLICK, refined(2, 30), m.Unpoint(seq=3, object=1, point=1)], (point(10, pick=0),)),
        ([CLICK, refined(2, 30), m.Box(seq=3, box=BOX, object=1)], (BoxStep(box=BOX), point(10), point(30, 0))),
        ([m.Box(seq=1, box=BOX), refined(2, 30)], (BoxStep(box=BOX), point(30, 0))),
        ([CLICK, m.Label(seq=2, object=1, name="cup")], (point(10, pick=0),)),
    ],
    ids=["click", "two", "choose the best", "move", "first away", "last away", "a later box", "box, point", "label"],
)
def test_a_trail_is_the_box_then_the_points_each_with_what_was_picked(
    messages: list[Change], trail: tuple[Step, ...]
) -> None:
    session = open_session()
    for message in messages:
        do(session, message)
    assert session.objects[1].trail == trail


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (refined(9, 40), 2),
        (m.Move(seq=9, object=1, point=1, x=5, y=5), 0),
        (m.Unpoint(seq=9, object=1, point=0), 0),
        (m.Box(seq=9, box=BOX, object=1), 0),
    ],
    ids=["another point", "move", "unpoint", "box"],
)
def test_another_point_is_one_step_more_and_every_other_change_asks_all_again(message: Change, known: int) -> None:
    session = open_session()
    for change in (CLICK, refined(2, 30)):
        do(session, change)
    query = query_of(session, message)
    assert (query.known, query.feedback is not None) == (known, known > 0)


def test_each_step_is_asked_with_all_before_it_and_with_the_candidate_that_was_picked() -> None:
    engine = FlatEngine()
    session = open_session()
    for change in (CLICK, refined(2, 30), refined(3, 40)):
        do(session, change)
    Replay(Query(0, session.objects[1]), (80, 100), engine, FakeEmbedding((160, 200), 0.0)).all()
    asked = [prompt for [prompt] in engine.decoded]
    assert [prompt.points_xy for prompt in asked] == [
        ((20, 20),),
        ((20, 20), (60, 60)),
        ((20, 20), (60, 60), (80, 80)),
    ]
    assert [prompt.multimask for prompt in asked] == [True, False, False]
    fed_back = [None if prompt.mask_logits is None else float(prompt.mask_logits[0, 0]) for prompt in asked]
    assert fed_back == [None, pytest.approx(2, abs=0.1), pytest.approx(2, abs=0.1)]
