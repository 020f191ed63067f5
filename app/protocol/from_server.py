"""What the server sends, one record per message; the field names are the wire's own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from app.protocol.fields import (
    BoxXyxy,
    ClockMs,
    Coord,
    Count,
    FileBytes,
    Fraction,
    Index,
    Milliseconds,
    Name,
    ObjectId,
    ObjectIds,
    Orientation,
    Points,
    Seconds,
    Seq,
    Side,
    Stage,
    Text,
    Times,
    Values,
    WindowXyxy,
)
from app.protocol.recipe import Trail
from app.protocol.values import ClassEntries, Limits, Mask, ModelInfo, ObjectMask, Region


class FromServer(Struct, tag_field="t", tag=str.lower, frozen=True, omit_defaults=True):
    """The root of what the server sends. Unknown fields are passed over, so that a later server may say more.

    One change may be answered by several of `clip`, `image`, `classes`, `object` and `gone`; `last` marks the one that
    ends the answer.
    """


class Welcome(FromServer, frozen=True, kw_only=True):
    """The answer to `hello`; `session` and `token` resume it later."""

    version: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    session: Name
    token: Name
    resumed: bool
    model: Name
    models: Annotated[tuple[ModelInfo, ...], Meta(max_length=64)]
    limits: Limits
    server: Name


class Progress(FromServer, frozen=True, kw_only=True):
    """How far an `open`, a `model` or the file of a clip has come: `position` in the queue, `fraction` done."""

    seq: Seq
    stage: Stage
    position: Count | None = None
    fraction: Fraction | None = None


class OpenedClip(FromServer, frozen=True, kw_only=True, tag="clip"):
    """The clip that is open; comes before the `image` of the frame that is shown.

    `width` and `height` are those of all coordinates; `times` has a time for each frame, and the last one ends after
    `duration`.
    """

    seq: Seq
    clip_id: Name
    width: Side
    height: Side
    times: Times
    duration: Seconds


class Image(FromServer, frozen=True, kw_only=True):
    """The picture is ready for prompts; `cached` if its embedding was already there.

    The pixels of the file, decoded without heeding any mark of it, are upright once turned by `orientation`, as EXIF
    numbers it. Where `rendered`, programs show the file not at all or otherwise: `GET /api/pictures/IMAGE_ID` shows it.
    While `provisional`, nano answers in place of `model`. On a clip it is the frame that is shown, and says its number.
    """

    seq: Seq
    image_id: Name
    width: Side
    height: Side
    model: Name
    cached: bool
    encode_ms: Milliseconds
    orientation: Orientation = 1
    rendered: bool = False
    provisional: bool = False
    frame: Index | None = None
    last: bool = False


class Preview(FromServer, frozen=True, kw_only=True):
    """All candidates of a hover, on the logit grid, nano's if `provisional`; `best` is the index of the one to show."""

    seq: Seq
    x: Coord
    y: Coord
    object: ObjectId | None = None
    best: Index
    masks: Annotated[tuple[Mask, ...], Meta(max_length=16)]
    provisional: bool = False


class Object(FromServer, frozen=True, kw_only=True):
    """An object as it is now; `chosen` is the index of its mask, `color` an index into the palette.

    `trail` is what made it, in order: its box and its points, each with the candidate that a person picked after it.
    The chosen mask is of the picture's size, up to `MAX_MASK_SIDE`; another may be on the logit grid until it is so.
    A `provisional` object is nano's, and comes again as soon as the session's model has seen the picture.
    On a clip `points`, `box` and `masks` are of the frame that is shown, no masks where the object isn't on it.
    """

    seq: Seq
    id: ObjectId
    name: Name
    color: Index
    points: Points
    box: BoxXyxy | None = None
    trail: Trail = ()
    chosen: Index
    masks: Annotated[tuple[Mask, ...], Meta(max_length=16)]
    can_undo: bool
    can_redo: bool
    provisional: bool = False
    frame: Index | None = None
    last: bool = False


class Masks(FromServer, frozen=True, kw_only=True):
    """Masks of objects on one frame of a clip, prompted or followed: as they are found, and where a change brings them.

    After an `open` or a resume they come for every frame that has any. A `mask` of null takes one away. Those of the
    frame that is shown come with `object` too.
    """

    seq: Seq
    frame: Index
    objects: Annotated[tuple[ObjectMask, ...], Meta(max_length=4096)]


class TrackProgress(FromServer, frozen=True, kw_only=True, tag="tracked"):
    """How far a `track` has come, or what another change has had followed again: frames that are `done`, of `frames`.

    Each object's frames count. `last` marks the one after which none comes.
    """

    seq: Seq
    done: Count
    frames: Count
    last: bool = False


class Classes(FromServer, frozen=True, kw_only=True):
    """The list of classes as it is now, before the objects that have changed with it."""

    seq: Seq
    classes: ClassEntries
    can_undo: bool
    can_redo: bool
    last: bool = False


class Gone(FromServer, frozen=True, kw_only=True):
    """These objects are no more."""

    seq: Seq
    objects: ObjectIds
    can_undo: bool
    can_redo: bool
    last: bool = False


class Window(FromServer, frozen=True, kw_only=True):
    """The part of the picture that prompts of what is seen may name from now on; null where the whole is as sharp.

    It may come again for the same `look`: null where a hover named a window that had to make room, and the window once
    it is there again.
    """

    seq: Seq
    window: WindowXyxy | None


class Regions(FromServer, frozen=True, kw_only=True):
    """The things of the picture that were found so far, the best first; each answer takes the place of the one before.

    `last` marks the one after which none comes. A click at a region's point shows what it gives by then, which may
    differ from the region's mask.
    """

    seq: Seq
    regions: Annotated[tuple[Region, ...], Meta(max_length=256)]
    last: bool = False


class File(FromServer, frozen=True, kw_only=True):
    """An exported file. One too large for a message has empty `data`, and a `url`, relative to the server's address.

    There it is to be had by GET for two minutes.
    """

    seq: Seq
    name: Name
    media_type: Name
    data: FileBytes
    url: Name | None = None


class Pong(FromServer, frozen=True, kw_only=True):
    """The answer to `ping`, with running medians of the wait for the device and of decoding a prompt."""

    at: ClockMs
    queue_ms: Milliseconds
    decode_ms: Milliseconds


class Error(FromServer, frozen=True, kw_only=True):
    """What went wrong: `code` is one of `app.errors`, `retry_after` in seconds; a fatal one is followed by a close.

    `reason` tells apart what one code stands for, `values` what it is about: for who says it in words of their own.
    """

    seq: Seq | None = None
    code: Name
    message: Text
    fatal: bool
    retry_after: Seconds | None = None
    reason: Name | None = None
    values: Values | None = None
