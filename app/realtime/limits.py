"""What one client may send over its socket, and how slowly it may take what it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class ConnectionLimits:
    """Bounds of one client; the texts are those of `/limits`."""

    max_message_bytes: Annotated[int, "bytes of one message"] = 512 * 2**10
    """An `open` with its picture and its recipe, and nothing more; the socket reads a message whole into memory."""
    max_inline_bytes: Annotated[int, "bytes of a picture inside an `open` message"] = 256 * 2**10
    """No ping gets through a message on its way: on a slow link a larger picture would look like a dead client."""
    max_prompt_bytes: Annotated[int, "bytes of one message other than `open`"] = 64 * 2**10
    """A prompt has a few dozen bytes, and a name of an object some hundred at most."""
    max_messages_per_s: Annotated[int, "messages a second of one client, hovers that get an answer aside"] = 120
    """The fastest pointers and screens move so often; no hand clicks as fast."""
    max_messages_burst: Annotated[int, "as many of them may come at once"] = 240
    """Two seconds of them, which a link that stood still may bring together."""
    rate_grace_s: Annotated[float, "a client that sends too fast for so long is closed"] = 5.0
    """Time to heed what it is told with each refusal."""
    max_clicks_queued: Annotated[int, "changes of one session that may wait; one more is `busy`"] = 16
    """Seconds of work for the device; nobody clicks so far ahead of what he sees."""
    max_replies_waiting: Annotated[int, "replies that may wait for a client that doesn't read"] = 256
    """Two seconds of replies at the full rate of messages, beside one of each object."""
    max_bad_messages: Annotated[int, "bad messages in a row that close the socket"] = 10
    """One bad message may be a slip; whoever goes on speaks something else than our protocol."""
    hello_timeout_s: Annotated[float, "wait for the first message"] = 5.0
    """Clients say hello at once, and a socket without one holds a connection that others could have."""
    idle_timeout_s: Annotated[float, "a socket on which nothing comes for so long is closed"] = 1800.0
    """Nobody sits before it any more; who comes back resumes, or restores what he did."""
    send_timeout_s: Annotated[float, "a client that takes nothing of a reply for so long is cut off"] = 10.0
    """A link that recovers does so sooner; what waits for a dead one is memory that others need."""
    min_body_bytes_per_s: Annotated[int, "slowest pace of an HTTP body, over ten seconds, and of what is sent"] = (
        16 * 2**10
    )
    """A poor mobile link gives as much; a slower client would hold its connection for hours."""
