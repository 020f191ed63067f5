"""From what the server said, or didn't, to an exception: its code's own class, with `retry_after_s`. Pure."""

from __future__ import annotations

from typing import Final

from websockets import ConnectionClosed

from app.errors import BusyError, HoverError, RateLimitedError
from app.protocol.messages import CloseCode, Error

GOING_AWAY: Final = 1001
INVALID_DATA: Final = 1007
INTERNAL_ERROR: Final = 1011
"""Close codes that any WebSocket may have, beside those of the protocol (`CloseCode`)."""
FOR_GOOD: Final = frozenset(
    {
        INVALID_DATA,
        CloseCode.TEXT_FRAME,
        CloseCode.TOO_LARGE,
        CloseCode.BAD_MESSAGES,
        CloseCode.TAKEN_OVER,
        CloseCode.VERSION,
    }
)
"""Close codes after which another socket would end the same way, or take the session from who has it now."""


class LostError(ConnectionError):
    """The socket is gone. `code` is the server's close code, None where the connection just broke."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code

    @property
    def wrong_token(self) -> bool:
        """True where the server knows the session and not our token."""
        return self.code == CloseCode.WRONG_TOKEN


class RestoreError(ConnectionError):
    """The server lost the session, and it can't be made again there; the text says why. Begin another."""


def error_of(message: Error) -> HoverError:
    """Return the server's error as the exception of its code; a plain `HoverError` for a code that isn't known."""
    kinds = {kind.code: kind for kind in HoverError.__subclasses__()}
    error = kinds.get(message.code, HoverError)(message.message, retry_after_s=message.retry_after, seq=message.seq)
    error.code = message.code  # type: ignore[misc]  # a later server's code is told as it came
    return error


def closed_error(error: ConnectionClosed) -> LostError:
    """Return why the socket closed, with what to do."""
    frame = error.rcvd
    if frame is None:
        return LostError("the connection to the server was lost; connect again")
    reason = frame.reason or reason_of(frame.code)
    return LostError(f"the server closed the connection: {frame.code}, {reason}; connect again", frame.code)


def reason_of(code: int) -> str:
    """Return what a close code means, in words."""
    if code in CloseCode.__members__.values():
        return CloseCode(code).name.lower().replace("_", " ")
    return {GOING_AWAY: "going away", INTERNAL_ERROR: "internal error"}.get(code, "no reason given")


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
