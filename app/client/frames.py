"""Messages to frames and back, with the client's own words for what can't be one."""

from __future__ import annotations

from app.errors import BadMessageError
from app.protocol.codec import decode_server, encode
from app.protocol.messages import ClientMessage, ServerMessage


def frame_of(message: ClientMessage) -> bytes:
    """Return a message as one binary frame.

    Raises:
        BadMessageError: a value can't be sent, such as an integer of more than 64 bits or half a character.
    """
    try:
        return encode(message)
    except (OverflowError, TypeError, ValueError) as error:
        text = f"expected plain values in {type(message).__name__.lower()}, got what can't be sent: {error}"
        raise BadMessageError(text) from error


def message_in(frame: str | bytes) -> ServerMessage:
    """Return the server's message in a frame. Fields that this client doesn't know are passed over.

    Raises:
        BadMessageError: a text frame, or bytes that are no message.
    """
    if isinstance(frame, str):
        raise BadMessageError("expected a binary frame, got a text frame; is this a HoverSAM server?")
    return decode_server(frame)
