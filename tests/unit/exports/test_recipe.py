from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from app.errors import (
    BadCoordError,
    BadMessageError,
    HoverError,
    TooManyObjectsError,
    TooManyPointsError,
    UnknownObjectError,
)
from app.protocol import messages as m
from app.protocol.recipe import BoxStep, PointStep, Recipe
from app.session.recipe import read_recipe, timeline_of
from app.session.values import OpenImage
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.recipes import LIMITS, Worker, recipe_of


@pytest.fixture
def worker() -> Worker:
    return Worker(FakeEngine(), np.zeros((60, 90, 3), np.uint8))


@pytest.fixture
def recipe(worker: Worker) -> Recipe:
    """A cup of two points, the second of which refined the first candidate, not the best; and a box."""
    session = worker.session()
    for message in (
        m.Click(seq=1, x=30, y=30),
        m.Choose(seq=2, object=1, candidate=0),
        m.Click(seq=3, x=60, y=30, object=1),
        m.Label(seq=4, object=1, name="cup"),
        m.Box(seq=5, box=(10, 10, 40, 50)),
    ):
        worker.do(session, message)
    return recipe_of(session)


def encoded(recipe: Recipe, **changes: Any) -> bytes:
    return json.dumps({**msgspec.to_builtins(recipe), **changes}).encode()


def test_a_recipe_tells_picture_model_prompts_and_choices(recipe: Recipe) -> None:
    assert json.loads(encoded(recipe)) == {
        "format": "hoversam-recipe",
        "version": 1,
        "image_id": "0123456789abcdef",
        "name": "cat.jpg",
        "width": 90,
        "height": 60,
        "model": "tiny",
        "classes": [{"name": "cup", "color": 0}],
        "objects": [
            {
                "id": 1,
                "name": "cup",
                "color": 0,
                "trail": [{"t": "point", "x": 30, "y": 30, "pick": 0}, {"t": "point", "x": 60, "y": 30}],
            },
            {
                "id": 2,
                "name": "Object 2",
                "color": 1,
                "trail": [{"t": "box", "box": [10, 10, 40, 50]}],
            },
        ],
    }


def test_another_choice_makes_another_mask(worker: Worker, recipe: Recipe) -> None:
    cup, box = recipe.objects
    other = msgspec.structs.replace(
        recipe,
        objects=(
            msgspec.structs.replace(cup, trail=(msgspec.structs.replace(cup.trail[0], pick=2), cup.trail[1])),
            box,
        ),
    )
    first, second = worker.again(recipe).objects[1], worker.again(other).objects[1]
    assert first.answer != second.answer


@pytest.mark.parametrize("version", [0, 2, "1", True, None])
def test_a_recipe_of_an_unknown_version_says_so(recipe: Recipe, version: object) -> None:
    with pytest.raises(BadMessageError, match="version 1"):
        read_recipe(encoded(recipe, version=version, news="of a later release"))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b'{"images": []}', b"\xff", b'{"format": "hoversam-recipe", "version": 1}']
)
def test_what_is_no_recipe_says_so(data: bytes) -> None:
    with pytest.raises(BadMessageError, match="recipe"):
        read_recipe(data)


@pytest.mark.parametrize(
    "image", [OpenImage("other", 90, 60), OpenImage("0123456789abcdef", 60, 90)], ids=["hash", "size"]
)
def test_a_recipe_of_another_picture_says_so(recipe: Recipe, image: OpenImage) -> None:
    with pytest.raises(BadMessageError, match="open that picture"):
        timeline_of(recipe, image, LIMITS)


POINT, BOX = PointStep(x=1, y=1), BoxStep(box=(1, 1, 9, 9))


@pytest.mark.parametrize(
    ("spoilt", "error"),
    [
        ({"trail": ()}, BadMessageError),
        ({"trail": (POINT, BOX)}, BadMessageError),
        ({"trail": (BOX, BOX)}, BadMessageError),
        ({"trail": (PointStep(x=1, y=1, pick=3), POINT)}, UnknownObjectError),
        ({"trail": (POINT, PointStep(x=1, y=1, pick=1))}, UnknownObjectError),
        ({"trail": (POINT, PointStep(x=91, y=1))}, BadCoordError),
        ({"trail": (BoxStep(box=(9, 9, 1, 1)),)}, BadCoordError),
        ({"trail": (POINT,) * 7}, TooManyPointsError),
        ({"id": 2}, BadMessageError),
    ],
    ids=["no prompt", "a later box", "two boxes", "pick", "last pick", "off", "inside out", "points", "twice"],
)
def test_an_object_that_no_session_made_is_refused(
    worker: Worker, recipe: Recipe, spoilt: dict[str, Any], error: type[HoverError]
) -> None:
    cup, box = recipe.objects
    with pytest.raises(error):
        worker.again(msgspec.structs.replace(recipe, objects=(box, msgspec.structs.replace(cup, **spoilt))))


def test_a_recipe_of_too_many_objects_is_refused(worker: Worker, recipe: Recipe) -> None:
    box = recipe.objects[1]
    many = tuple(msgspec.structs.replace(box, id=number) for number in range(1, 7))
    with pytest.raises(TooManyObjectsError):
        worker.again(msgspec.structs.replace(recipe, objects=many))
