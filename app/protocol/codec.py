"""Messages to msgpack bytes and back. Knows no socket.

Whatever comes in, only `BadMessageError` and, for a number that is no place on any picture, `BadCoordError` come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, get_args

import msgspec

from app.errors import BadCoordError, BadMessageError, HoverError
from app.protocol.fields import Seq
from app.protocol.messages import PROTOCOL_VERSION, ClientMessage, Open, ServerMessage
from app.protocol.values import Region
from app.wording import in_words

# Context: compiling the union of all messages takes about a millisecond, reading one a microsecond.
# Choice: compile once when the module is read; coders keep nothing between calls and are never written to.
# Price: a constant at module level that is an object of msgspec's and not a plain value.
_CLIENT_DECODER: Final[msgspec.msgpack.Decoder[ClientMessage]] = msgspec.msgpack.Decoder(ClientMessage)
_SERVER_DECODER: Final[msgspec.msgpack.Decoder[ServerMessage]] = msgspec.msgpack.Decoder(ServerMessage)


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a caller of the client has
    """Return a number or an array of NumPy's, or of its kin, as plain values.

    Raises:
        TypeError: it is of another kind.
    """
    if not hasattr(value, "tolist"):
        raise TypeError(f"a value of type {type(value).__name__}")
    return value.tolist()


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=plain)

_COORD_PATH: Final = re.compile(r"Expected `float` [<>]=.*\$\.(x|y|box\[\.\.\.\]|box\[\d\])`?$")
"""How msgspec words a coordinate out of bounds; NaN and infinities are out of every bound."""

MAX_REGIONS_BYTES: Final = 4000
"""Of all regions of a picture: a few kilobytes go to the page, whatever is in it."""

_MAX_REASON_CHARS: Final = 300
"""A reason may repeat a name from the message, which a stranger may have made as long as the frame."""


def encode(message: ClientMessage | ServerMessage) -> bytes:
    """Return the message as one msgpack map, for one binary frame; arrays and numbers of NumPy's go as plain ones.

    Raises:
        TypeError, OverflowError, ValueError: a value can't be packed, such as an integer of more than 64 bits.
    """
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
        raise _refusal(data, error, ClientMessage) from error
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
        raise _refusal(data, error, ServerMessage) from error


class _Numbered(msgspec.Struct):
    """One field that is read of a message that is otherwise wrong."""

    seq: Seq | None = None


class _Tagged(msgspec.Struct):
    """The other one."""

    t: str = ""


def _seq_of(data: bytes) -> int | None:
    try:
        return msgspec.msgpack.decode(data, type=_Numbered).seq
    except Exception:  # the bytes are not even a map
        return None


def _kind_of(data: bytes, messages: object) -> type[ClientMessage | ServerMessage] | None:
    """Return which of a union of messages the bytes are meant to be, None where that can't be told."""
    try:
        tag = msgspec.msgpack.decode(data, type=_Tagged).t
    except Exception:  # as above
        return None
    return next((each for each in get_args(messages) if each.__struct_config__.tag == tag), None)


def _refusal(data: bytes, error: Exception, messages: object) -> HoverError:
    # The message itself is never shown: it may be deep enough to break repr, or hold what nobody should log.
    kind = _kind_of(data, messages)
    reason = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
    is_out_of_bounds = isinstance(error, msgspec.ValidationError) and _COORD_PATH.search(reason)
    if isinstance(error, msgspec.ValidationError):
        reason = in_words(reason, kind)  # the union of all would take milliseconds to look at
    if len(reason) > _MAX_REASON_CHARS:
        reason = reason[:_MAX_REASON_CHARS] + "..."
    if is_out_of_bounds:
        return BadCoordError(f"expected finite pixels of the picture: {reason}", seq=_seq_of(data))
    if kind is not None:
        return BadMessageError(f"{kind.__struct_config__.tag} can't be read: {reason}", seq=_seq_of(data))
    text = f"expected a message of protocol version {PROTOCOL_VERSION}, got {len(data)} bytes that are none: {reason}"
    return BadMessageError(text, seq=_seq_of(data))
