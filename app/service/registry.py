"""All sessions: how many there may be, which token takes one up again, and when a dropped one is forgotten.

Decision: a token is good until its successor was used. Context: the welcome that brings the successor may be lost with
its socket, and its owner would be locked out. Choice: two tokens are good at a time. Price: who stole the older one has
until the owner's next return to use it.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol

from app.errors import FullError, Reason
from app.session.session import Session
from app.settings import variable

TOKEN_BYTES = 16
"""128 bits, which nobody guesses."""
RETRY_AFTER_S = 5.0
"""How soon a client that found all sessions taken asks again."""


class WrongTokenError(Exception):
    """The session exists and the token isn't its own."""


class Holder(Protocol):
    """A connection that holds a session."""

    def taken_over(self) -> None:
        """Close: the session's owner opened a newer socket."""
        ...

    async def drain(self) -> None:
        """Return once the change at hand is made and told; begin no other."""
        ...


@dataclass
class Entry:
    """A session, its tokens, who holds it from where, and since when nobody does."""

    session: Session
    id: str = field(default_factory=lambda: secrets.token_hex(TOKEN_BYTES))
    token: str = field(default_factory=lambda: secrets.token_hex(TOKEN_BYTES))
    last_token: str = ""
    holder: Holder | None = None
    address: str = ""
    dropped_at: float = 0.0

    def accepts(self, token: str) -> bool:
        """Return whether a token takes the session up. Takes as long for a wrong one as for a right one."""
        good = [hmac.compare_digest(own.encode(), token.encode()) for own in (self.token, self.last_token)]
        return bool(token) and any(good)

    def rotate(self, used: str) -> None:
        """Make a new token; the one that was used stays good until the new one was."""
        self.last_token, self.token = used, secrets.token_hex(TOKEN_BYTES)


class Registry:
    """Sessions by id. Lives in the event loop's thread."""

    def __init__(
        self,
        max_sessions: int,
        keep_s: float,
        make: Callable[[], Session],
        clock: Callable[[], float] = time.monotonic,
        *,
        max_per_address: int | None = None,
    ) -> None:
        """Make an empty one.

        Args:
            max_sessions: how many there may be.
            keep_s: seconds that a dropped one is kept.
            make: returns a new session.
            clock: for tests.
            max_per_address: how many there may be of one client address; None for as many as there may be.
        """
        self._max_sessions, self._keep_s, self._make, self._clock = max_sessions, keep_s, make, clock
        self._max_per_address = max_per_address or max_sessions
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        """Number of sessions, held or kept for their owner's return."""
        return len(self._entries)

    @property
    def held(self) -> int:
        """Number of sessions with a socket."""
        return sum(entry.holder is not None for entry in self._entries.values())

    def enter(self, holder: Holder, id_: str | None, token: str | None, address: str = "") -> tuple[Entry, bool]:
        """Return the session that a client asks for, and whether it is taken up again; else a new one.

        Raises:
            WrongTokenError: the session is another's.
            FullError: all sessions are in use, or all that one address may have.
        """
        self.forget_expired()
        known = self._entries.get(id_ or "")
        if known is not None:
            if not known.accepts(token or ""):
                raise WrongTokenError
            if known.holder is not None:
                known.holder.taken_over()
            known.holder, known.address = holder, address
            known.rotate(token or "")
            return known, True
        self._make_room_for(address)
        entry = Entry(self._make(), holder=holder, address=address)
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

    async def drain(self) -> None:
        """Return once every connection has made and told the change at hand."""
        holders = [entry.holder for entry in self._entries.values() if entry.holder is not None]
        await asyncio.gather(*(holder.drain() for holder in holders))

    def _make_room_for(self, address: str) -> None:
        """Forget the session that was dropped first where all places are taken, of all or of one address."""
        if not is_local(address):
            mine = [entry for entry in self._entries.values() if entry.address == address]
            self._forget_one(mine, self._max_per_address, "of your address ", "max_sessions_per_address")
        self._forget_one(list(self._entries.values()), self._max_sessions, "", "max_sessions")

    def _forget_one(self, entries: list[Entry], most: int, whose: str, setting: str) -> None:
        if len(entries) < most:
            return
        dropped = [entry for entry in entries if entry.holder is None]
        if not dropped:
            text = "all {most} sessions " + whose + "are in use; try again"
            told = Reason("full_address" if whose else "full", text, most=most)
            raise FullError(told, setting=variable(setting), retry_after_s=RETRY_AFTER_S)
        del self._entries[min(dropped, key=lambda entry: entry.dropped_at).id]


def is_local(address: str) -> bool:
    """Return whether an address is this machine's own: its user, or a proxy behind which anybody may be."""
    try:
        return ip_address(address).is_loopback
    except ValueError:  # a Unix socket has none
        return True
