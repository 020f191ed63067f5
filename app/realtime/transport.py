"""What a connection needs of a socket, and what it raises. No web framework here."""

from __future__ import annotations

from typing import Protocol


class DisconnectedError(Exception):
    """The peer has gone, or the socket was closed by us."""


class Transport(Protocol):
    """A WebSocket, accepted."""

    @property
    def address(self) -> str:
        """The peer's address without its port; empty where it has none."""
        ...

    async def receive(self) -> bytes | None:
        """Return the next binary frame, or None for a text frame.

        Raises:
            DisconnectedError: the peer has gone.
        """
        ...

    async def send(self, data: bytes) -> None:
        """Send a binary frame; waits while the peer is slow.

        Raises:
            DisconnectedError: the peer has gone.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; never raises. A reason has at most 123 bytes."""
        ...
