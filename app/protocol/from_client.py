"""What a client sends, one record per message; the field names are the wire's own."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.protocol.fields import (
    BoxXyxy,
    ClockMs,
    Coord,
    Direction,
    ExportFormat,
    FileBytes,
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
    Scale,
    Seq,
    SetOperation,
    WindowXyxy,
)
from app.protocol.recipe import Recipe, Trail
from app.protocol.values import ExportOptions, ListedClasses


class FromClient(Struct, tag_field="t", tag=str.lower, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The root of what a client sends: `t` is the class's name in lower case; fields at their default are left out."""


class Hello(FromClient, frozen=True, kw_only=True):
    """The first message; `session` and `token` resume an earlier session."""

    version: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    session: Name | None = None
    token: Name | None = None
    client: Name | None = None


class Open(FromClient, frozen=True, kw_only=True):
    """Work on this picture or clip: an uploaded one by `image_id`, or a small picture in `data`; one of them.

    A `recipe` of it has its objects made again, with its model where that can be had, and its undo steps kept.
    With `provisional`, nano may answer until the session's model has seen the picture: `image`, `preview` and `object`
    then say `provisional`, and the `image` and every `object` come once more, without it, under this `seq`; not so on
    a clip, of which `frame` is shown.
    """

    seq: Seq
    image_id: Name | None = None
    data: FileBytes | None = None
    name: FileName | None = None
    recipe: Recipe | None = None
    provisional: bool = False
    frame: Index = 0


class ShowFrame(FromClient, frozen=True, kw_only=True, tag="frame"):
    """Show frame number `index` of the clip: prompts go to it from now on. A newer one replaces one that waits."""

    seq: Seq
    index: Index


class Track(FromClient, frozen=True, kw_only=True):
    """Follow objects from the frame that is shown, all on it or those named, behind everything that anybody waits for.

    Both ways, or one way as far as frame `last`. With `fast` less is remembered: three frames in place of seven.
    """

    seq: Seq
    objects: ObjectIds | None = None
    direction: Direction | Literal["both"] = "both"
    fast: bool = False
    last: Index | None = None


class Stop(FromClient, frozen=True, kw_only=True):
    """Follow no object any further, what was found stays; or give up the file of a clip that was asked for as `of`."""

    seq: Seq
    of: Seq | None = None


class Hover(FromClient, frozen=True, kw_only=True):
    """Show what a click here would give; a newer hover replaces it. `ack` is the last `preview.seq` painted."""

    seq: Seq
    x: Coord
    y: Coord
    label: PointLabel = 1
    object: ObjectId | None = None
    ack: Seq | None = None
    window: WindowXyxy | None = None


class Look(FromClient, frozen=True, kw_only=True):
    """Have the part of the picture that is seen encoded by itself, behind everything that anybody waits for.

    `view` is what is visible, in pixels of the image, and `scale` the pixels of the screen for one of them. Answered by
    `window`, once prompts may name it; a newer `look` takes the place of one that waits. Prompts that name a `window`
    are answered in it, or in a larger one where it hasn't all of the object; those that don't, in the whole picture,
    or where their object was answered before.
    """

    seq: Seq
    view: BoxXyxy
    scale: Scale


class Leave(FromClient, frozen=True, kw_only=True):
    """The pointer left the picture: drop the pending hover."""

    seq: Seq


class Click(FromClient, frozen=True, kw_only=True):
    """Add a point to `object`, or begin a new object; `candidate` is the one that a hover showed here, to be kept.

    `name` is that of the new object, and so its class.
    """

    seq: Seq
    x: Coord
    y: Coord
    label: PointLabel = 1
    object: ObjectId | None = None
    candidate: Index | None = None
    name: Name | None = None
    window: WindowXyxy | None = None


class Box(FromClient, frozen=True, kw_only=True):
    """Set the box of `object`, or begin a new object with it, which then has the `name`."""

    seq: Seq
    box: BoxXyxy
    object: ObjectId | None = None
    name: Name | None = None
    window: WindowXyxy | None = None


class Move(FromClient, frozen=True, kw_only=True):
    """Move point number `point` of `object`."""

    seq: Seq
    object: ObjectId
    point: Index
    x: Coord
    y: Coord


class Unpoint(FromClient, frozen=True, kw_only=True):
    """Take point number `point` of `object` away; an object without a prompt is gone."""

    seq: Seq
    object: ObjectId
    point: Index


class Choose(FromClient, frozen=True, kw_only=True):
    """Take another of the object's candidates."""

    seq: Seq
    object: ObjectId
    candidate: Index


class Label(FromClient, frozen=True, kw_only=True):
    """Name an object, and so give it a class, which comes to the end of the list where it isn't in it.

    An empty name takes the class from the object.
    """

    seq: Seq
    object: ObjectId
    name: Name


class Given(Struct, frozen=True, forbid_unknown_fields=True):
    """An object that was made elsewhere: what makes it, and its name, which is its class; none if empty."""

    trail: Trail
    name: Name = ""


class Give(FromClient, frozen=True, kw_only=True):
    """Make objects of given masks, of boxes, of whole trails out of a recipe: all in one step, or none.

    `classes` that the session hasn't come to the end of its list, in their order, before those of the objects.
    """

    seq: Seq
    classes: ListedClasses = ()
    objects: Annotated[tuple[Given, ...], Meta(min_length=1, max_length=4096)]


class Combine(FromClient, frozen=True, kw_only=True):
    """Make the first of some objects the union, difference or intersection of them all.

    Its trail begins with that as a given mask. In a union the others become part of it and are gone; else they stay.
    On a clip this is done on the frame that is shown, from which `track` takes it to the others; what is gone is gone
    from all frames.
    """

    seq: Seq
    operation: SetOperation
    objects: Annotated[tuple[ObjectId, ...], Meta(min_length=2, max_length=4096)]


class Refine(FromClient, frozen=True, kw_only=True):
    """Have the model make the given mask of `object` sharp."""

    seq: Seq
    object: ObjectId
    window: WindowXyxy | None = None


class Paint(FromClient, frozen=True, kw_only=True):
    """Paint or erase along a path in `object`, or begin a new object with it, which then has the `name`.

    What was painted stays, whatever comes later. With `smart` the model is also given one click, where most of the
    stroke is new to it; or at `click`, which a client may choose itself.
    """

    seq: Seq
    path: PathXy
    radius: Radius
    label: PointLabel = 1
    object: ObjectId | None = None
    smart: bool = False
    click: tuple[Coord, Coord] | None = None
    name: Name | None = None
    window: WindowXyxy | None = None


class Morph(FromClient, frozen=True, kw_only=True):
    """Fill the holes of `object`, remove its specks, smooth, grow or shrink it; `size` as in a trail's `morph`."""

    seq: Seq
    object: ObjectId
    operation: Morphology
    size: MorphSize | None = None


class SetClasses(FromClient, frozen=True, kw_only=True, tag="classes"):
    """Put this list of classes in the place of the session's; also before a picture is open.

    The list goes on from picture to picture. Classes of objects that are here and aren't in it stay, after it.
    """

    seq: Seq
    classes: ListedClasses


class RenameClass(FromClient, frozen=True, kw_only=True, tag="rename"):
    """Rename a class and every object of it; under the name of another class the two become one.

    An empty name takes the class off the list and from its objects.
    """

    seq: Seq
    name: Name
    to: Name


class Delete(FromClient, frozen=True, kw_only=True):
    """Delete an object."""

    seq: Seq
    object: ObjectId


class Clear(FromClient, frozen=True, kw_only=True):
    """Delete every object."""

    seq: Seq


class Undo(FromClient, frozen=True, kw_only=True):
    """Go one step back."""

    seq: Seq


class Redo(FromClient, frozen=True, kw_only=True):
    """Go one step forward again."""

    seq: Seq


class Model(FromClient, frozen=True, kw_only=True):
    """Go on with another model; every object is predicted again from its prompts."""

    seq: Seq
    name: Name


class FindRegions(FromClient, frozen=True, kw_only=True, tag="regions"):
    """Look for the things of the picture, whenever nobody waits for the model; answered by `regions`, several times."""

    seq: Seq


class Export(FromClient, frozen=True, kw_only=True):
    """Ask for a file of the objects named, or of all, made as the options say; on a clip of all its frames.

    A clip's `mask` is a ZIP of a PNG a frame, `overlay` and `cutout` are MP4; `labelme` and `svg` are for pictures.
    """

    seq: Seq
    format: ExportFormat
    objects: ObjectIds | None = None
    options: ExportOptions = ExportOptions()


class Ping(FromClient, frozen=True, kw_only=True):
    """Answered at once, whatever the queue."""

    at: ClockMs
