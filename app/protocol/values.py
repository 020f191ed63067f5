"""What messages carry besides plain fields, and the codes that close a socket."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.protocol.fields import (
    MAX_CLASSES,
    MAX_MASK_SIDE,
    Coord,
    Count,
    GridSide,
    Ground,
    Index,
    Name,
    ObjectId,
    Score,
    WindowXyxy,
)


class Mask(Struct, frozen=True, omit_defaults=True):
    """A mask as run lengths inside its own box; see `run_lengths` for the way to and from an array.

    Attributes:
        size: `(height, width)` of the grid, which spans the whole image, or `window` where it is told.
        box: `(x0, y0, x1, y1)` of the crop on the grid, end exclusive; four zeros for an empty mask.
        runs: LEB128 varints, row-major, alternating background and foreground, beginning with background.
        score: the model's own predicted IoU.
        area: foreground in pixels of the image.
        window: `(x0, y0, x1, y1)`, the part of the image that the grid spans; outside of it the mask has nothing.
    """

    size: tuple[GridSide, GridSide]
    box: tuple[GridSide, GridSide, GridSide, GridSide]
    runs: Annotated[bytes, Meta(max_length=MAX_MASK_SIDE**2 + 1)]
    score: Score
    area: Count
    window: WindowXyxy | None = None


class Region(Struct, frozen=True):
    """A thing that a click may take, found before anybody asked; where it lies, no promise of the click's mask.

    Attributes:
        mask: rough, on a grid of its own.
        x, y: where a click gives it, in pixels of the image; one that names the mask's `window`, where that has one.
        candidate: which of that click's candidates it is.
    """

    mask: Mask
    x: Coord
    y: Coord
    candidate: Index


class ObjectMask(Struct, frozen=True):
    """An object's mask on a frame of a clip.

    Attributes:
        id: of the object.
        mask: of the clip's size, up to `MAX_MASK_SIDE`; None where there is none any more.
    """

    id: ObjectId
    mask: Mask | None


class Class(Struct, frozen=True, forbid_unknown_fields=True):
    """A class of objects; its number is its place in the list, from 0.

    Attributes:
        name: that of every object of it.
        color: index into the palette.
    """

    name: Name
    color: Index


ClassEntries = Annotated[tuple[Class, ...], Meta(max_length=MAX_CLASSES)]
"""An ordered list of classes."""
ListedClasses = Annotated[tuple[Name | Class, ...], Meta(max_length=MAX_CLASSES)]
"""The same from a client, which may leave a colour to the server by sending a name alone."""


class ExportOptions(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How a file is made, beside its format; one that the format doesn't take is refused.

    Attributes:
        trim: of a cutout: the picture is cut to what is seen of the objects.
        edge: of a cutout: `hard`, every pixel is in or out, or `soft`, the edge follows the picture.
        ground: of a cutout: the colour behind the objects, `#rrggbb`; None leaves it transparent.
        tolerance: of polygons: how far an outline may stray for fewer points, pixels; 0 is exact, None as close as
            the eye needs.
    """

    trim: bool = False
    edge: Literal["hard", "soft"] = "hard"
    ground: Ground | None = None
    tolerance: Annotated[float, Meta(ge=0, le=100)] | None = None


class ModelInfo(Struct, frozen=True, omit_defaults=True):
    """A model the server knows.

    Attributes:
        name: nano, tiny, small, base_plus or large.
        params_m: its size in millions of parameters.
        available: its weights are there.
        bundled: its weights come with the product.
        fetchable: its weights aren't there, and the server fetches them when the model is first wanted.
    """

    name: Name
    params_m: Annotated[float, Meta(ge=0, le=1e6)]
    available: bool
    bundled: bool
    fetchable: bool = False


class Limits(Struct, frozen=True, kw_only=True):
    """What the server accepts, in bytes, pixels and pieces."""

    max_upload_bytes: Count
    max_pixels: Count
    max_side: Count
    max_inline_bytes: Count
    max_message_bytes: Count
    max_points: Count
    max_objects: Count


class CloseCode(IntEnum):
    """Why the server closes the socket."""

    TEXT_FRAME = 1003
    """A text frame came; every message is one binary frame."""
    TOO_LARGE = 1009
    """A message had more bytes than the server takes."""
    RESTART = 1012
    """The server restarts: connect again and resume."""
    FULL = 1013
    """The server has all the sessions it may have; the error before it carries `retry_after`."""
    BAD_MESSAGES = 4400
    """Too many bad messages in a row, or a first message that is no `hello`."""
    WRONG_TOKEN = 4401
    """The token does not belong to the session that was to be resumed."""
    IDLE = 4408
    """Nothing came for longer than a session may be idle."""
    TAKEN_OVER = 4409
    """The session's owner opened a newer socket."""
    VERSION = 4426
    """The client speaks a version of the protocol that the server doesn't."""
    RATE = 4429
    """Messages kept coming faster than allowed."""
