"""How a connection ends: why, and with which code."""

from __future__ import annotations

from app.errors import BadVersionError, BusyError, HoverError
from app.protocol.messages import CloseCode, Error


class ClosedError(Exception):
    """The socket is to be closed with a code and a short reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def error_message(error: HoverError, seq: int | None, *, fatal: bool = False) -> Error:
    """Return an error as the client is told it."""
    return Error(
        seq=seq,
        code=error.code,
        message=error.message,
        fatal=fatal or error.fatal,
        retry_after=error.retry_after_s,
        reason=error.reason.key if error.reason else None,
        values=dict(error.reason.values) if error.reason else None,
    )


def close_code(error: HoverError) -> CloseCode:
    """Return the code that closes the socket after a hello that was refused."""
    if isinstance(error, BadVersionError):
        return CloseCode.VERSION
    return CloseCode.FULL if isinstance(error, BusyError) else CloseCode.BAD_MESSAGES
