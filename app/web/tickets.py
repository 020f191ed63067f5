"""`POST /ticket`: proof for a socket that its page is ours, where a proxy hides the name that the page knows us by.

Decision: a socket may show a ticket in place of a matching Host. Context: nginx by default, tunnels and many IDEs put
their own name into Host, so that the page's origin matches nothing; a browser's verdict on the page
(`Sec-Fetch-Site`) comes with every POST and, in Chromium, with no WebSocket. Choice: a POST that passes the guard gets
a ticket, good for half a minute and for the origin that asked; the browser itself states the origin of a socket.
Price: one more request before the socket, for pages behind such proxies alone.

A foreign page gets none: its POST is refused by its origin, and what it can't read it can't show. A page whose name
was made to point here (DNS rebinding) comes by plain HTTP, where browsers give no verdict, and is refused like its
uploads. A ticket that leaks is of no use to a page of another origin, nor after its time.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final

from litestar import Request, post
from litestar.datastructures import State
from litestar.exceptions import PermissionDeniedException

TICKET_S: Final = 30.0
"""A page dials as soon as it has its ticket; one that leaks is soon of no use."""
PREFIX: Final = "hoversam.ticket."
"""How the subprotocol begins in which a page shows its ticket: an address would be written into logs."""
SECRET_BYTES: Final = 32
"""As many as the hash of the signature has."""


class Tickets:
    """Makes and checks tickets; nothing is kept of them, so that nobody can fill it up."""

    def __init__(self, secret: bytes | None = None, clock: Callable[[], float] = time.time) -> None:
        """Make tickets by a secret.

        Args:
            secret: of all servers that take one another's tickets; None makes one that lives as long as the process.
            clock: returns seconds; the time of day, which other servers know too.
        """
        self._clock, self._secret = clock, secret or secrets.token_bytes(SECRET_BYTES)

    def issue(self, origin: str) -> str:
        """Return a ticket for sockets of an origin: the time until which it is good, and a signature."""
        return self._signed(round(self._clock() + TICKET_S), origin)

    def admit(self, subprotocols: Iterable[str], origin: str | None) -> bool:
        """Return whether one of the subprotocols that a socket offers is a ticket for its origin that is still good."""
        tickets = [each.removeprefix(PREFIX) for each in subprotocols if each.startswith(PREFIX)]
        return bool(origin) and len(tickets) == 1 and self._is_good(tickets[0], origin or "")

    def _is_good(self, ticket: str, origin: str) -> bool:
        until = ticket.partition(".")[0]
        if not (until.isascii() and until.isdigit() and len(until) < len(str(2**63))):
            return False
        return hmac.compare_digest(self._signed(int(until), origin), ticket) and self._clock() <= int(until)

    def _signed(self, until: int, origin: str) -> str:
        return f"{until}.{hmac.new(self._secret, f'{until} {origin}'.encode(), sha256).hexdigest()}"


@post("/ticket", include_in_schema=False, status_code=200)
async def ticket(request: Request[Any, Any, Any], state: State) -> dict[str, str]:
    """Return a ticket to a page that the guard let through."""
    origin = request.headers.get("origin")
    if not origin:
        raise PermissionDeniedException(detail="tickets are for web pages; a script needs none")
    tickets: Tickets = state.tickets
    return {"ticket": tickets.issue(origin)}
