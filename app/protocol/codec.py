"""Messages to msgpack bytes and back. Knows no socket.

Whatever comes in, only `BadMessageError` and, for a number that is no place on any picture, `BadCoordError` come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from app.errors import BadCoordError, BadMessageError, HoverError
from app.protocol.fields import Seq
from app.protocol.messages import PROTOCOL_VERSION, ClientMessage, Open, ServerMessage
from app.protocol.values import Region

# Context: compiling the union of all messages takes about a millisecond, reading one a microsecond.
# Choice: compile once when the module is read; coders keep nothing between calls and are never written to.
# Price: a constant at module level that is an object of msgspec's and not a plain value.
_CLIENT_DECODER: Final[msgspec.msgpack.Decoder[ClientMessage]] = msgspec.msgpack.Decoder(ClientMessage)
_SERVER_DECODER: Final[msgspec.msgpack.Decoder[ServerMessage]] = msgspec.msgpack.Decoder(ServerMessage)
_ENCODER: Final = msgspec.msgpack.Encoder()

_COORD_PATH: Final = re.compile(r"Expected `float` [<>]=.*\$\.(x|y|box\[\.\.\.\]|box\[\d\])`?$")
"""How msgspec words a coordinate out of bounds; NaN and infinities are out of every bound."""

MAX_REGIONS_BYTES: Final = 4000
"""Of all regions of a picture: a few kilobytes go to the page, whatever is in it."""

_MAX_REASON_CHARS: Final = 200
"""A reason may repeat a name from the message, which a stranger may have made as long as the frame."""


def encode(message: ClientMessage | ServerMessage) -> bytes:
    """Return the message as one msgpack map, for one binary frame."""
    return _ENCODER.encode(message)


def fitting(regions: Iterable[Region]) -> tuple[Region, ...]:
    """Return the first regions that a message has room for, a smaller one in the place of one that is too large."""
    told, left = [], MAX_REGIONS_BYTES
    for region in regions:
        nbytes = len(_ENCODER.encode(region))
        if nbytes <= left:
            told.append(region)
            left -= nbytes
    return tuple(told)


def decode_client(data: bytes) -> ClientMessage:
    """Return the client's message.

    Raises:
        BadMessageError: the bytes are no message of the protocol; the text names what was expected and what came.
        BadCoordError: a coordinate is not finite, or far off any picture.

    Either carries the message's `seq` where it could be read.
    """
    try:
        message = _CLIENT_DECODER.decode(data)
    except Exception as error:  # msgspec's own tree, and RecursionError or UnicodeDecodeError from hostile bytes
        raise _refusal(data, error) from error
    if isinstance(message, Open) and (message.image_id is None) == (message.data is None):
        came = "neither" if message.data is None else "both"
        text = f"expected image_id or data in open, got {came}; send exactly one of them"
        raise BadMessageError(text, seq=message.seq)
    return message


def decode_server(data: bytes) -> ServerMessage:
    """Return the server's message.

    Raises:
        BadMessageError: the bytes are no message of the protocol; the server may speak another version.
    """
    try:
        return _SERVER_DECODER.decode(data)
    except Exception as error:  # as above
        raise _refusal(data, error) from error


class _Numbered(msgspec.Struct):
    """The one field that is read of a message that is otherwise wrong."""

    seq: Seq | None = None


def _seq_of(data: bytes) -> int | None:
    try:
        return msgspec.msgpack.decode(data, type=_Numbered).seq
    except Exception:  # the bytes are not even a map
        return None


def _refusal(data: bytes, error: Exception) -> HoverError:
    # The message itself is never shown: it may be deep enough to break repr, or hold what nobody should log.
    reason = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    if len(reason) > _MAX_REASON_CHARS:
        reason = reason[:_MAX_REASON_CHARS] + "..."
    if isinstance(error, msgspec.ValidationError) and _COORD_PATH.search(reason):
        return BadCoordError(f"expected finite pixels of the picture: {reason}", seq=_seq_of(data))
    text = f"expected a message of protocol version {PROTOCOL_VERSION}, got {len(data)} bytes that are none: {reason}"
    return BadMessageError(text, seq=_seq_of(data))
