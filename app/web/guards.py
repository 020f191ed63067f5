"""Who may open a socket or send a picture: our own page, listed origins, and scripts, which name no origin.

Without this any web page that a user visits could use the server behind their back, also one on localhost.
"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from app.settings import Settings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_allowed(origin: str | None, host: str | None, allowed: tuple[str, ...]) -> bool:
    """Return whether a request of this origin may change anything."""
    return origin is None or origin in allowed or (bool(host) and origin in (f"http://{host}", f"https://{host}"))


async def require_same_origin(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuse a socket or a POST from another web page.

    Raises:
        PermissionDeniedException: the origin is neither ours nor listed in HOVERSAM_ALLOWED_ORIGINS.
    """
    if connection.scope.get("method") in SAFE_METHODS:
        return
    settings: Settings = connection.app.state.settings
    if not is_allowed(connection.headers.get("origin"), connection.headers.get("host"), settings.allowed_origins):
        raise PermissionDeniedException(detail="requests from other web pages are refused")
