"""What makes objects: the steps of an object's trail, and the recipe of a whole session. On the wire and in files.

Decision: a mask depends on its trail alone. Context: a mask is refined from the one before it, so that the order of
prompts and what was picked between them count; a moved point or a later box changes what came before. Choice: the box
comes first, then each point is a step that goes on from the mask of the step before; whatever changes an earlier step
has those after it made again. Price: moving a point of an object of N steps costs up to N decodes.

Decision: what is done by hand lies over what the model says. Context: a stroke that the model were asked about could be
lost with the next click, and points along a stroke do harm (measured). Choice: a given mask is what an object begins
with; strokes and morphology are applied to the mask in their order, whatever the model makes of the prompts, and what
was painted is painted once more after each. Price: a click can't take a painted pixel back; the eraser can.

Decision: an object of a clip has one trail over all frames, and following it is a step of it. Context: what a model
makes of a frame depends on all frames that were prompted by then. Choice: each prompt says its frame, and each frame
is answered by its own prompts alone; a `track` step depends on the prompts before it, and gives a mask to each frame
that it comes through, but to those that were prompted. Price: changing a prompt has the object followed again.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta, Struct

from app.protocol.fields import (
    BoxXyxy,
    Coord,
    Counts,
    Direction,
    FileName,
    Index,
    Morphology,
    MorphSize,
    Name,
    ObjectId,
    ObjectIds,
    PathXy,
    PointLabel,
    Radius,
    Side,
    WindowXyxy,
)
from app.protocol.values import ClassEntries

FORMAT: Final = "hoversam-recipe"
"""How a recipe says that it is one."""
VERSION: Final = 1
"""Of the recipe's format; a reader refuses any other."""


class TrailStep(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="t", kw_only=True):
    """A step that makes an object; all coordinates and lengths are pixels of the upright picture.

    Attributes:
        frame: of a clip, the number from 0; None on a picture.
    """

    frame: Index | None = None


class PromptStep(TrailStep, frozen=True):
    """A step that the model is asked about.

    Attributes:
        pick: the candidate that a person took, shown and gone on from; None is the one with the best score.
        window: the part of the picture that the model saw when it answered; None for the whole. It has every prompt
            so far.
    """

    pick: Index | None = None
    window: WindowXyxy | None = None


class PointStep(PromptStep, frozen=True, kw_only=True, tag="point"):
    """A point: label 1 on the object, 0 off it."""

    x: Coord
    y: Coord
    label: PointLabel = 1


class BoxStep(PromptStep, frozen=True, kw_only=True, tag="box"):
    """A box around the object; before the points where there is one."""

    box: BoxXyxy


class RefineStep(PromptStep, frozen=True, kw_only=True, tag="refine"):
    """Have the model make a given mask sharp, from its heart, its box and itself."""


class MaskStep(TrailStep, frozen=True, kw_only=True, tag="mask"):
    """A given mask, the first step where there is one; shown as it is until the model is asked.

    Attributes:
        size: `(height, width)`, those of the picture.
        counts: run lengths down the columns as COCO compresses them, what `pycocotools.mask.encode` gives as text.
    """

    size: tuple[Side, Side]
    counts: Counts


class StrokeStep(TrailStep, frozen=True, kw_only=True, tag="stroke"):
    """A stroke of a round brush: every pixel whose middle lies within `radius` of the path is decided.

    Attributes:
        path: `(x, y)` of each place that the brush went through.
        radius: of the brush.
        label: 1 paints, 0 erases.
    """

    path: PathXy
    radius: Radius
    label: PointLabel = 1


class MorphStep(TrailStep, frozen=True, kw_only=True, tag="morph"):
    """Change the mask's shape: see `Morphology`.

    Attributes:
        size: largest area of a hole or speck in pixels, None for every hole and every part but the largest; else the
            distance in pixels, None for 2.
    """

    operation: Morphology
    size: MorphSize | None = None


class TrackStep(TrailStep, frozen=True, kw_only=True, tag="track"):
    """Follow the object through the clip, from `frame`, where it was prompted by then.

    Attributes:
        direction: of time.
        last: number of the last frame that it came to.
        fast: whether less is remembered, three frames in place of seven.
    """

    direction: Direction
    last: Index
    fast: bool = False


Step: TypeAlias = PointStep | BoxStep | RefineStep | MaskStep | StrokeStep | MorphStep | TrackStep
MAX_STEPS: Final = 4097
"""Of one object."""
Trail = Annotated[tuple[Step, ...], Meta(max_length=MAX_STEPS)]
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
        image_id: content hash of the picture, or of the clip.
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
