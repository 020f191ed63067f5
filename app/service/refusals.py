"""What was refused, and which setting or proxy would have to change: a line in the log now and then, never a flood."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import structlog

EVERY_S: Final = 60.0
"""A cure that was named is not named again for so long."""
MAX_FACT_CHARS: Final = 200
"""Of what a stranger sent, so that no log line is made long."""

log = structlog.get_logger(__name__)


class RefusalLog:
    """Names each cure at most once a minute. Its keys are the program's own words, so that it can't grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Have named nothing yet.

        Args:
            clock: returns seconds.
        """
        self._clock = clock
        self._named: dict[str, tuple[float, int]] = {}

    def note(self, cure: str, **facts: str) -> None:
        """Log a refusal, or count it where its cure was named a moment ago.

        Args:
            cure: the setting to change, or what a proxy has to do; one of a few fixed texts.
            facts: who was refused; may come from a stranger.
        """
        now = self._clock()
        named_at, uncounted = self._named.get(cure, (float("-inf"), 0))
        if now - named_at < EVERY_S:
            self._named[cure] = (named_at, uncounted + 1)
            return
        self._named[cure] = (now, 0)
        short = {name: fact[:MAX_FACT_CHARS] for name, fact in facts.items()}
        log.warning("refused", cure=cure, unlogged_before=uncounted, **short)
