"""The session against a model of it that is too simple to be wrong: a list of whole states and a place in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.errors import BadMessageError, HoverError, TooManyObjectsError, TooManyPointsError
from app.protocol import messages as m
from app.session.limits import SessionLimits
from app.session.query import Query
from app.session.session import Change, Session
from tests.helpers.assertions import HEIGHT, IMAGE, MODEL, WIDTH, answer_to
from tests.helpers.thorough import examples

LIMITS = SessionLimits(max_points=5, max_objects=6, max_history=10_000, max_history_bytes=2**30)
xs = st.integers(0, WIDTH)
ys = st.integers(0, HEIGHT)
labels = st.integers(0, 1)
picks = st.integers(0, 10)


class Thing(NamedTuple):
    """What the model knows of an object; `picks` are what was chosen after each point, None for the best."""

    points: tuple[tuple[float, float, int], ...] = ()
    box: tuple[float, float, float, float] | None = None
    name: str = ""
    chosen: int = 0
    candidates: int = 1
    picks: tuple[int | None, ...] = ()


def prompted(thing: Thing) -> Thing:
    """Return the object after the engine's answer: `answer_to` scores the last candidate best."""
    lone = len(thing.points) == 1 and thing.points[0][2] == 1 and thing.box is None
    count = 3 if lone else 1
    pick = thing.picks[-1] if thing.picks else None
    return thing._replace(chosen=count - 1 if pick is None else pick, candidates=count)


class State(dict[int, Thing]):
    """Things by id, and the names of the classes in their order."""

    def __init__(self, things: Mapping[int, Thing] = MappingProxyType({}), classes: tuple[str, ...] = ()) -> None:
        super().__init__(things)
        self.classes = classes


UNREADABLE = re.compile("\\s*[\x00-\x1f\x7f-\x9f\u202d\u202e\u2028\u2029\ufffe\uffff\ud800-\udfff]+\\s*")
NAMES = ("cat", "dog", "cup", "Käfer")
names = st.sampled_from(NAMES)


def class_of(id_: int, thing: Thing) -> str:
    """Return the class that a name stands for, by a rule of our own; empty for none."""
    name = UNREADABLE.sub(" ", thing.name).strip()
    return "" if name == f"Object {id_}" else name


ABSENT = 10**6
"""The number of an object that no session makes here."""
OFF = WIDTH + 0.5
Faulty = Callable[[int, int], Change]
"""A message that can't be done, from its number and an object that is there."""
FAULTS: dict[str, tuple[str, Faulty]] = {
    "a point off the picture": ("bad_coord", lambda seq, id_: m.Click(seq=seq, x=OFF, y=1, object=id_)),
    "a point to nowhere": ("bad_coord", lambda seq, id_: m.Move(seq=seq, object=id_, point=0, x=1, y=-1)),
    "a box inside out": ("bad_coord", lambda seq, id_: m.Box(seq=seq, box=(9, 9, 3, 3), object=id_)),
    "a box off the picture": ("bad_coord", lambda seq, id_: m.Box(seq=seq, box=(0, 0, OFF, 3), object=id_)),
    "a candidate that isn't there": ("unknown_object", lambda seq, id_: m.Choose(seq=seq, object=id_, candidate=9)),
    "a point that isn't there": ("unknown_object", lambda seq, id_: m.Unpoint(seq=seq, object=id_, point=9)),
    "a point to move": ("unknown_object", lambda seq, id_: m.Move(seq=seq, object=id_, point=9, x=1, y=1)),
    "an object that isn't there": ("unknown_object", lambda seq, _: m.Delete(seq=seq, object=ABSENT)),
    "a click on nothing": ("unknown_object", lambda seq, _: m.Click(seq=seq, x=1, y=1, object=ABSENT)),
    "a name for one that has one": ("bad_message", lambda seq, id_: m.Click(seq=seq, x=1, y=1, object=id_, name="n")),
    "a class without a name": ("bad_message", lambda seq, _: m.SetClasses(seq=seq, classes=("cat", " "))),
    "a class twice": ("bad_message", lambda seq, _: m.SetClasses(seq=seq, classes=("cat", "dog", "cat "))),
    "a class that isn't there": ("unknown_object", lambda seq, _: m.RenameClass(seq=seq, name="none", to="cat")),
    "a name for nothing": ("unknown_object", lambda seq, _: m.Label(seq=seq, object=ABSENT, name="n")),
}
"""What no session takes, and the code that it is answered with."""


class SessionMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.session = Session(LIMITS, MODEL)
        self.session.open(0, IMAGE)
        self.states: list[State] = [State()]
        self.place = 0
        self.seq = 0
        self.next_id = 1
        self.shown: dict[int, m.Object] = {}  # what a client that believes every reply has on its screen
        self.listed: tuple[m.Class, ...] = ()
        self.last: tuple[Change, Sequence[m.ServerMessage]] | None = None

    @property
    def now(self) -> State:
        return self.states[self.place]

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq

    def pick(self, number: int) -> int:
        return sorted(self.now)[number % len(self.now)]

    def go(self, message: Change, after: Mapping[int, Thing] | None = None) -> None:
        """Make a change in the session, and in the model where it makes a step."""
        self.session.seqs.admit(message.seq, change=True)
        step = self.session.step(message)
        replies = self.session.commit(step, answer_to(step)) if isinstance(step, Query) else step
        if after is not None:
            listed = [*self.now.classes, *(class_of(id_, thing) for id_, thing in after.items())]
            self.states[self.place + 1 :] = [State(after, tuple(filter(None, dict.fromkeys(listed))))]
            self.place += 1
        self.show(replies)
        self.last = message, replies

    def show(self, replies: Sequence[m.ServerMessage]) -> None:
        assert replies, "every change is answered"
        for reply in replies:
            if isinstance(reply, m.Classes):
                self.listed = reply.classes
            elif isinstance(reply, m.Object):
                self.shown[reply.id] = reply
            else:
                assert isinstance(reply, m.Gone)
                for id_ in reply.objects:
                    del self.shown[id_]

    @precondition(lambda self: len(self.now) < LIMITS.max_objects)
    @rule(x=xs, y=ys, label=labels)
    def click_new(self, x: int, y: int, label: int) -> None:
        made = prompted(Thing(points=((x, y, label),), picks=(None,), name=f"Object {self.next_id}"))
        self.go(m.Click(seq=self.next_seq(), x=x, y=y, label=label), {**self.now, self.next_id: made})
        self.next_id += 1

    @precondition(lambda self: self.now)
    @rule(number=picks, x=xs, y=ys, label=labels)
    def click_old(self, number: int, x: int, y: int, label: int) -> None:
        id_ = self.pick(number)
        old = self.now[id_]
        if len(old.points) < LIMITS.max_points:
            new = prompted(old._replace(points=(*old.points, (x, y, label)), picks=(*old.picks, None)))
            self.go(m.Click(seq=self.next_seq(), x=x, y=y, label=label, object=id_), {**self.now, id_: new})

    @precondition(lambda self: self.now)
    @rule(number=picks, x=st.integers(0, WIDTH - 1), y=st.integers(0, HEIGHT - 1))
    def box_old(self, number: int, x: int, y: int) -> None:
        id_, box = self.pick(number), (x, y, x + 1, y + 1)
        old = self.now[id_]
        after = {**self.now, id_: prompted(old._replace(box=box, picks=(None,) * len(old.points)))}
        self.go(m.Box(seq=self.next_seq(), box=box, object=id_), after)

    @precondition(lambda self: any(thing.points for thing in self.now.values()))
    @rule(number=picks, index=picks, x=xs, y=ys)
    def move(self, number: int, index: int, x: int, y: int) -> None:
        id_, index = self.pick_point(number, index)
        points = list(self.now[id_].points)
        points[index] = (x, y, points[index][2])
        new = prompted(self.now[id_]._replace(points=tuple(points)))
        self.go(m.Move(seq=self.next_seq(), object=id_, point=index, x=x, y=y), {**self.now, id_: new})

    @precondition(lambda self: any(thing.points for thing in self.now.values()))
    @rule(number=picks, index=picks)
    def unpoint(self, number: int, index: int) -> None:
        id_, index = self.pick_point(number, index)
        old = self.now[id_]
        points, picks = old.points[:index] + old.points[index + 1 :], old.picks[:index] + old.picks[index + 1 :]
        rest = old._replace(points=points, picks=picks)
        kept = {id_: prompted(rest)} if rest.points or rest.box else {}
        others = {other: thing for other, thing in self.now.items() if other != id_}
        self.go(m.Unpoint(seq=self.next_seq(), object=id_, point=index), {**others, **kept})

    def pick_point(self, number: int, index: int) -> tuple[int, int]:
        able = [id_ for id_ in sorted(self.now) if self.now[id_].points]
        id_ = able[number % len(able)]
        return id_, index % len(self.now[id_].points)

    @precondition(lambda self: self.now)
    @rule(number=picks, candidate=picks)
    def choose(self, number: int, candidate: int) -> None:
        id_ = self.pick(number)
        candidate %= self.now[id_].candidates
        old = self.now[id_]
        pick = None if candidate == old.candidates - 1 else candidate
        after = {**self.now, id_: old._replace(chosen=candidate, picks=(*old.picks[:-1], pick) if old.picks else ())}
        self.go(m.Choose(seq=self.next_seq(), object=id_, candidate=candidate), after)

    @precondition(lambda self: len(self.now) < LIMITS.max_objects)
    @rule(x=xs, y=ys, name=names)
    def click_named(self, x: int, y: int, name: str) -> None:
        made = prompted(Thing(points=((x, y, 1),), picks=(None,), name=name))
        self.go(m.Click(seq=self.next_seq(), x=x, y=y, name=name), {**self.now, self.next_id: made})
        self.next_id += 1

    @precondition(lambda self: self.now)
    @rule(number=picks, name=names)
    def label_again(self, number: int, name: str) -> None:
        self.label(number, name)

    @rule(listed=st.lists(names, unique=True))
    def set_classes(self, listed: list[str]) -> None:
        there = [class_of(id_, thing) for id_, thing in sorted(self.now.items())]
        wanted = tuple(filter(None, dict.fromkeys([*listed, *there])))
        self.classify(m.SetClasses(seq=self.next_seq(), classes=tuple(listed)), dict(self.now), wanted)

    @precondition(lambda self: self.now.classes)
    @rule(number=picks, to=names | st.just(""))
    def rename(self, number: int, to: str) -> None:
        name = self.now.classes[number % len(self.now.classes)]
        after = {
            id_: thing._replace(name=to or f"Object {id_}") if name == class_of(id_, thing) != to else thing
            for id_, thing in self.now.items()
        }
        at = self.now.classes.index(name)
        stays = () if to != name and to in self.now.classes else (to,)
        wanted = tuple(filter(None, (*self.now.classes[:at], *stays, *self.now.classes[at + 1 :])))
        self.classify(m.RenameClass(seq=self.next_seq(), name=name, to=to), after, wanted)

    def classify(self, message: Change, after: dict[int, Thing], classes: tuple[str, ...]) -> None:
        """Change the list, which is a step where it makes a difference."""
        if (after, classes) != (self.now, self.now.classes):
            self.states[self.place + 1 :] = [State(after, classes)]
            self.place += 1
        self.go(message)

    @precondition(lambda self: self.now)
    @rule(number=picks, name=st.text(max_size=5))
    def label(self, number: int, name: str) -> None:
        id_ = self.pick(number)
        after = {**self.now, id_: self.now[id_]._replace(name=name)}
        self.go(m.Label(seq=self.next_seq(), object=id_, name=name), after)

    @precondition(lambda self: self.now)
    @rule(number=picks)
    def delete(self, number: int) -> None:
        id_ = self.pick(number)
        self.go(m.Delete(seq=self.next_seq(), object=id_), {k: v for k, v in self.now.items() if k != id_})

    @rule()
    def clear(self) -> None:
        self.go(m.Clear(seq=self.next_seq()), {} if self.now else None)

    @rule(times=st.integers(1, 4))
    def undo(self, times: int) -> None:
        for _ in range(times):
            self.place = max(0, self.place - 1)
            self.go(m.Undo(seq=self.next_seq()))

    @rule(times=st.integers(1, 4))
    def redo(self, times: int) -> None:
        for _ in range(times):
            self.place = min(len(self.states) - 1, self.place + 1)
            self.go(m.Redo(seq=self.next_seq()))

    @precondition(lambda self: self.last is not None)
    @rule()
    def repeat(self) -> None:
        assert self.last is not None
        message, before = self.last
        self.session.seqs.admit(message.seq, change=True)
        assert self.session.step(message) == before

    @rule(x=xs, y=ys, label=labels)
    def hover(self, x: int, y: int, label: int) -> None:
        seq = self.next_seq()
        self.session.seqs.admit(seq, change=False)
        if len(self.now) < LIMITS.max_objects:
            self.session.hover(m.Hover(seq=seq, x=x, y=y, label=label))

    @precondition(lambda self: self.now)
    @rule(number=picks, fault=st.sampled_from(sorted(FAULTS)))
    def refuse(self, number: int, fault: str) -> None:
        """Send what can't be done; nothing may come of it."""
        code, make = FAULTS[fault]
        message = make(self.next_seq(), self.pick(number))
        self.session.seqs.admit(message.seq, change=True)
        with pytest.raises(HoverError) as caught:
            self.session.step(message)
        assert caught.value.code == code
        assert not self.session.has_handled(message.seq)

    @precondition(lambda self: len(self.now) == LIMITS.max_objects)
    @rule(x=xs, y=ys)
    def refuse_one_object_more(self, x: int, y: int) -> None:
        self.refused(TooManyObjectsError, m.Click(seq=self.next_seq(), x=x, y=y))

    @precondition(lambda self: any(len(thing.points) == LIMITS.max_points for thing in self.now.values()))
    @rule(x=xs, y=ys)
    def refuse_one_point_more(self, x: int, y: int) -> None:
        id_ = next(id_ for id_, thing in self.now.items() if len(thing.points) == LIMITS.max_points)
        self.refused(TooManyPointsError, m.Click(seq=self.next_seq(), x=x, y=y, object=id_))

    def refused(self, error: type[HoverError], message: m.Click) -> None:
        self.session.seqs.admit(message.seq, change=True)
        with pytest.raises(error):
            self.session.step(message)

    @precondition(lambda self: self.seq > 0)
    @rule(back=st.integers(0, 3))
    def refuse_a_number_that_does_not_rise(self, back: int) -> None:
        with pytest.raises(BadMessageError):
            self.session.seqs.admit(max(0, self.seq - back), change=False)

    @invariant()
    def session_and_screen_agree_with_the_model(self) -> None:
        there = {
            id_: (item.points, item.box, item.name, item.chosen, len(item.answer.masks) if item.answer else 0)
            for id_, item in self.session.objects.items()
        }
        assert there == {id_: thing[:5] for id_, thing in self.now.items()}
        entries = self.session.classes.entries
        assert (tuple(entry.name for entry in entries), entries) == (self.now.classes, self.listed)
        colors = {entry.name: entry.color for entry in entries}
        for id_, reply in self.shown.items():
            assert reply.color == colors.get(class_of(id_, self.now[id_]), id_ - 1)
        told = {reply.id: reply for reply in self.session.everything(0) if isinstance(reply, m.Object)}
        assert {id_: seen(item) for id_, item in self.shown.items()} == {id_: seen(item) for id_, item in told.items()}

    @invariant()
    def undo_and_redo_are_offered_where_they_do_something(self) -> None:
        if self.last is not None:
            for reply in self.last[1]:
                assert isinstance(reply, (m.Classes, m.Object, m.Gone))
                assert (reply.can_undo, reply.can_redo) == (self.place > 0, self.place < len(self.states) - 1)


def seen(item: m.Object) -> tuple[object, ...]:
    """Return what an object shows, without what replies say of the moment."""
    return item.id, item.name, item.color, item.points, item.box, item.chosen, item.masks


SessionMachine.TestCase.settings = settings(max_examples=examples(60, 2000), stateful_step_count=40)
TestSession = SessionMachine.TestCase


@given(st.lists(st.tuples(xs, ys, labels, st.booleans()), min_size=1, max_size=20), st.integers(1, 25))
@settings(max_examples=100)
def test_as_many_redos_as_undos_change_nothing(clicks: list[tuple[int, int, int, bool]], times: int) -> None:
    session = Session(SessionLimits(max_points=30, max_objects=30, max_history=1000, max_history_bytes=2**30), MODEL)
    session.open(0, IMAGE)
    for seq, (x, y, label, refine) in enumerate(clicks, 1):
        id_ = max(session.objects, default=None) if refine else None
        query = session.step(m.Click(seq=seq, x=x, y=y, label=label, object=id_))
        assert isinstance(query, Query)
        session.commit(query, answer_to(query))
    before, steps = dict(session.objects), min(times, len(clicks))
    for seq in range(100, 100 + steps):
        session.step(m.Undo(seq=seq))
    for seq in range(200, 200 + steps):
        session.step(m.Redo(seq=seq))
    after = dict(session.objects)
    assert list(after) == list(before)
    assert all(after[id_] is before[id_] for id_ in before)
