"""Who may talk to the server: our own page, listed origins, and scripts, which name no origin; under names of ours.

Without the check of origins any web page that a user visits could use the server behind their back, also one on
localhost. Without the check of hosts such a page could pretend to be ours: its own name is made to point here
(DNS rebinding), and the browser then takes its origin and ours for the same.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final, cast
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from app.errors import Reason
from app.service.refusals import RefusalLog
from app.settings import Settings
from app.web.tickets import Tickets

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
"""They change nothing, so that any page may send them; a browser keeps the answer from it."""
ANY: Final = "*"
"""In the setting: every origin may send what changes something."""
SAME_ORIGIN: Final = "same-origin"
"""What a browser says in `Sec-Fetch-Site` of a request of our own page."""
MAX_NAME_CHARS: Final = 100
"""Of a name that a stranger sent, where an answer repeats it."""


def is_allowed(origin: str | None, host: str | None, allowed: tuple[str, ...], site: str | None = None) -> bool:
    """Return whether a request of this origin may change anything.

    Args:
        origin: the page that asks, None for a script.
        host: the host that was asked, as the request names it.
        allowed: further origins that may.
        site: the browser's own verdict, `Sec-Fetch-Site`. No page can set it, and it still holds behind a proxy that
            puts another name into `host`, such as the one through which FastSAM-Demo's page asks its backend.
    """
    ours = bool(host) and origin in (f"http://{host}", f"https://{host}")
    return origin is None or origin in allowed or ours or site == SAME_ORIGIN


def is_known(host: str | None, names: tuple[str, ...]) -> bool:
    """Return whether a request's Host may be ours.

    Decision: names are listed, addresses are not. Context: whoever listens on all interfaces is reached under
    addresses that nobody can list beforehand. Choice: only a name can be made to point elsewhere, so every address
    goes. Price: none that is known; a page at an address is still stopped by its origin.

    Args:
        host: the header, with or without a port.
        names: what the operator listed, each with or without a port; `*` lets every name in.
    """
    if not host:
        return False
    if ANY in names or host.lower() in names:
        return True
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port  # which is looked at, and raises where it is none
    except ValueError:
        return False
    if parts.netloc != host or "@" in host:
        return False
    name = name.removesuffix(".")  # the dot of a name that is whole
    return all(name.split(".")) and (is_local(name) or name in names or is_address(name))


def is_local(name: str) -> bool:
    """Return whether a name stands for this machine everywhere (RFC 6761): `localhost`, or whatever ends with it."""
    return name == "localhost" or name.endswith(".localhost")


def is_address(name: str) -> bool:
    """Return whether a host is an IP address and no name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


async def require_same_origin(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuse a request under a name that isn't ours, and a socket or a POST from another web page.

    Raises:
        PermissionDeniedException: the text names the setting that lets it in.
    """
    state = connection.app.state
    settings: Settings = state.settings
    refusals: RefusalLog = state.refusals
    host = only(connection, "host")
    if not is_known(host, tuple(name.lower() for name in (*settings.allowed_hosts, settings.host))):
        refusals.note("HOVERSAM_ALLOWED_HOSTS", host=host or "")
        name = (host or "")[:MAX_NAME_CHARS]
        raise PermissionDeniedException(
            detail=Reason(
                "name_refused",
                "this server isn't known as {name!r}; if that is its name, list it in HOVERSAM_ALLOWED_HOSTS",
                name=name,
            )
        )
    if connection.scope.get("method") in SAFE_METHODS:
        return
    origin, site = only(connection, "origin"), only(connection, "sec-fetch-site")
    if is_allowed(origin, host, settings.allowed_origins, site):
        return
    tickets: Tickets = state.tickets
    offered = cast(list[str], connection.scope.get("subprotocols", []))  # of a socket alone
    if not tickets.admit(offered, origin):
        refusals.note("HOVERSAM_ALLOWED_ORIGINS, or a proxy that passes Host on", origin=origin or "", host=host or "")
        page = (origin or "")[:MAX_NAME_CHARS]
        raise PermissionDeniedException(
            detail=Reason(
                "page_refused",
                "pages of {page!r} are refused; if that is your page, list it in HOVERSAM_ALLOWED_ORIGINS, "
                "or let the proxy in front of the server pass Host on",
                page=page,
            )
        )


def only(connection: ASGIConnection[Any, Any, Any, Any], header: str) -> str | None:
    """Return a header's value, None where it is missing, and an empty text where it comes more than once."""
    values = connection.headers.getall(header, [])
    return values[0] if len(values) == 1 else "" if values else None
