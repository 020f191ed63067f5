"""How long a client waits, how often it tries again, and when it gives up. Pure but for clock and chance."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from app.client.errors import passes

_GROWTH: Final = 2.0
"""So many times as long as the one before is a pause between two tries to connect."""
_SHORTEST_WAIT_S: Final = 0.02
"""A busy server that names no time, or none at all, is left alone for so long."""


@dataclass(frozen=True)
class Timeouts:
    """How long the client waits, in seconds, before it gives up. Time without a connection doesn't count."""

    connect_s: float = 10.0
    open_s: float = 180.0
    """A picture, a model or a file: upload, the queue, encoding, perhaps the model's download, the file's bytes."""
    hover_s: float = 2.0
    reply_s: float = 30.0
    """Any other reply, and handing a message to the network."""
    busy_s: float = 30.0
    """How long a change is sent again that the server has no room for; 0 raises `BusyError` at once."""


@dataclass(frozen=True)
class Reconnect:
    """How a lost connection is dialled again: at once, then after growing pauses, each cut short by chance.

    Without chance, all clients of a server that comes back would knock at the same moment.

    Attributes:
        give_up_s: seconds after which the session is given up; 0 never dials again.
        first_s: the first pause.
        longest_s: the longest pause.
    """

    give_up_s: float = 120.0
    first_s: float = 0.1
    longest_s: float = 5.0


def pauses(reconnect: Reconnect, chance: Callable[[], float]) -> Iterator[float]:
    """Yield the seconds to wait before each try, without end; `chance` gives numbers in [0, 1)."""
    yield 0.0
    longest = reconnect.first_s
    while True:
        yield longest * (1 - chance() / 2)
        longest = min(longest * _GROWTH, reconnect.longest_s)


def wait_s(retry_after_s: float | None, chance: Callable[[], float], *, otherwise_s: float = 0.5) -> float:
    """Return how long to wait before asking a busy server again: what it said, and up to half of that on top."""
    return max(_SHORTEST_WAIT_S, (retry_after_s or otherwise_s) * (1 + chance() / 2))


class Patience:
    """One change, asked again while the server is too busy for it."""

    def __init__(self, most_s: float) -> None:
        """Begin; after `most_s` seconds it isn't asked again."""
        self._until = time.monotonic() + most_s

    def pause_s(self, error: Exception) -> float:
        """Return the seconds to wait before asking again, after a try that ended like this.

        Raises:
            Exception: the error itself, where it doesn't pass or the time is over.
        """
        pause_s = wait_s(getattr(error, "retry_after_s", None), random.random)
        if not passes(error) or time.monotonic() + pause_s > self._until:
            raise error
        return pause_s
