"""Messages to msgpack bytes and back, with `msgpack` alone.

A message to the server is a plain map, `{"t": "click", "seq": 7, "x": 320.0, "y": 200.0}`, as the protocol writes
it; one from the server becomes a value of `app.client.values`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgpack

from app.client.values import (
    File,
    Gone,
    Image,
    Limits,
    Mask,
    ModelInfo,
    Object,
    Pong,
    Preview,
    Progress,
    Refusal,
    Welcome,
)
from app.errors import BadMessageError

PROTOCOL_VERSION: Final = 1
SUBPROTOCOL: Final = "hoversam.v1"
MAX_FRAME_BYTES: Final = 64 * 2**20 + 2**16
"""The largest file that a server may export, and its message around it."""

Fields: TypeAlias = dict[str, Any]
"""A message to the server: `t` and its fields, None for what is left out."""
ExportFormat: TypeAlias = Literal["coco", "yolo", "labelme", "svg", "mask", "cutout", "overlay", "recipe"]
ServerMessage: TypeAlias = Welcome | Progress | Image | Preview | Object | Gone | File | Pong | Refusal

_KINDS: Final[Mapping[str, type[Any]]] = {
    "welcome": Welcome,
    "progress": Progress,
    "image": Image,
    "preview": Preview,
    "object": Object,
    "gone": Gone,
    "file": File,
    "pong": Pong,
    "error": Refusal,
}
_PARTS: Final[Mapping[str, tuple[str, type[Any]]]] = {
    "welcome": ("models", ModelInfo),
    "preview": ("masks", Mask),
    "object": ("masks", Mask),
}
"""Which field of a message is a list of which values."""
_OURS: Final = frozenset({"size_hw", "nbytes"})
"""Fields that the client adds to what came."""


def pack(message: Fields) -> bytes:
    """Return the message as one msgpack map, for one binary frame.

    Raises:
        BadMessageError: a value that msgpack can't carry, such as an integer of more than 64 bits.
    """
    try:
        data: bytes = msgpack.packb({name: value for name, value in message.items() if value is not None})
    except (OverflowError, TypeError, ValueError) as error:
        text = f"expected plain values in {message.get('t')}, got what can't be sent: {error}"
        raise BadMessageError(text) from error
    return data


def unpack(frame: str | bytes) -> ServerMessage:
    """Return the server's message in a frame. Fields that this client doesn't know are passed over.

    Raises:
        BadMessageError: a text frame, or bytes that are no message.
    """
    if isinstance(frame, str):
        raise BadMessageError("expected a binary frame, got a text frame; is this a HoverSAM server?")
    try:
        raw = msgpack.unpackb(frame, use_list=False)
        kind = raw["t"]
        if kind in _PARTS:
            name, part = _PARTS[kind]
            raw[name] = tuple(_value(part, each) for each in raw[name])
        if kind == "welcome":
            raw["limits"] = _value(Limits, raw["limits"])
        message: ServerMessage = _value(_KINDS[kind], raw)
    except Exception as error:  # msgpack's own tree, KeyError, TypeError: no message, whatever it is
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise BadMessageError(f"expected a message of the server, got {len(frame)} bytes ({reason})") from error
    return message


def _value(kind: type[Any], raw: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of the kind that is asked for
    return kind(**{name: raw[name] for name in _names(kind) if name in raw})


def _names(kind: type[Any]) -> list[str]:
    return [field.name for field in dataclasses.fields(kind) if field.name not in _OURS]
