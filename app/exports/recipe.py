"""The recipe of a session: its picture by hash, its model, and the prompts and choices that make its objects again.

Decision: what leads to the objects as they are, not all that was ever done. Context: a person moves a point a thousand
times, and an object's mask depends only on its prompt and on the candidates that refinements began from. Choice: each
object carries those; a recipe stays as small as the session's objects. Price: the undo steps are not in it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from app.errors import BadMessageError, UnknownObjectError
from app.exports.names import picture_name
from app.exports.selection import ExportObject, Selection
from app.protocol.fields import MAX_FILE_BYTES, BoxXyxy, FileName, Index, Name, ObjectId, Points, Side
from app.session.objects import Answer, SessionObject
from app.session.replay import first_query, next_query
from app.session.session import OpenImage, Query, Session

FORMAT: Final = "hoversam-recipe"
VERSION: Final = 1
Candidate = Index | None
"""Number of the candidate that a person chose; None leaves the choice to the model's scores."""


class RecipeObject(Struct, frozen=True, forbid_unknown_fields=True):
    """One object.

    Attributes:
        points: `[x, y, label]` in the order in which they were placed.
        multimask: True where its first prompt was answered by three candidates.
        trail: for each of the last points that refined the object, the candidate that it began from. The points
            before them, and the box, are one prompt.
        pick: the candidate that it shows.
    """

    id: ObjectId
    name: Name
    color: Index
    points: Points
    box: BoxXyxy | None
    multimask: bool
    trail: Annotated[tuple[Candidate, ...], Meta(max_length=4096)]
    pick: Candidate


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture, a model, and the objects in the order in which they were made; sizes in pixels, upright."""

    format: Literal["hoversam-recipe"] = FORMAT
    version: int = VERSION
    image_id: Name
    name: FileName | None
    width: Side
    height: Side
    model: Name
    objects: Annotated[tuple[RecipeObject, ...], Meta(max_length=4096)]


class Head(Struct):
    """What every version begins with."""

    format: Any = None
    version: Any = None


def recipe_json(selection: Selection) -> bytes:
    """Return the recipe of a selection."""
    image = selection.image
    recipe = Recipe(
        image_id=image.image_id,
        name=None if selection.name is None else picture_name(selection.name, image),
        width=image.width,
        height=image.height,
        model=selection.model,
        objects=tuple(map(recipe_object, selection.objects)),
    )
    return msgspec.json.format(msgspec.json.encode(recipe), indent=2)


def recipe_object(shown: ExportObject) -> RecipeObject:
    """Return how an object came about."""
    item = shown.item
    return RecipeObject(item.id, item.name, item.color, item.points, item.box, shown.multimask, item.trail, item.pick)


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
            raise BadMessageError(f'expected a recipe, a JSON file with "format": "{FORMAT}"; export one')
        if head.version != VERSION or isinstance(head.version, bool):
            raise BadMessageError(
                f"expected a recipe of version {VERSION}, got {str(head.version)[:20]}; "
                "read it with the release that wrote it"
            )
        return msgspec.json.decode(data, type=Recipe)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessageError(f"the recipe can't be read: {str(error)[:200]}") from error


def check_picture(recipe: Recipe, image: OpenImage) -> None:
    """Refuse a recipe of another picture.

    Raises:
        BadMessageError: its hash or size is another.
    """
    if (recipe.image_id, recipe.width, recipe.height) != (image.image_id, image.width, image.height):
        raise BadMessageError(
            f"the recipe is of picture {recipe.image_id} ({recipe.width} x {recipe.height}), "
            f"the open one is {image.image_id} ({image.width} x {image.height}); open that picture"
        )


def replay(recipe: Recipe, session: Session) -> Generator[Query, Answer, None]:
    """Make the objects of a recipe in a session in which its picture is open and no object made.

    A generator: it yields what the engine is to be asked and is sent the answer. With the model that the recipe names
    the masks are the same, bit for bit; with another they are its own. Each object is a step that can be undone.

    Raises:
        NoImageError: no picture is open.
        BadMessageError: the recipe is of another picture, or contradicts itself.
        HoverError: an object is not one that this session takes; those before it are made.
    """
    if session.image is not None:
        check_picture(recipe, session.image)
    for made in recipe.objects:
        item = SessionObject(made.id, made.name, made.color, made.points, made.box, None, made.pick, made.trail)
        check_trail(made)
        session.check(item)
        query: Query | None = replace(first_query(item), multimask=made.multimask)
        while query is not None:
            asked, answer = query, (yield query)
            check_candidate((*made.trail, made.pick)[len(asked.subject.trail)], answer)
            query = next_query(item, asked, answer)
        session.commit(replace(asked, subject=item), answer)


def check_trail(made: RecipeObject) -> None:
    """Refuse an object that would have been refined before it had a prompt.

    Raises:
        BadMessageError: as many refinements as points, and no box.
    """
    if len(made.trail) > len(made.points) - (made.box is None):
        raise BadMessageError(
            f"object {made.id} of the recipe has {len(made.points)} points, too few for {len(made.trail)} refinements"
        )


def check_candidate(pick: Candidate, answer: Answer) -> None:
    """Refuse a candidate that there isn't.

    Raises:
        UnknownObjectError: the answer has fewer.
    """
    if pick is not None and pick >= len(answer.masks):
        raise UnknownObjectError(f"the recipe takes candidate {pick}, the model gave {len(answer.masks)}")
