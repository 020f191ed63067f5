"""All sessions: how many there may be, which token takes one up again, and when a dropped one is forgotten."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from app.errors import BusyError
from app.session.session import Session

TOKEN_BYTES = 16
RETRY_AFTER_S = 5.0


class WrongTokenError(Exception):
    """The session exists and the token isn't its own."""


class Holder(Protocol):
    """A connection that holds a session."""

    def taken_over(self) -> None:
        """Close: the session's owner opened a newer socket."""
        ...


@dataclass
class Entry:
    """A session, its token, who holds it, and since when nobody does."""

    session: Session
    id: str = field(default_factory=lambda: secrets.token_hex(TOKEN_BYTES))
    token: str = field(default_factory=lambda: secrets.token_hex(TOKEN_BYTES))
    holder: Holder | None = None
    dropped_at: float = 0.0


class Registry:
    """Sessions by id. Lives in the event loop's thread."""

    def __init__(
        self, max_sessions: int, keep_s: float, make: Callable[[], Session], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Args: how many sessions, seconds that a dropped one is kept, how to make one, and a clock for tests."""
        self._max_sessions, self._keep_s, self._make, self._clock = max_sessions, keep_s, make, clock
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        """Number of sessions, held or kept for their owner's return."""
        return len(self._entries)

    @property
    def held(self) -> int:
        """Number of sessions with a socket."""
        return sum(entry.holder is not None for entry in self._entries.values())

    def enter(self, holder: Holder, id_: str | None, token: str | None) -> tuple[Entry, bool]:
        """Return the session that a client asks for, and whether it is taken up again; else a new one.

        Raises:
            WrongTokenError: the session is another's.
            BusyError: all sessions are in use.
        """
        self.forget_expired()
        known = self._entries.get(id_ or "")
        if known is not None:
            if not hmac.compare_digest(known.token.encode(), (token or "").encode()):
                raise WrongTokenError
            if known.holder is not None:
                known.holder.taken_over()
            known.holder, known.token = holder, secrets.token_hex(TOKEN_BYTES)
            return known, True
        self._make_room()
        entry = Entry(self._make(), holder=holder)
        self._entries[entry.id] = entry
        return entry, False

    def leave(self, entry: Entry, holder: Holder) -> None:
        """Let go of a session; it is kept for a while. Nothing happens where another socket took it over."""
        if entry.holder is holder:
            entry.holder, entry.dropped_at = None, self._clock()

    def forget_expired(self) -> None:
        """Forget the sessions that were dropped too long ago."""
        limit = self._clock() - self._keep_s
        for entry in [entry for entry in self._entries.values() if entry.holder is None and entry.dropped_at < limit]:
            del self._entries[entry.id]

    def _make_room(self) -> None:
        """Forget the session that was dropped first where all places are taken."""
        if len(self._entries) < self._max_sessions:
            return
        dropped = [entry for entry in self._entries.values() if entry.holder is None]
        if not dropped:
            raise BusyError(f"all {self._max_sessions} sessions are in use; try again", retry_after_s=RETRY_AFTER_S)
        del self._entries[min(dropped, key=lambda entry: entry.dropped_at).id]
