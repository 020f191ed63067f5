"""From an address to a socket that the server has welcomed."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from websockets import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app import __version__
from app.client.cookies import Cookies
from app.client.errors import LostError, closed_error, error_of
from app.client.frames import frame_of, message_in
from app.client.patience import Timeouts
from app.errors import BadMessageError
from app.protocol.messages import MAX_FILE_BYTES, PROTOCOL_VERSION, SUBPROTOCOL, Error, Hello, Welcome

_MAX_FRAME_BYTES: Final = MAX_FILE_BYTES + 2**16
"""The largest file that a server may export, and its message around it."""
_MAX_FRAMES_UNREAD: Final = 64
"""Messages that may wait for us to read them; then the network makes the server wait."""
_CLOSE_S: Final = 1.0
"""Wait for the network to end a socket that was closed; longer, and a session would be taken up later for nothing."""

_REFUSALS: Final = {
    401: "something in front of it wants a log-in",
    403: "the server doesn't know itself by this name; list it in HOVERSAM_ALLOWED_HOSTS there",
    404: "is there a HoverSAM server under this path?",
    426: "the proxy in front of it has to pass WebSockets on (Upgrade and Connection)",
    502: "the proxy in front of it doesn't reach it",
    503: "all its connections are in use (HOVERSAM_MAX_CONNECTIONS); try again",
}
"""What to do about a socket that was answered as a plain request, by its HTTP status."""


async def dial(url: str, timeouts: Timeouts, cookies: Cookies) -> ClientConnection:
    """Return an open socket to the server at `url`; the caller closes it.

    Args:
        url: the server's address, or that of a balancer before several.
        timeouts: how long to wait.
        cookies: what the balancer told us before; what it tells us now is added.

    Raises:
        ConnectionRefusedError: nobody answers at the address, or it is no HoverSAM server.
        ValueError: no address of the web.
    """
    parts = urlsplit(checked_url(url))
    scheme = "wss" if parts.scheme == "https" else "ws"
    try:
        socket = await connect(
            f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/ws",
            additional_headers=cookies.headers(),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            proxy=None if is_loopback(url) else True,
            open_timeout=timeouts.connect_s,
            close_timeout=_CLOSE_S,
            max_size=_MAX_FRAME_BYTES,
            max_queue=_MAX_FRAMES_UNREAD,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        reason = _REFUSALS.get(status, "is it a HoverSAM server?")
        if status == 403 and parts.path.strip("/"):
            reason = f"is the path {parts.path!r} right? If it is, {reason}"
        raise ConnectionRefusedError(f"{url} takes no session (HTTP {status}): {reason}") from error
    except (OSError, EOFError, InvalidHandshake, asyncio.TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise ConnectionRefusedError(f"no HoverSAM server answers at {url} ({reason})") from error
    if socket.response is not None:
        cookies.take(socket.response.headers.get_all("Set-Cookie"))
    return socket


def checked_url(url: str) -> str:
    """Return an address of the web.

    Raises:
        ValueError: it is none.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the host or the port is none
        good = False
    if not good:
        raise ValueError(f"expected an address such as http://127.0.0.1:8000, got {url!r}")
    return url


async def greet(socket: ClientConnection, timeouts: Timeouts, known: Welcome | None = None) -> Welcome:
    """Say hello and return the server's welcome.

    Args:
        socket: an open socket.
        timeouts: how long to wait.
        known: the welcome of the session to take up again; None asks for a new one.

    Raises:
        LostError: the server closed the socket or stays silent.
        HoverError: the server turned the client away; the class says why.
    """
    hello = Hello(
        version=PROTOCOL_VERSION,
        session=None if known is None else known.session,
        token=None if known is None else known.token,
        client=f"hoversam-python/{__version__}",
    )
    try:
        await socket.send(frame_of(hello))
        message = message_in(await asyncio.wait_for(socket.recv(), timeouts.connect_s))
    except ConnectionClosed as error:
        raise closed_error(error) from error
    except asyncio.TimeoutError as error:
        raise LostError(f"the server did not say welcome within {timeouts.connect_s:g} s") from error
    if isinstance(message, Error):
        raise error_of(message)
    if not isinstance(message, Welcome):
        raise BadMessageError(f"expected welcome, got {type(message).__name__.lower()}; is this a HoverSAM server?")
    return message


def is_loopback(url: str) -> bool:
    """Return whether the address is this machine's own, where no proxy leads."""
    name = (urlsplit(url).hostname or "").removesuffix(".")
    return name in {"127.0.0.1", "::1", "localhost"} or name.endswith(".localhost")
