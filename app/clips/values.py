"""What the child says of a clip, message by message. Values only."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from app.clips.kinds import ClipKind
from app.clips.limits import ClipLimits
from app.errors import Reason
from app.protocol.clips import ClipPart


class Task(Struct, frozen=True):
    """What the child is to do with the file on its standard input.

    Attributes:
        kind: what the file is.
        limits: of a clip.
        part: which frames, None for all.
        side: longest side of the frames that are given; None for the clip's own.
        memory_bytes: what the child may take.
    """

    kind: ClipKind
    limits: ClipLimits
    part: ClipPart | None
    side: int | None
    memory_bytes: int


class Said(Struct, tag=True, frozen=True):
    """The root of what the child says."""


class ClipHead(Said, frozen=True):
    """What comes first: width and height of the upright clip in its own pixels."""

    width: int
    height: int


class Frame(Said, frozen=True):
    """A frame: its time from the clip's beginning in seconds, and its pixels, upright, as a JPEG."""

    time_s: float
    jpeg: bytes


class End(Said, frozen=True):
    """What comes last: the time at which the last frame ends."""

    duration_s: float


class TooLong(Said, frozen=True):
    """There is more than is taken at once: about so many frames and seconds in all."""

    frames: int
    duration_s: float


class ClipRefused(Said, frozen=True):
    """The file is no clip that can be read: the code of an error, and what makes its `Reason`."""

    code: Annotated[str, Meta(max_length=64)]
    key: Annotated[str, Meta(max_length=64)]
    template: Annotated[str, Meta(max_length=1000)]
    values: dict[str, str | int | float]

    @property
    def reason(self) -> Reason:
        """Why, for people."""
        return Reason(self.key, self.template, **self.values)


Message: TypeAlias = ClipHead | Frame | End | TooLong | ClipRefused
