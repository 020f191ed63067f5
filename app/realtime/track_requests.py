"""How far one session's changes have come that have objects followed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.protocol.messages import TrackProgress

Missing = tuple[str, int]
"""A pass, by its key, and a frame that it has no mask of yet."""


@dataclass
class TrackRequest:
    """A change that waits for masks.

    Attributes:
        seq: its number.
        missing: what it waits for.
        frames: how many there were.
        done: how many were followed.
        told: the `done` that was told last; -1 before the first.
        is_track: whether a person asked for it by a `track`.
    """

    seq: int
    missing: set[Missing]
    frames: int
    is_track: bool
    done: int = 0
    told: int = -1


class TrackRequests:
    """The changes of one session that wait for masks, oldest first."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: list[TrackRequest] = []

    def look(self, seq: int, missing: Iterable[Missing], *, is_track: bool, is_answered: bool = False) -> None:
        """Take note of what is missing after a change; what nobody waited for before is the change's own.

        Args:
            seq: of the change.
            missing: all that is.
            is_track: whether it is a `track`, which is answered in any case.
            is_answered: whether another is, too.
        """
        left = set(missing)
        for request in self._waiting:
            request.missing &= left
            left -= request.missing
        if left or is_track or is_answered:
            self._waiting.append(TrackRequest(seq, left, len(left), is_track))

    def found(self, missing: Missing, otherwise: int) -> int:
        """Take note that a mask was found; return the change that waited for it, `otherwise` where none did."""
        for request in self._waiting:
            if missing in request.missing:
                request.missing.remove(missing)
                request.done += 1
                return request.seq
        return otherwise

    def progress(self) -> list[TrackProgress]:
        """Return what is to be told of those that have come further; who waits for nothing any more is done."""
        news = [request for request in self._waiting if not request.missing or request.done > max(0, request.told)]
        for request in news:
            request.told = request.done
        self._waiting = [request for request in self._waiting if request.missing]
        return [
            TrackProgress(seq=request.seq, done=request.done, frames=request.frames, last=not request.missing)
            for request in news
        ]

    def end(self) -> list[TrackProgress]:
        """Return the last word to all that wait, which get no more."""
        for request in self._waiting:
            request.missing.clear()
        return self.progress()

    def fail(self) -> tuple[list[int], frozenset[str]]:
        """Forget all that wait; return their numbers, and the passes of those that a person asked for."""
        failed, self._waiting = self._waiting, []
        keys = frozenset(key for request in failed if request.is_track for key, _ in request.missing)
        return [request.seq for request in failed], keys
