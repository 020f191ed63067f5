"""The client's own copy of the timeline: which steps it knows, and what of them a recipe carries."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.client.errors import RestoreError
from app.client.timeline import ClientState, ClientTimeline, source_of, state_of
from app.client.values import Object
from app.protocol.messages import Class, Clear, Image, Redo, Undo
from app.protocol.recipe import PointStep, Recipe, RecipeObject, UndoStep
from app.session.limits import SessionLimits
from app.session.recipe import timeline_of
from app.session.values import OpenImage

IMAGE = Image(seq=1, image_id="a", width=90, height=60, model="nano", cached=False, encode_ms=1.0)
ROOM = 2**16
Kind = type[Clear] | type[Undo] | type[Redo]
"""Of the message that was answered; any that is no undo or redo stands for all changes."""


def item(number: int, *xs: float, name: str = "") -> Object:
    trail = tuple(PointStep(x=x, y=1.0) for x in xs)
    return Object(
        seq=1,
        id=number,
        name=name,
        color=number - 1,
        points=(),
        chosen=0,
        masks=(),
        can_undo=True,
        can_redo=False,
        trail=trail,
    )


def done(
    timeline: ClientTimeline, kind: Kind, *items: Object, names: str = "", can_undo: bool = True, can_redo: bool = True
) -> None:
    classes = tuple(Class(name=name, color=0) for name in names.split())
    timeline.settle(
        kind(seq=0), state_of({each.id: each for each in items}, classes), can_undo=can_undo, can_redo=can_redo
    )


def made(number: int, *xs: float, name: str = "") -> RecipeObject:
    trail = tuple(PointStep(x=x, y=1.0) for x in xs)
    return RecipeObject(id=number, name=name, color=number - 1, trail=trail)


def test_a_recipe_has_the_objects_and_the_steps_to_either_side_the_nearest_last() -> None:
    timeline = ClientTimeline()
    done(timeline, Clear, item(1, 5))
    done(timeline, Clear, item(1, 5), item(2, 7))
    done(timeline, Clear, item(1, 5, 6), item(2, 7))
    done(timeline, Undo, item(1, 5), item(2, 7))
    recipe = timeline.recipe(IMAGE, "cat.jpg", ROOM)
    assert (recipe.image_id, recipe.name, recipe.model) == ("a", "cat.jpg", "nano")
    assert recipe.objects == (made(1, 5), made(2, 7))
    assert recipe.past == (UndoStep(gone=(1,)), UndoStep(gone=(2,)))
    assert recipe.future == (UndoStep(objects=(made(1, 5, 6),)),)


def test_a_recipe_has_the_classes_and_the_list_that_each_step_brings_back() -> None:
    timeline = ClientTimeline()
    done(timeline, Clear, names="cat")
    done(timeline, Clear, item(1, 5), names="cat dog")
    done(timeline, Clear, names="cat dog")
    done(timeline, Undo, item(1, 5), names="cat dog")
    recipe = timeline.recipe(IMAGE, None, ROOM)
    assert [entry.name for entry in recipe.classes] == ["cat", "dog"]
    assert [step.classes and len(step.classes) for step in recipe.past] == [(), 1]
    assert [step.classes for step in recipe.future] == [None]


def test_what_changes_nothing_is_no_step() -> None:
    timeline = ClientTimeline()
    done(timeline, Clear, item(1, 5))
    done(timeline, Clear, item(1, 5))
    done(timeline, Undo, item(1, 5))
    assert len(timeline.past) == 1
    assert not timeline.future


def test_a_change_forgets_what_was_undone_and_another_picture_everything() -> None:
    timeline = ClientTimeline()
    done(timeline, Clear, item(1, 5))
    done(timeline, Undo)
    assert len(timeline.future) == 1
    done(timeline, Clear, item(2, 5))
    assert not timeline.future
    timeline.begin(ClientState())
    assert (timeline.now, timeline.past, timeline.future) == (ClientState(), [], [])


def test_steps_that_were_lost_together_are_undone_one_by_one() -> None:
    timeline = ClientTimeline()
    done(timeline, Clear, item(1, 5))
    done(timeline, Clear, item(1, 5), item(2, 5), item(3, 5))
    done(timeline, Undo, item(1, 5), item(2, 5))
    assert len(timeline.past) == 2
    done(timeline, Undo, item(1, 5))
    assert len(timeline.past) == 1
    done(timeline, Undo, can_undo=False)
    assert not timeline.past
    assert len(timeline.future) == 3


def test_the_farthest_undo_steps_are_left_out_where_there_is_no_room() -> None:
    timeline = ClientTimeline()
    for count in range(1, 41):
        done(timeline, Clear, item(1, *range(count)))
    whole = timeline.recipe(IMAGE, None, ROOM)
    assert len(whole.past) == 40
    small = timeline.recipe(IMAGE, None, 10_000)
    assert 0 < len(small.past) < 40
    assert small.past == whole.past[-len(small.past) :]
    assert len(msgspec.msgpack.encode(small)) <= 10_000
    with pytest.raises(RestoreError, match="too many"):
        timeline.recipe(IMAGE, None, 100)


STATES = st.dictionaries(st.integers(1, 3), st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=3)


@given(st.lists(STATES, max_size=8), st.integers(0, 8))
def test_a_server_reads_the_very_states_that_the_client_saw(states: list[dict[int, list[int]]], undone: int) -> None:
    timeline = ClientTimeline()
    seen: list[dict[int, list[int]]] = [{}]
    for state in states:
        done(timeline, Clear, *(item(number, *xs) for number, xs in sorted(state.items())))
        if seen[-1] != state:
            seen.append(state)
    undone = min(undone, len(seen) - 1)
    for back in range(1, undone + 1):
        done(timeline, Undo, *(item(number, *xs) for number, xs in sorted(seen[-1 - back].items())))
    data = msgspec.msgpack.encode(timeline.recipe(IMAGE, None, ROOM))
    recipe = msgspec.msgpack.decode(data, type=Recipe)
    read = timeline_of(recipe, OpenImage("a", 90, 60), SessionLimits(9, 9, 99, 2**20))
    told = [
        {id_: [int(x) for x, _, _ in each.points] for id_, each in state.objects.items()}
        for state in (*read.past, read.now, *reversed(read.future))
    ]
    assert told == seen


def test_a_file_is_a_path_or_bytes_of_any_kind() -> None:
    assert [source_of(given) for given in (b"x", bytearray(b"x"), memoryview(b"x"))] == [b"x"] * 3
    assert source_of("a.png") == source_of(Path("a.png")) == Path("a.png")
    with pytest.raises(TypeError, match=r"got ndarray"):
        source_of(np.zeros((3, 4, 3), np.uint8))
