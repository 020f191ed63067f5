"""The list of classes: numbers that stay, names that change everywhere at once, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.errors import BadMessageError, HoverError, UnknownObjectError
from app.protocol import messages as m
from app.protocol.fields import MAX_CLASSES
from app.session.classes import ClassList
from app.session.palette import PALETTE
from app.session.session import Change, Session
from app.session.values import OpenImage
from tests.helpers.assertions import LIMITS, MODEL, answer_to, do, open_session, query_of

OTHER_IMAGE = OpenImage("another picture", 50, 40)


def click(seq: int, name: str | None = None, object: int | None = None) -> m.Click:
    return m.Click(seq=seq, x=10, y=10, name=name, object=object)


def label(seq: int, object: int, name: str) -> m.Label:
    return m.Label(seq=seq, object=object, name=name)


def listed(seq: int, *names: str | m.Class) -> m.SetClasses:
    return m.SetClasses(seq=seq, classes=names)


def rename(seq: int, name: str, to: str) -> m.RenameClass:
    return m.RenameClass(seq=seq, name=name, to=to)


def after(*messages: Change) -> Session:
    session = open_session()
    for message in messages:
        do(session, message)
    return session


def names(session: Session) -> dict[int, str]:
    return {id_: item.name for id_, item in session.objects.items()}


def told_colors(session: Session) -> dict[int, int]:
    return {each.id: each.color for each in session.everything(0) if isinstance(each, m.Object)}


@pytest.fixture
def session() -> Session:
    """A dog and two cats, of the classes eye, cat, dog."""
    return after(listed(1, "eye", "cat", "dog"), click(2, "dog"), click(3, "cat"), click(4, "cat"))


def kinds(replies: Sequence[m.ServerMessage]) -> list[type]:
    return [type(reply) for reply in replies]


def test_a_name_that_is_given_is_a_class_at_the_end_of_the_list() -> None:
    session = after(listed(1, "eye"), click(2), label(3, 1, "cat"), click(4, "dog"), label(5, 1, "eye"))
    assert list(session.classes.names) == ["eye", "cat", "dog"]


def test_an_object_is_named() -> None:
    classes, named = do(after(click(1)), label(2, 1, "cup"))
    assert isinstance(classes, m.Classes)
    assert isinstance(named, m.Object)
    assert (named.name, [entry.name for entry in classes.classes]) == ("cup", ["cup"])


def test_an_object_that_nobody_named_has_no_class() -> None:
    given = ("cat", "", "Object 1", " \n")
    session = after(click(1), *(label(seq, 1, name) for seq, name in enumerate(given, 2)))
    assert list(session.classes.names) == ["cat"]


def test_a_new_object_has_its_class_from_the_first_and_one_undo_takes_both_back(session: Session) -> None:
    replies = do(session, m.Undo(seq=5))
    assert kinds(replies) == [m.Gone]
    replies = do(session, click(6, "mug"))
    assert kinds(replies) == [m.Classes, m.Object]
    do(session, m.Undo(seq=7))
    assert list(session.classes.names) == ["eye", "cat", "dog"]


def test_a_box_takes_a_name_too() -> None:
    session = after(m.Box(seq=1, box=(1, 1, 9, 9), name="cat"))
    assert (names(session), session.classes.names) == ({1: "cat"}, ("cat",))


def test_the_list_goes_on_to_the_next_picture_and_is_no_step_there(session: Session) -> None:
    session.open(10, OTHER_IMAGE)
    assert list(session.classes.names) == ["eye", "cat", "dog"]
    [classes] = session.everything(10)
    assert isinstance(classes, m.Classes)
    assert (classes.can_undo, classes.can_redo) == (False, False)
    do(session, m.Undo(seq=11))
    assert list(session.classes.names) == ["eye", "cat", "dog"]


def test_a_list_may_come_before_a_picture_and_is_no_step() -> None:
    session = Session(LIMITS, MODEL)
    [classes] = do(session, listed(1, "cat", "dog"))
    assert isinstance(classes, m.Classes)
    assert ([entry.name for entry in classes.classes], classes.can_undo) == (["cat", "dog"], False)
    session.open(2, OTHER_IMAGE)
    assert list(session.classes.names) == ["cat", "dog"]


def test_a_renamed_class_keeps_its_number_and_colour_and_takes_its_objects_along(session: Session) -> None:
    before = session.classes.entries
    replies = do(session, rename(5, "cat", "kitten"))
    assert kinds(replies) == [m.Classes, m.Object, m.Object]
    assert list(session.classes.names) == ["eye", "kitten", "dog"]
    assert session.classes.entries[1].color == before[1].color
    assert names(session) == {1: "dog", 2: "kitten", 3: "kitten"}


def test_two_classes_become_one_in_one_step(session: Session) -> None:
    do(session, rename(5, "cat", "dog"))
    assert list(session.classes.names) == ["eye", "dog"]
    assert set(names(session).values()) == {"dog"}
    assert len(set(told_colors(session).values())) == 1
    replies = do(session, m.Undo(seq=6))
    assert kinds(replies) == [m.Classes, m.Object, m.Object]
    assert list(session.classes.names) == ["eye", "cat", "dog"]
    assert names(session) == {1: "dog", 2: "cat", 3: "cat"}


def test_a_class_without_a_name_is_off_the_list_and_its_objects_without_one(session: Session) -> None:
    do(session, rename(5, "cat", ""))
    assert list(session.classes.names) == ["eye", "dog"]
    assert names(session) == {1: "dog", 2: "Object 2", 3: "Object 3"}


def test_a_list_that_misses_the_class_of_an_object_has_it_after_the_others(session: Session) -> None:
    do(session, listed(5, "zebra", "cat"))
    assert list(session.classes.names) == ["zebra", "cat", "dog"]
    do(session, m.Undo(seq=6))
    assert list(session.classes.names) == ["eye", "cat", "dog"]


def test_an_object_has_the_colour_of_its_class_and_its_own_again_without(session: Session) -> None:
    entries = {entry.name: entry.color for entry in session.classes.entries}
    assert told_colors(session) == {1: entries["dog"], 2: entries["cat"], 3: entries["cat"]}
    do(session, label(5, 3, ""))
    assert told_colors(session)[3] == 2


def test_another_colour_of_a_class_is_told_with_its_objects(session: Session) -> None:
    cat = m.Class(name="cat", color=7)
    replies = do(session, listed(5, "eye", cat, "dog"))
    assert kinds(replies) == [m.Classes, m.Object, m.Object]
    assert told_colors(session) == {1: 2, 2: 7, 3: 7}


def test_classes_have_colours_of_their_own_as_long_as_there_are_any() -> None:
    several = [f"class {number}" for number in range(len(PALETTE))]
    first = after(listed(1, *several)).classes.entries
    assert sorted(entry.color for entry in first) == list(range(len(PALETTE)))
    one_by_one = after(click(1), *(label(2 + number, 1, name) for number, name in enumerate(several)))
    assert len({entry.color for entry in one_by_one.classes.entries}) == len(PALETTE)


def test_a_class_begins_with_the_colour_of_its_object_where_that_is_free() -> None:
    session = after(click(1), click(2), label(3, 2, "cat"), label(4, 1, "dog"))
    assert told_colors(session) == {1: 0, 2: 1}


def test_a_name_is_what_can_be_read_of_it() -> None:
    session = after(listed(1, " cat\n"), click(2, "cat\x00"), rename(3, "cat\t", "\u202ddog "))
    assert (session.classes.names, names(session)) == (("dog",), {1: "dog"})


def test_the_most_classes_fit_and_one_more_is_refused() -> None:
    session = after(listed(1, *(f"class {number}" for number in range(MAX_CLASSES))), click(2))
    with pytest.raises(BadMessageError, match=f"at most {MAX_CLASSES} classes"):
        session.step(label(3, 1, "one more"))
    query = query_of(session, click(4, "one more"))
    with pytest.raises(BadMessageError, match=f"at most {MAX_CLASSES} classes"):
        session.commit(query, answer_to(query))
    assert len(session.classes) == MAX_CLASSES
    assert list(session.objects) == [1]


@pytest.mark.parametrize(
    ("message", "error", "words"),
    [
        (listed(9, "cat", "cat"), BadMessageError, "class 2: 'cat' is there already, at class 1"),
        (listed(9, "a", "cat", m.Class(name="cat ", color=1)), BadMessageError, "class 3: 'cat' is there already"),
        (listed(9, "cat", ""), BadMessageError, "class 2: a class without a name"),
        (listed(9, "\u2028"), BadMessageError, "class 1: a class without a name"),
        (rename(9, "mouse", "cat"), UnknownObjectError, "no class 'mouse' in the list, which has 'eye', 'cat', 'dog'"),
        (rename(9, "", "cat"), UnknownObjectError, "no class ''"),
        (click(9, "cat", object=1), BadMessageError, "object 1 is renamed by label"),
    ],
)
def test_what_can_be_no_list_is_refused_in_words_and_changes_nothing(
    session: Session, message: Change, error: type[HoverError], words: str
) -> None:
    before = session.classes, session.objects
    with pytest.raises(error, match=words):
        session.step(message)
    assert (session.classes, session.objects) == before


def test_many_classes_are_not_all_named_in_an_error() -> None:
    session = after(listed(1, *(f"class {number}" for number in range(100))))
    with pytest.raises(UnknownObjectError) as caught:
        session.step(rename(2, "none", "other"))
    assert caught.value.message.endswith("'class 4' and 95 more")


def test_a_change_of_the_list_that_is_repeated_is_told_again_and_made_once(session: Session) -> None:
    message = rename(5, "cat", "kitten")
    replies = do(session, message)
    assert do(session, message) == replies
    do(session, m.Undo(seq=6))
    assert list(session.classes.names) == ["eye", "cat", "dog"]


def test_what_changes_nothing_is_answered_by_the_list_and_is_no_step(session: Session) -> None:
    for message in (listed(5, "eye", "cat", "dog"), rename(6, "cat", "cat")):
        [classes] = do(session, message)
        assert isinstance(classes, m.Classes)
    do(session, m.Undo(seq=9))
    assert len(session.objects) == 2


def test_another_order_keeps_the_colours() -> None:
    first = ClassList().replaced(["cat", "dog", "eye"])
    second = first.replaced(["eye", "new", "cat"])
    assert [entry.color for entry in second.entries] == [2, 1, 0]


def test_a_class_in_use_that_a_list_misses_keeps_its_colour() -> None:
    session = after(click(1, "cat"), m.Clear(seq=2), click(3, "cat"))
    before = session.classes
    do(session, listed(4))
    assert session.classes == before
    do(session, m.Undo(seq=5))
    assert not session.objects, "the list that changed nothing is no step"
