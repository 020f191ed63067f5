"""A session made again from its recipe: the file is read, the objects and undo steps are checked. Pure.

The masks aren't in it: the engine is asked for those of the objects as they are, and for those of undo steps once undo
reaches them. With the same model and engine they are the same, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import msgspec

from app.errors import BadMessageError, Reason, TooManyObjectsError
from app.protocol.fields import MAX_FILE_BYTES
from app.protocol.recipe import FORMAT, VERSION, Recipe, RecipeObject, UndoStep
from app.session.checks import check_clip_trail, check_room, check_trail
from app.session.classes import ClassList
from app.session.clip_objects import ClipObject
from app.session.history import State
from app.session.limits import SessionLimits
from app.session.objects import Answer, SessionObject
from app.session.values import OpenClip, OpenImage
from app.wording import in_words

Items: TypeAlias = Mapping[RecipeObject, SessionObject]
"""The objects of a recipe, each once, however many steps have it."""


class Head(msgspec.Struct):
    """What every version of the file begins with."""

    format: Any = None
    version: Any = None


@dataclass(frozen=True)
class RecipeTimeline:
    """What was done on a picture: its objects and the classes.

    Attributes:
        now: as they are.
        past: before each step that can be undone, oldest first.
        future: after each step that can be done again, the next one last.
    """

    now: State
    past: tuple[State, ...] = ()
    future: tuple[State, ...] = ()

    def answered(self, answers: Iterable[Answer]) -> RecipeTimeline:
        """Return it with an answer for each of the objects as they are, in their order.

        Raises:
            UnknownObjectError: an answer has no candidate of the number that was picked.
        """
        answered = {
            id(item): item.answered(answer) for item, answer in zip(self.now.objects.values(), answers, strict=True)
        }

        def shared(state: State) -> State:  # what steps have in common is the same object in all of them
            return replace(state, objects={id_: answered.get(id(item), item) for id_, item in state.objects.items()})

        return RecipeTimeline(shared(self.now), tuple(map(shared, self.past)), tuple(map(shared, self.future)))


def read_recipe(data: bytes) -> Recipe:
    """Return the recipe in a file.

    Raises:
        BadMessageError: no recipe, one of a version that isn't known, or a damaged one.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BadMessageError(f"expected a recipe of at most {MAX_FILE_BYTES} bytes, got {len(data)}")
    try:
        head = msgspec.json.decode(data, type=Head)
        if head.format != FORMAT:
            raise BadMessageError(
                Reason(
                    "recipe_none", 'expected a recipe, a JSON file with "format": "{format}"; export one', format=FORMAT
                )
            )
        if head.version != VERSION or isinstance(head.version, bool):
            raise BadMessageError(
                Reason(
                    "recipe_version",
                    "expected a recipe of version {version}, got {got}; read it with the release that wrote it",
                    version=VERSION,
                    got=str(head.version)[:20],
                )
            )
        return msgspec.json.decode(data, type=Recipe)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(
            Reason("recipe_damaged", "the recipe can't be read: {cause}", cause=in_words(str(error), Recipe)[:200])
        ) from error


def timeline_of(
    recipe: Recipe, source: OpenImage | OpenClip, limits: SessionLimits, classes: ClassList | None = None
) -> RecipeTimeline:
    """Return what a recipe holds, without answers.

    Args:
        recipe: from a client or a file.
        source: the picture or clip that it is made again on.
        limits: of the session.
        classes: that the session has already; the recipe's others come after them, so that numbers stay.

    Raises:
        BadMessageError: the recipe is of another picture, or contradicts itself.
        BadCoordError, TooManyPointsError, TooManyObjectsError: a client could not have made an object of it.
    """
    source_id = source.clip_id if isinstance(source, OpenClip) else source.image_id
    if (recipe.image_id, recipe.width, recipe.height) != (source_id, source.width, source.height):
        raise BadMessageError(
            f"the recipe is of picture {recipe.image_id} ({recipe.width} x {recipe.height}), "
            f"the open one is {source_id} ({source.width} x {source.height}); open that picture"
        )
    steps = recipe.past[-limits.max_history :], recipe.future[-limits.max_history :]
    objects = (*recipe.objects, *(made for step in (*steps[0], *steps[1]) for made in step.objects))
    items = {made: checked(made, source, limits) for made in objects}
    now = changed(State(), UndoStep(recipe.objects, classes=recipe.classes), items, limits.max_objects)
    check_room(now.objects.values(), limits)
    if len(now.objects) < len(recipe.objects):
        raise BadMessageError("expected each object of the recipe once; correct the file")
    classes = classes or ClassList()
    now = known(now, classes)  # steps that tell no list have this one
    past, future = (states(now, one_way, items, limits.max_objects) for one_way in steps)
    return RecipeTimeline(now, *(tuple(known(state, classes) for state in one_way) for one_way in (past, future)))


def states(now: State, steps: tuple[UndoStep, ...], items: Items, max_objects: int) -> tuple[State, ...]:
    """Return what is after each of the steps that lead away from now, the nearest last; raises as `changed`."""
    found: list[State] = []
    for step in reversed(steps):
        now = changed(now, step, items, max_objects)
        found.append(now)
    return tuple(reversed(found))


def changed(state: State, step: UndoStep, items: Items, max_objects: int) -> State:
    """Return the state after a step, objects in the order of their ids, which is that in which they were made.

    Raises:
        TooManyObjectsError: more than a picture takes.
        BadMessageError: the list of classes can't be one.
    """
    left = {id_: item for id_, item in state.objects.items() if id_ not in step.gone}
    after = left | {made.id: items[made] for made in step.objects}
    if len(after) > max_objects:
        raise TooManyObjectsError(
            Reason("objects", "a picture takes at most {most} objects; leave some out", most=max_objects)
        )
    classes = state.classes if step.classes is None else ClassList().replaced(step.classes)
    return State(dict(sorted(after.items())), classes)


def known(state: State, classes: ClassList) -> State:
    """Return a state with the session's classes before its own, and with those of its objects; raises as `changed`."""
    return replace(state, classes=classes.with_all(state.classes.entries).with_classes_of(state.objects.values()))


def checked(made: RecipeObject, source: OpenImage | OpenClip, limits: SessionLimits) -> SessionObject:
    """Return an object of a recipe, without an answer; raises as `check_trail`."""
    if isinstance(source, OpenClip):
        whole = ClipObject(made.id, made.name, made.color, made.trail)
        check_clip_trail(whole, source, limits)
        return whole
    item = SessionObject(made.id, made.name, made.color, made.trail)
    check_trail(item, source, limits)
    return item
