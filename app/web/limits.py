"""`GET /limits`: what the server accepts and how long it waits, those that are settings and the others."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency

from app.limits import AppLimits, Limit, limit_table
from app.settings import Settings


@get("/limits", operation_id="limits", summary="What the server accepts", tags=["health"])
async def list_limits(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], limits: NamedDependency[AppLimits]
) -> Response[object]:
    """Return every limit: as text for people, as JSON for whoever asks for `application/json`."""
    table = limit_table(settings, limits)
    if request.accept.best_match([MediaType.TEXT, MediaType.JSON]) == MediaType.JSON:
        return Response(table, media_type=MediaType.JSON)
    return Response(as_text(table), media_type=MediaType.TEXT)


def as_text(table: list[Limit]) -> str:
    """Return the limits in columns, the operator's with their variables."""
    names = max(len(limit.name) for limit in table)
    values = max(len(f"{limit.value:,}") for limit in table)
    told = [f"{limit.what} ({limit.variable})" if limit.variable else limit.what for limit in table]
    lines = [
        f"{limit.name:<{names}}  {limit.value:>{values},}  {what}" for limit, what in zip(table, told, strict=True)
    ]
    return "\n".join(["What this server accepts: bytes, pixels and pieces; times (_s) in seconds.", "", *lines, ""])
