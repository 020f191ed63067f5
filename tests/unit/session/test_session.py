from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.errors import (
    BadCoordError,
    BadMessageError,
    HoverError,
    NoImageError,
    TooManyObjectsError,
    TooManyPointsError,
    UnknownObjectError,
)
from app.protocol import messages as m
from app.service.answers import is_ambiguous
from app.session.seqs import REMEMBERED_SEQS
from app.session.session import Change, Session
from app.session.values import OpenImage
from tests.helpers.assertions import (
    HEIGHT,
    IMAGE,
    LIMITS,
    MODEL,
    WIDTH,
    answer_to,
    do,
    only_gone,
    only_object,
    open_session,
    query_of,
)


def click(seq: int, x: float = 10, y: float = 10, label: int = 1, object: int | None = None) -> m.Click:
    return m.Click(seq=seq, x=x, y=y, label=label, object=object)


@pytest.fixture
def session() -> Session:
    return open_session()


@pytest.fixture
def clicked(session: Session) -> Session:
    """A session with object 1, made by one click at (10, 10)."""
    do(session, click(1))
    return session


def test_a_click_begins_an_object(session: Session) -> None:
    made = only_object(do(session, click(7, 10, 20)))
    assert (made.seq, made.id, made.name, made.color) == (7, 1, "Object 1", 0)
    assert (made.points, made.box) == (((10, 20, 1),), None)
    assert (made.can_undo, made.can_redo) == (True, False)


def test_each_object_has_an_id_name_and_color_of_its_own(clicked: Session) -> None:
    second = only_object(do(clicked, click(2, 50, 50)))
    assert (second.id, second.name, second.color) == (2, "Object 2", 1)
    assert list(clicked.objects) == [1, 2]


def test_the_id_of_an_undone_object_is_not_given_again(clicked: Session) -> None:
    do(clicked, m.Undo(seq=2))
    assert only_object(do(clicked, click(3))).id == 2


def test_a_failed_query_costs_no_id_and_no_step(clicked: Session) -> None:
    before = clicked.objects
    query_of(clicked, click(2))  # never committed: the engine failed
    assert clicked.objects is before
    assert only_object(do(clicked, click(3))).id == 2


def test_the_best_candidate_is_chosen(clicked: Session) -> None:
    made = only_object(clicked.everything(0))
    assert len(made.masks) == 3
    assert made.chosen == 2


def test_a_click_on_an_object_adds_a_point_and_refines_the_chosen_candidate(clicked: Session) -> None:
    do(clicked, m.Choose(seq=2, object=1, candidate=0))
    query = query_of(clicked, click(3, 30, 30, label=0, object=1))
    assert query.subject.points == ((10.0, 10.0, 1), (30.0, 30.0, 0))
    answer = clicked.objects[1].answer
    assert answer is not None
    assert query.feedback == answer.memory[0]


@pytest.mark.parametrize(
    "message",
    [
        m.Box(seq=9, box=(5, 5, 50, 50), object=1),
        m.Move(seq=9, object=1, point=0, x=20, y=20),
        m.Unpoint(seq=9, object=1, point=1),
    ],
    ids=["box", "move", "unpoint"],
)
def test_other_changes_of_a_prompt_begin_afresh(clicked: Session, message: Change) -> None:
    do(clicked, click(2, 30, 30, object=1))
    assert query_of(clicked, message).feedback is None


@pytest.mark.parametrize(
    ("messages", "multimask"),
    [
        ([click(1)], True),
        ([click(1, label=0)], False),
        ([click(1), click(2, object=1)], False),
        ([m.Box(seq=1, box=(1, 1, 9, 9))], False),
        ([m.Box(seq=1, box=(1, 1, 9, 9)), click(2, object=1)], False),
        ([click(1), m.Box(seq=2, box=(1, 1, 9, 9), object=1)], False),
        ([click(1), m.Move(seq=2, object=1, point=0, x=5, y=5)], True),
        ([click(1), click(2, object=1), m.Unpoint(seq=3, object=1, point=0)], True),
        ([click(1), click(2, label=0, object=1), m.Unpoint(seq=3, object=1, point=0)], False),
    ],
)
def test_only_a_lone_point_on_the_object_gets_three_candidates(
    session: Session, messages: list[Change], multimask: bool
) -> None:
    for message in messages[:-1]:
        do(session, message)
    assert is_ambiguous(query_of(session, messages[-1]).subject.trail) is multimask


def test_a_box_begins_an_object_and_replaces_the_box_of_one(session: Session) -> None:
    assert only_object(do(session, m.Box(seq=1, box=(1, 2, 30, 40)))).box == (1, 2, 30, 40)
    changed = only_object(do(session, m.Box(seq=2, box=(5, 6, 7, 8), object=1)))
    assert (changed.id, changed.box, changed.points) == (1, (5, 6, 7, 8), ())


def test_a_moved_point_keeps_its_label_and_its_place(clicked: Session) -> None:
    do(clicked, click(2, 30, 30, label=0, object=1))
    do(clicked, click(3, 40, 40, object=1))
    moved = only_object(do(clicked, m.Move(seq=4, object=1, point=1, x=5, y=6)))
    assert moved.points == ((10, 10, 1), (5, 6, 0), (40, 40, 1))


def test_a_point_is_taken_away(clicked: Session) -> None:
    do(clicked, click(2, 30, 30, object=1))
    assert only_object(do(clicked, m.Unpoint(seq=3, object=1, point=0))).points == ((30, 30, 1),)


def test_an_object_without_a_prompt_is_gone(clicked: Session) -> None:
    gone = only_gone(do(clicked, m.Unpoint(seq=2, object=1, point=0)))
    assert (gone.seq, gone.objects, gone.can_undo) == (2, (1,), True)
    assert not clicked.objects


def test_an_object_with_a_box_outlives_its_last_point(session: Session) -> None:
    do(session, m.Box(seq=1, box=(1, 1, 9, 9)))
    do(session, click(2, object=1))
    assert only_object(do(session, m.Unpoint(seq=3, object=1, point=0))).box == (1, 1, 9, 9)


def test_another_candidate_is_chosen_without_the_engine(clicked: Session) -> None:
    before = only_object(clicked.everything(0))
    after = only_object(do(clicked, m.Choose(seq=2, object=1, candidate=0)))
    assert after.chosen == 0
    assert after.masks == before.masks


def test_an_object_is_deleted(clicked: Session) -> None:
    do(clicked, click(2))
    assert only_gone(do(clicked, m.Delete(seq=3, object=1))).objects == (1,)
    assert list(clicked.objects) == [2]


def test_clear_deletes_every_object_in_one_step(clicked: Session) -> None:
    do(clicked, click(2))
    assert only_gone(do(clicked, m.Clear(seq=3))).objects == (1, 2)
    assert [reply.id for reply in do(clicked, m.Undo(seq=4)) if isinstance(reply, m.Object)] == [1, 2]


@pytest.mark.parametrize("message", [m.Undo(seq=1), m.Redo(seq=1), m.Clear(seq=1)], ids=["undo", "redo", "clear"])
def test_a_change_of_nothing_is_answered_and_is_no_step(session: Session, message: Change) -> None:
    gone = only_gone(do(session, message))
    assert (gone.seq, gone.objects, gone.can_undo, gone.can_redo) == (1, (), False, False)


def test_undo_gives_back_the_very_object_before(clicked: Session) -> None:
    before = clicked.objects[1]
    do(clicked, click(2, 30, 30, object=1))
    undone = only_object(do(clicked, m.Undo(seq=3)))
    assert clicked.objects[1] is before
    assert (undone.points, undone.can_redo) == (((10, 10, 1),), True)


def test_redo_gives_back_the_very_object_after(clicked: Session) -> None:
    do(clicked, click(2, 30, 30, object=1))
    after = clicked.objects[1]
    do(clicked, m.Undo(seq=3))
    redone = only_object(do(clicked, m.Redo(seq=4)))
    assert clicked.objects[1] is after
    assert (redone.can_undo, redone.can_redo) == (True, False)


def test_a_new_step_ends_what_could_be_redone(clicked: Session) -> None:
    do(clicked, m.Undo(seq=2))
    assert only_object(do(clicked, click(3))).can_redo is False
    assert only_gone(do(clicked, m.Redo(seq=4))).objects == ()


def test_a_refined_click_that_is_undone_and_made_again_is_the_same(clicked: Session) -> None:
    first = only_object(do(clicked, click(2, 30, 30, object=1)))
    do(clicked, m.Undo(seq=3))
    again = only_object(do(clicked, click(4, 30, 30, object=1)))
    assert again.masks == first.masks


@pytest.mark.parametrize(
    "message",
    [click(1), m.Box(seq=1, box=(1, 1, 2, 2)), m.Undo(seq=1), m.Clear(seq=1), m.Delete(seq=1, object=1)],
    ids=lambda message: type(message).__name__,
)
def test_a_change_before_a_picture_is_refused(message: Change) -> None:
    with pytest.raises(NoImageError):
        Session(LIMITS, MODEL).step(message)


def test_a_hover_before_a_picture_is_refused() -> None:
    with pytest.raises(NoImageError):
        Session(LIMITS, MODEL).hover(m.Hover(seq=1, x=1, y=1))


def test_a_new_picture_leaves_objects_and_history_behind(clicked: Session) -> None:
    clicked.open(2, OpenImage("other", 10, 10))
    assert not clicked.objects
    assert only_gone(do(clicked, m.Undo(seq=3))).can_redo is False


@pytest.mark.parametrize(
    "message",
    [
        click(2, object=9),
        m.Box(seq=2, box=(1, 1, 2, 2), object=9),
        m.Move(seq=2, object=9, point=0, x=1, y=1),
        m.Move(seq=2, object=1, point=1, x=1, y=1),
        m.Unpoint(seq=2, object=9, point=0),
        m.Unpoint(seq=2, object=1, point=1),
        m.Choose(seq=2, object=9, candidate=0),
        m.Choose(seq=2, object=1, candidate=3),
        m.Label(seq=2, object=9, name="x"),
        m.Delete(seq=2, object=9),
    ],
    ids=repr,
)
def test_what_is_not_there_is_refused_and_nothing_changes(clicked: Session, message: Change) -> None:
    before = clicked.objects
    with pytest.raises(UnknownObjectError):
        clicked.step(message)
    assert clicked.objects is before


@pytest.mark.parametrize(
    "message",
    [
        click(2, -0.1, 1),
        click(2, WIDTH + 0.1, 1),
        click(2, 1, HEIGHT + 0.1),
        click(2, float("nan"), 1),
        m.Box(seq=2, box=(0, 0, WIDTH + 1, 5)),
        m.Box(seq=2, box=(5, 5, 5, 9)),
        m.Box(seq=2, box=(9, 5, 5, 9)),
        m.Move(seq=2, object=1, point=0, x=-1, y=0),
    ],
    ids=repr,
)
def test_a_prompt_off_the_picture_is_refused(clicked: Session, message: Change) -> None:
    with pytest.raises(BadCoordError):
        clicked.step(message)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (WIDTH, HEIGHT), (WIDTH, 0)])
def test_the_edges_belong_to_the_picture(session: Session, x: float, y: float) -> None:
    assert only_object(do(session, click(1, x, y))).points == ((x, y, 1),)


def test_points_are_counted_up_to_the_limit(session: Session) -> None:
    for seq in range(1, LIMITS.max_points + 1):
        do(session, click(seq, object=None if seq == 1 else 1))
    assert len(session.objects[1].points) == LIMITS.max_points
    with pytest.raises(TooManyPointsError):
        session.step(click(9, object=1))


def test_objects_are_counted_up_to_the_limit(session: Session) -> None:
    for seq in range(1, LIMITS.max_objects + 1):
        do(session, click(seq))
    assert len(session.objects) == LIMITS.max_objects
    with pytest.raises(TooManyObjectsError):
        session.step(click(9))
    do(session, m.Delete(seq=10, object=1))
    do(session, click(11))
    assert list(session.objects) == [2, 3, 4]


def test_a_hover_asks_what_a_click_there_would_ask_and_changes_nothing(clicked: Session) -> None:
    before = clicked.objects
    hover = clicked.hover(m.Hover(seq=2, x=30, y=31, label=0, object=1))
    assert hover.query == query_of(clicked, click(2, 30, 31, label=0, object=1))
    assert clicked.objects is before
    preview = clicked.preview(hover, answer_to(hover.query))
    assert (preview.seq, preview.x, preview.y, preview.object) == (2, 30, 31, 1)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: m.Hover(seq=9, x=-1, y=0), BadCoordError),
        (lambda: m.Hover(seq=9, x=1, y=1, object=9), UnknownObjectError),
    ],
    ids=["off the picture", "no such object"],
)
def test_a_hover_is_checked_like_a_click(
    clicked: Session, make: Callable[[], m.Hover], error: type[HoverError]
) -> None:
    with pytest.raises(error):
        clicked.hover(make())


def test_a_repeated_change_is_answered_from_the_state_and_made_once(clicked: Session) -> None:
    first = only_object(do(clicked, click(2, 30, 30, object=1)))
    clicked.seqs.admit(2, change=True)
    again = only_object(do(clicked, click(2, 30, 30, object=1)))
    assert again == first
    assert len(clicked.objects[1].points) == 2


def test_a_repeated_change_is_answered_with_what_became_of_its_objects_since(clicked: Session) -> None:
    do(clicked, m.Delete(seq=2, object=1))
    gone = only_gone(do(clicked, click(1)))
    assert (gone.seq, gone.objects) == (1, (1,))
    do(clicked, m.Undo(seq=3))
    assert only_object(do(clicked, m.Delete(seq=2, object=1))).id == 1


def test_a_change_from_before_another_picture_is_not_made_on_it(clicked: Session) -> None:
    clicked.open(2, replace(IMAGE, image_id="other"))
    only_gone(do(clicked, click(1)))
    assert not clicked.objects


def test_an_open_is_remembered_like_any_change(session: Session) -> None:
    assert not session.has_handled(5)
    session.open(5, IMAGE)
    assert session.has_handled(5)


def test_a_change_that_failed_may_come_again(clicked: Session) -> None:
    clicked.seqs.admit(2, change=True)
    query_of(clicked, click(2, object=1))  # the engine failed
    clicked.seqs.admit(2, change=True)
    assert only_object(do(clicked, click(2, object=1))).points == ((10, 10, 1), (10, 10, 1))


@pytest.mark.parametrize("change", [True, False])
def test_a_number_that_does_not_rise_is_refused(change: bool) -> None:
    session = open_session()
    session.seqs.admit(5, change=False)
    session.seqs.admit(7, change=True)
    for seq in (5, 6) if change else (5, 6, 7):
        with pytest.raises(BadMessageError):
            session.seqs.admit(seq, change=change)


def test_a_hover_may_overtake_clicks_that_wait(session: Session) -> None:
    session.seqs.admit(1, change=True)
    session.seqs.admit(2, change=True)
    session.seqs.admit(3, change=False)
    hover = session.hover(m.Hover(seq=3, x=5, y=5))
    assert only_object(do(session, click(1))).id == 1
    assert only_object(do(session, click(2))).id == 2
    assert session.preview(hover, answer_to(hover.query)).seq == 3


@pytest.mark.parametrize("repeat", [True, False], ids=["remembered", "forgotten"])
def test_as_many_changes_are_remembered_as_promised(session: Session, repeat: bool) -> None:
    last = REMEMBERED_SEQS if repeat else REMEMBERED_SEQS + 1
    for seq in range(1, last + 1):
        session.seqs.admit(seq, change=True)
    if repeat:
        session.seqs.admit(1, change=True)
    else:
        with pytest.raises(BadMessageError):
            session.seqs.admit(1, change=True)


def test_everything_is_told_to_a_client_that_starts_from_nothing(clicked: Session) -> None:
    do(clicked, m.Label(seq=2, object=1, name="cup"))
    do(clicked, click(3, 50, 50))
    told = [reply for reply in clicked.everything(0) if isinstance(reply, m.Object)]
    assert [(reply.seq, reply.id, reply.name) for reply in told] == [(0, 1, "cup"), (0, 2, "Object 2")]
