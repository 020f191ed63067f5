"""From what the server said, or didn't, to an exception: its code's own class, with `retry_after_s`. Pure."""

from __future__ import annotations

from typing import Final

from websockets import ConnectionClosed

from app.client.values import Refusal
from app.errors import BusyError, HoverError, RateLimitedError

CLOSE_REASONS: Final = {
    1001: "going away",
    1003: "text frame",
    1009: "too large",
    1011: "internal error",
    1012: "restart",
    1013: "full",
    4400: "bad messages",
    4401: "wrong token",
    4408: "idle",
    4409: "taken over",
    4426: "version",
    4429: "rate",
}
"""What a close code of the server means."""
FOR_GOOD: Final = frozenset({1003, 1007, 1009, 4400, 4409, 4426})
"""Close codes after which another socket would end the same way, or take the session from who has it now."""
WRONG_TOKEN: Final = 4401


class LostError(ConnectionError):
    """The socket is gone. `code` is the server's close code, None where the connection just broke."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code

    @property
    def wrong_token(self) -> bool:
        """True where the server knows the session and not our token."""
        return self.code == WRONG_TOKEN


class RestoreError(ConnectionError):
    """The server lost the session, and it can't be made again there; the text says why. Begin another."""


def error_of(refusal: Refusal) -> HoverError:
    """Return the server's error as the exception of its code; a plain `HoverError` for a code that isn't known."""
    kinds = {kind.code: kind for kind in HoverError.__subclasses__()}
    error = kinds.get(refusal.code, HoverError)(refusal.message, retry_after_s=refusal.retry_after, seq=refusal.seq)
    error.code = refusal.code  # type: ignore[misc]  # a later server's code is told as it came
    return error


def closed_error(error: ConnectionClosed) -> LostError:
    """Return why the socket closed, with what to do."""
    frame = error.rcvd
    if frame is None:
        return LostError("the connection to the server was lost; connect again")
    reason = frame.reason or CLOSE_REASONS.get(frame.code, "no reason given")
    return LostError(f"the server closed the connection: {frame.code}, {reason}; connect again", frame.code)


def comes_back(reason: Exception) -> bool:
    """Return whether another socket may help after the one that ended like this."""
    if isinstance(reason, LostError):
        return reason.code not in FOR_GOOD
    if isinstance(reason, HoverError):
        return passes(reason) or reason.code in {"internal", "engine_failed"}
    return isinstance(reason, (ConnectionError, TimeoutError)) and not isinstance(reason, RestoreError)


def passes(error: Exception) -> bool:
    """Return whether the same may be asked again after a while."""
    return isinstance(error, (BusyError, RateLimitedError))
