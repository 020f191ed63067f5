"""What one connection, of HTTP or a WebSocket, may keep the server waiting for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class ServerLimits:
    """Bounds of one connection before the application sees it; the texts are those of `/limits`."""

    max_head_bytes: Annotated[int, "request line and headers of an HTTP request"] = 64 * 2**10
    """Browsers send a few KB; uvicorn alone would collect as much as comes."""
    head_timeout_s: Annotated[float, "wait for the headers of an HTTP request"] = 10.0
    """They are one packet or two; uvicorn alone would wait for ever."""
    body_timeout_s: Annotated[float, "wait for the body of an HTTP request"] = 300.0
    """A picture of 32 MiB comes in it over a link of one megabit a second."""
    max_pings_per_s: Annotated[int, "ping frames a second; one more cuts the connection"] = 50
    """Each is answered, past the bounds of what waits to be written; clients send one in seconds."""
    max_frames_per_s: Annotated[int, "frames of all kinds a second; one more cuts the connection"] = 2000
    """Empty frames cost a client nothing, and the one event loop of the server time; a client sends 120 or so."""
    max_fragments: Annotated[int, "frames of one message"] = 1024
    """Empty ones add nothing to a message's size, but each takes memory until the message is whole."""
    max_write_buffer_bytes: Annotated[int, "bytes that may wait for a client that pings and reads nothing"] = 4 * 2**20
    """Pongs wait here without end otherwise; the longest message that we send has half of it."""
    ping_interval_s: Annotated[float, "between two pings of a socket"] = 20.0
    """Proxies commonly close a connection on which nothing was sent for a minute."""
    ping_timeout_s: Annotated[float, "wait for the answer to a ping; a socket without one is closed"] = 20.0
    """A phone may be without a network for some seconds on its way from one mast to the next."""
    shutdown_timeout_s: Annotated[float, "wait for open work when the server stops, then again for sockets"] = 5.0
    """Docker kills a container ten seconds after it told it to stop: both waits fit into them."""
