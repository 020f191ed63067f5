"""Messages to frames and back, with the client's own words for what can't be one."""

from __future__ import annotations

from app.errors import BadMessageError
from app.protocol.codec import decode_server, encode
from app.protocol.messages import ClientMessage, ServerMessage


def frame_of(message: ClientMessage, max_bytes: int | None = None) -> bytes:
    """Return a message as one binary frame.

    Args:
        message: to the server.
        max_bytes: of one message, as the server's welcome has it: for a longer one it would close the socket.

    Raises:
        BadMessageError: a value can't be sent, such as an integer of more than 64 bits or half a character, or the
            message is longer than the server takes.
    """
    kind = type(message).__name__.lower()
    try:
        frame = encode(message)
    except (OverflowError, TypeError, ValueError) as error:
        raise BadMessageError(f"expected plain values in {kind}, got what can't be sent: {error}") from error
    if max_bytes is not None and len(frame) > max_bytes:
        raise BadMessageError(
            f"a message takes at most {max_bytes} bytes, this {kind} has {len(frame)}; send less at once"
        )
    return frame


def message_in(frame: str | bytes) -> ServerMessage:
    """Return the server's message in a frame. Fields that this client doesn't know are passed over.

    Raises:
        BadMessageError: a text frame, or bytes that are no message.
    """
    if isinstance(frame, str):
        raise BadMessageError("expected a binary frame, got a text frame; is this a HoverSAM server?")
    return decode_server(frame)
