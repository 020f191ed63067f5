"""From an address to a socket that the server has welcomed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from websockets import ConnectionClosed, InvalidHandshake
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app import __version__
from app.client.book import error_of
from app.errors import BadMessageError
from app.protocol import messages
from app.protocol.codec import decode_server, encode
from app.protocol.messages import ServerMessage

_MAX_FRAME_BYTES: Final = messages.MAX_FILE_BYTES + 2**16
_MAX_FRAMES_UNREAD: Final = 64


@dataclass(frozen=True)
class Timeouts:
    """How long the client waits, in seconds, before it gives up."""

    connect_s: float = 10.0
    open_s: float = 180.0
    """A picture or a model: upload, the queue, encoding, and perhaps the download of the model."""
    hover_s: float = 2.0
    reply_s: float = 30.0
    """Any other reply, and handing a message to the network."""


async def dial(url: str, timeouts: Timeouts) -> ClientConnection:
    """Return an open socket to the server at `url`; the caller closes it.

    Raises:
        ConnectionRefusedError: nobody answers at the address, or it is no HoverSAM server.
        ValueError: no address of the web.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"expected an address such as http://127.0.0.1:8000, got {url!r}")
    scheme = "wss" if parts.scheme == "https" else "ws"
    try:
        return await connect(
            f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/ws",
            subprotocols=[Subprotocol(messages.SUBPROTOCOL)],
            compression=None,
            proxy=None if is_loopback(url) else True,
            open_timeout=timeouts.connect_s,
            max_size=_MAX_FRAME_BYTES,
            max_queue=_MAX_FRAMES_UNREAD,
        )
    except (OSError, InvalidHandshake, asyncio.TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise ConnectionRefusedError(f"no HoverSAM server answers at {url} ({reason})") from error


async def greet(socket: ClientConnection, timeouts: Timeouts) -> messages.Welcome:
    """Say hello and return the server's welcome.

    Raises:
        ConnectionError: the server closed the socket or stays silent.
        HoverError: the server turned the client away; the class says why.
    """
    hello = messages.Hello(version=messages.PROTOCOL_VERSION, client=f"hoversam-python/{__version__}")
    try:
        await socket.send(encode(hello))
        message = decode_frame(await asyncio.wait_for(socket.recv(), timeouts.connect_s))
    except ConnectionClosed as error:
        raise closed_error(error) from error
    except asyncio.TimeoutError as error:
        raise ConnectionError(f"the server did not say welcome within {timeouts.connect_s:g} s") from error
    if isinstance(message, messages.Error):
        raise error_of(message)
    if not isinstance(message, messages.Welcome):
        raise BadMessageError(f"expected welcome, got {type(message).__name__.lower()}; is this a HoverSAM server?")
    return message


def is_loopback(url: str) -> bool:
    """Return whether the address is this machine's own, where no proxy leads."""
    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}


def decode_frame(frame: str | bytes) -> ServerMessage:
    """Return the server's message in a frame.

    Raises:
        BadMessageError: a text frame, or bytes that are no message.
    """
    if isinstance(frame, str):
        raise BadMessageError("expected a binary frame, got a text frame; is this a HoverSAM server?")
    return decode_server(frame)


def closed_error(error: ConnectionClosed) -> ConnectionError:
    """Return why the socket closed, with what to do."""
    frame = error.rcvd
    if frame is None:
        return ConnectionError("the connection to the server was lost; connect again")
    known = frame.code in {code.value for code in messages.CloseCode}
    name = messages.CloseCode(frame.code).name.lower().replace("_", " ") if known else "no reason given"
    return ConnectionError(f"the server closed the connection: {frame.code}, {frame.reason or name}; connect again")
