from __future__ import annotations

from dataclasses import replace

from app.session.history import State, Timeline, difference
from tests.helpers.steps import steps_back, thing


def test_as_many_steps_are_kept_as_allowed() -> None:
    timeline = Timeline(max_steps=3, max_bytes=2**20)
    for id_ in range(3):
        timeline.put(thing(id_))
    timeline.put(thing(3))
    assert steps_back(timeline) == 3
    assert list(timeline.now.objects) == [0]


def test_the_oldest_steps_go_when_their_bytes_run_out() -> None:
    timeline = Timeline(max_steps=100, max_bytes=1000)
    for _ in range(12):  # the first step replaces nothing, each of the others keeps 100 bytes of the one before
        timeline.put(thing(1, 100))
    assert steps_back(timeline) == 10


def test_the_last_step_is_kept_however_large() -> None:
    timeline = Timeline(max_steps=100, max_bytes=10)
    timeline.put(thing(1, 1000))
    timeline.put(thing(1, 1000))
    assert steps_back(timeline) == 1


def test_bytes_are_counted_down_by_undo() -> None:
    timeline = Timeline(max_steps=100, max_bytes=1000)
    timeline.put(thing(1, 100))
    for _ in range(50):
        timeline.put(thing(1, 100))
        timeline.undo()
    for _ in range(9):
        timeline.put(thing(1, 100))
    assert steps_back(timeline) == 10


def test_the_order_of_objects_outlives_a_change() -> None:
    timeline = Timeline(10, 1000)
    for id_ in (1, 2, 3):
        timeline.put(thing(id_))
    timeline.put(replace(thing(1), name="changed"))
    assert list(timeline.now.objects) == [1, 2, 3]


def test_removing_what_is_not_there_is_no_step() -> None:
    timeline = Timeline(10, 1000)
    timeline.put(thing(1))
    timeline.undo()
    timeline.remove({1})
    assert not timeline.can_undo
    assert timeline.can_redo


def test_a_difference_names_only_what_changed() -> None:
    kept, before, after, new, old = thing(1), thing(2), replace(thing(2), name="x"), thing(4), thing(3)
    assert difference(State({1: kept, 2: before, 3: old}), State({1: kept, 2: after, 4: new})) == ([after, new], [3])
