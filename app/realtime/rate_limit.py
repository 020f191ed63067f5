"""How many messages one client may send: a bucket of tokens, and how long it may go on beyond. Pure but for a clock.

Decision: a hover that is decoded costs nothing. Context: a client that waits for its answers can't send more than the
device gives, which on a fast device is more than any fixed rate; one that doesn't wait makes hovers overtake each
other. Choice: only overtaken hovers, pings, changes and refusals cost a token. Price: it isn't a plain count of frames.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

SLOWED_DOWN_S: Final = 1.0
"""So long without a refusal and the client has slowed down."""
AHEAD_S: Final = 0.125
"""A client that has sent what would come to it only after so long gives way to all others."""
FLOOD: Final = 16
"""So many times the rate isn't waited for until the grace is over."""


class RateLimit:
    """The allowance of one client."""

    def __init__(self, per_s: float, burst: int, grace_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with all tokens that there may be.

        Args:
            per_s: tokens that come each second.
            burst: tokens that there may be.
            grace_s: how long refusals may go on.
            clock: returns seconds.
        """
        self._per_s, self._burst, self._grace_s, self._clock = per_s, burst, grace_s, clock
        self._tokens, self._at = float(burst), clock()
        self._over_since = self._refused_at = -math.inf
        self._refused = 0

    def spend(self) -> bool:
        """Take a token; False where there is none and the message is to be refused."""
        now = self._refill()
        if self._tokens >= 1:
            self._tokens -= 1
            return True
        if now - self._refused_at > SLOWED_DOWN_S:
            self._over_since, self._refused = now, 0
        self._refused_at = now
        self._refused += 1
        return False

    @property
    def throttled(self) -> bool:
        """Whether the client sends faster than it may, and only its reserve keeps it from being refused."""
        self._refill()
        return self._burst - self._tokens > AHEAD_S * self._per_s

    @property
    def retry_after_s(self) -> float:
        """Seconds until there is a token again."""
        return max(0.0, (1 - self._tokens) / self._per_s)

    def _refill(self) -> float:
        """Add the tokens that have come; return the time."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        return now

    @property
    def exhausted(self) -> bool:
        """Whether the client has gone on for too long, or far too fast, to be heard any more."""
        too_long = self._refused_at - self._over_since >= self._grace_s
        return self._refused > 0 and (too_long or self._refused > FLOOD * self._per_s * self._grace_s)
