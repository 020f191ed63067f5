"""Headers that tell a browser how little our page needs."""

from __future__ import annotations

from secrets import token_hex
from typing import Any, Final

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope
from structlog.contextvars import bind_contextvars

from app.service.meters import Meters

REQUEST_ID_BYTES: Final = 4
"""Enough to tell the requests of some minutes apart in a log."""
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
"""On every response: the page runs and shows only what comes from here, is framed nowhere, and asks for no device."""
UNCACHED: Final = "no-store"
"""What isn't a file of the page is never kept by a browser or proxy."""
TLS_ONLY: Final = "max-age=63072000"
"""For two years a browser that came by TLS comes by nothing else."""


async def name_request(request: Request[Any, Any, Any]) -> None:
    """Give a request a name, which its log lines and its response carry."""
    request.state.request_id = token_hex(REQUEST_ID_BYTES)
    bind_contextvars(request=request.state.request_id)


async def add_headers(message: Message, scope: Scope) -> None:
    """Add `HEADERS` to an HTTP response, where it lacks them, and the request's name.

    A hook of the application and no middleware: Litestar runs no middleware where no route was found.
    """
    if message["type"] == "http.response.start":
        outgoing = MutableScopeHeaders.from_message(message)
        for name, value in HEADERS.items():
            outgoing.setdefault(name, value)
        outgoing.setdefault("cache-control", UNCACHED)
        if scope.get("scheme") == "https":
            outgoing.setdefault("strict-transport-security", TLS_ONLY)
        if request_id := scope.get("state", {}).get("request_id"):
            outgoing.setdefault("x-request-id", request_id)


async def count_response(message: Message, scope: Scope) -> None:
    """Count an HTTP response by its status."""
    if message["type"] == "http.response.start":
        meters: Meters = scope["litestar_app"].state.meters
        meters.responses.labels(str(message["status"])).inc()
