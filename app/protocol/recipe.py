"""What makes objects: the steps of an object's trail, and the recipe of a whole session. On the wire and in files.

Decision: a mask depends on its trail alone. Context: a mask is refined from the one before it, so that the order of
prompts and what was picked between them count; a moved point or a later box changes what came before. Choice: the box
comes first, then each point is a step that goes on from the mask of the step before; whatever changes an earlier step
has those after it made again. Price: moving a point of an object of N steps costs up to N decodes.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from app.protocol.fields import BoxXyxy, Coord, FileName, Index, Name, ObjectId, ObjectIds, PointLabel, Side
from app.protocol.values import ClassEntries

FORMAT: Final = "hoversam-recipe"
"""How a recipe says that it is one."""
VERSION: Final = 1
"""Of the recipe's format; a reader refuses any other."""


class TrailStep(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="t"):
    """What steps have in common.

    Attributes:
        pick: the candidate that a person took, shown and gone on from; None is the one with the best score.
    """

    pick: Index | None = None


class PointStep(TrailStep, frozen=True, kw_only=True, tag="point"):
    """A point: label 1 on the object, 0 off it."""

    x: Coord
    y: Coord
    label: PointLabel = 1


class BoxStep(TrailStep, frozen=True, kw_only=True, tag="box"):
    """A box around the object; the first step where there is one."""

    box: BoxXyxy


Step: TypeAlias = PointStep | BoxStep
Trail = Annotated[tuple[Step, ...], Meta(max_length=4097)]
"""The steps that make an object, in order."""


class RecipeObject(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object without its mask."""

    id: ObjectId
    name: Name
    color: Index
    trail: Trail


class UndoStep(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one undo or redo does.

    Attributes:
        objects: those that come, or come back as they were.
        gone: those that go.
        classes: the list of classes that comes back; None where it stays.
    """

    objects: Annotated[tuple[RecipeObject, ...], Meta(max_length=4096)] = ()
    gone: ObjectIds = ()
    classes: ClassEntries | None = None


class Recipe(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What makes a session again: its picture, its model and its objects; sizes in pixels, upright.

    Attributes:
        image_id: content hash of the picture.
        name: its file name, or None.
        classes: the session's ordered list, those without an object too.
        objects: in the order in which they were made.
        past: what undo does, its next step last.
        future: what redo does, its next step last.
    """

    format: Literal["hoversam-recipe"]
    version: Literal[1]
    image_id: Name
    name: FileName | None = None
    width: Side
    height: Side
    model: Name
    classes: ClassEntries = ()
    objects: Annotated[tuple[RecipeObject, ...], Meta(max_length=4096)] = ()
    past: Annotated[tuple[UndoStep, ...], Meta(max_length=4096)] = ()
    future: Annotated[tuple[UndoStep, ...], Meta(max_length=4096)] = ()
