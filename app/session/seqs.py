"""The numbers of one session's messages: which may come, and which were done. Pure."""

from __future__ import annotations

from typing import Final

from cachetools import FIFOCache

from app.errors import BadMessageError
from app.session.replies import Touched

REMEMBERED_SEQS: Final = 256
"""Changes that are answered again, not done again, when a client repeats them."""


class SeqNumbers:
    """Takes note of numbers as they come, and of what was done under them.

    Attributes:
        done: what each of the last changes concerned, by its number.
    """

    def __init__(self) -> None:
        """Begin before the first message."""
        self._last = -1
        self._admitted: FIFOCache[int, None] = FIFOCache(REMEMBERED_SEQS)
        self.done: FIFOCache[int, Touched] = FIFOCache(REMEMBERED_SEQS)

    def admit(self, seq: int, *, change: bool) -> None:
        """Take note of a message as it arrives; a change that was admitted before may come again.

        Raises:
            BadMessageError: the number isn't above every number before, and no change had it.
        """
        if seq > self._last:
            self._last = seq
        elif not (change and seq in self._admitted):
            raise BadMessageError(f"seq must rise with every message: expected more than {self._last}, got {seq}")
        if change:
            self._admitted[seq] = None
