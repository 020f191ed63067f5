"""How long a client waits, how often it tries again, and when it gives up. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_GROWTH: Final = 2.0
_SHORTEST_WAIT_S: Final = 0.02


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
