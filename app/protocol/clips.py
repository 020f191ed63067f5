"""The part of a long clip that is worked on."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from app.protocol.fields import Seconds

Rate = Annotated[float, Meta(gt=0, le=1000)]
"""Frames a second."""


class ClipPart(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a clip: the frames from `begin` to before `end`, at most `rate` of them a second; in seconds."""

    begin: Seconds
    end: Seconds
    rate: Rate
