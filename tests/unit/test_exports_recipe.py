from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from app.engine.fake import FakeEngine
from app.errors import (
    BadCoordError,
    BadMessageError,
    HoverError,
    NoImageError,
    TooManyObjectsError,
    TooManyPointsError,
    UnknownObjectError,
)
from app.exports.recipe import Recipe, RecipeObject, read_recipe, replay
from app.protocol import messages as m
from app.session.session import OpenImage, Session
from tests.recipes import LIMITS, Worker, recipe_of


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
        "objects": [
            {
                "id": 1,
                "name": "cup",
                "color": 0,
                "points": [[30, 30, 1], [60, 30, 1]],
                "box": None,
                "multimask": True,
                "trail": [0],
                "pick": None,
            },
            {
                "id": 2,
                "name": "Object 2",
                "color": 1,
                "points": [],
                "box": [10, 10, 40, 50],
                "multimask": False,
                "trail": [],
                "pick": None,
            },
        ],
    }


def test_another_choice_makes_another_mask(worker: Worker, recipe: Recipe) -> None:
    cup, box = recipe.objects
    other = msgspec.structs.replace(recipe, objects=(msgspec.structs.replace(cup, trail=(2,)), box))
    first, second = worker.again(recipe).objects[1], worker.again(other).objects[1]
    assert first.answer != second.answer


def test_each_object_that_was_made_again_can_be_undone(worker: Worker, recipe: Recipe) -> None:
    session = worker.again(recipe)
    session.step(m.Undo(seq=1))
    assert list(session.objects) == [1]


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
    session = Session(LIMITS, "tiny")
    session.open(0, image)
    with pytest.raises(BadMessageError, match="open that picture"):
        next(replay(recipe, session))


def test_a_recipe_needs_its_picture_open(recipe: Recipe) -> None:
    with pytest.raises(NoImageError):
        next(replay(recipe, Session(LIMITS, "tiny")))


POINT = (1.0, 1.0, 1)


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda item: {"points": [], "box": None, "trail": ()}, BadMessageError),
        (lambda item: {"trail": (None, None)}, BadMessageError),
        (lambda item: {"trail": (3,)}, UnknownObjectError),
        (lambda item: {"pick": 1}, UnknownObjectError),
        (lambda item: {"points": (POINT, (91.0, 1.0, 1))}, BadCoordError),
        (lambda item: {"box": (9.0, 9.0, 1.0, 1.0)}, BadCoordError),
        (lambda item: {"points": (POINT,) * 7}, TooManyPointsError),
        (lambda item: {"id": 2}, BadMessageError),
    ],
    ids=["no prompt", "no first prompt", "trail", "pick", "off the picture", "inside out", "points", "twice"],
)
def test_an_object_that_no_session_made_is_refused(
    worker: Worker, recipe: Recipe, spoil: Callable[[RecipeObject], dict[str, Any]], error: type[HoverError]
) -> None:
    cup, box = recipe.objects
    spoilt = msgspec.structs.replace(recipe, objects=(box, msgspec.structs.replace(cup, **spoil(cup))))
    with pytest.raises(error):
        worker.again(spoilt)


def test_a_recipe_of_too_many_objects_is_refused(worker: Worker, recipe: Recipe) -> None:
    box = recipe.objects[1]
    many = tuple(msgspec.structs.replace(box, id=number) for number in range(1, 7))
    with pytest.raises(TooManyObjectsError):
        worker.again(msgspec.structs.replace(recipe, objects=many))
