"""Every bound in one value: those that an operator sets are settings, the others have their reasons beside them.

A bound is written down in the package that it is of, and may be shrunk for a test: `create_app` and `serve` take the
whole as a value, `/limits` lists it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import get_type_hints

import msgspec
from msgspec import Struct

from app.clips.limits import ClipLimits
from app.engine.limits import EngineLimits
from app.pictures.limits import ShapeLimits
from app.protocol.messages import Limits as ToldLimits
from app.realtime.limits import ConnectionLimits
from app.server.limits import ServerLimits
from app.service.limits import ServiceLimits
from app.session.limits import SessionLimits
from app.settings import Settings, descriptions, variable


@dataclass(frozen=True)
class AppLimits:
    """The bounds that are no settings, by the package that keeps to them."""

    shape: ShapeLimits = field(default_factory=ShapeLimits)
    clip: ClipLimits = field(default_factory=ClipLimits)
    session: SessionLimits = field(default_factory=SessionLimits)
    engine: EngineLimits = field(default_factory=EngineLimits)
    service: ServiceLimits = field(default_factory=ServiceLimits)
    connection: ConnectionLimits = field(default_factory=ConnectionLimits)
    server: ServerLimits = field(default_factory=ServerLimits)


class Limit(Struct, frozen=True):
    """A bound: its name, its value, the variable that sets it where it is a setting, and what it bounds."""

    name: str
    value: int | float
    variable: str | None
    what: str


def limit_table(settings: Settings, limits: AppLimits) -> list[Limit]:
    """Return all bounds: the operator's, which are every number of the settings but the port, then the others."""
    said = descriptions()
    table = [
        Limit(name, value, variable(name), said[name])
        for name, value in msgspec.structs.asdict(settings).items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and name != "port"
    ]
    for part in (getattr(limits, each.name) for each in fields(limits)):
        texts = get_type_hints(type(part), include_extras=True)
        table += [Limit(name, value, None, texts[name].__metadata__[0]) for name, value in asdict(part).items()]
    return table


def told_limits(settings: Settings, limits: AppLimits) -> ToldLimits:
    """Return what a client should know."""
    return ToldLimits(
        max_upload_bytes=settings.max_upload_bytes,
        max_pixels=settings.max_pixels,
        max_side=limits.shape.max_side,
        max_inline_bytes=limits.connection.max_inline_bytes,
        max_message_bytes=limits.connection.max_message_bytes,
        max_points=limits.session.max_points,
        max_objects=limits.session.max_objects,
    )
