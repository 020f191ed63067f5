"""What `/docs` says of the socket, taken from the message types themselves. Pure."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import inspect as kinds

from app.errors import HoverError
from app.protocol import examples
from app.protocol import messages as m
from app.protocol.codec import encode
from app.protocol.messages import ClientMessage, CloseCode, ServerMessage
from app.web.problems import rest_code

CLOSES: Final = {
    CloseCode.TEXT_FRAME: "a text frame came; every message is one binary frame",
    CloseCode.TOO_LARGE: "a message had more bytes than the server takes",
    CloseCode.RESTART: "the server restarts: connect again and resume",
    CloseCode.FULL: "all sessions are taken; the error before it says when to come again",
    CloseCode.BAD_MESSAGES: "too many bad messages in a row, or a first message that is no hello",
    CloseCode.WRONG_TOKEN: "the token doesn't belong to the session that was to be resumed",
    CloseCode.IDLE: "nothing came for longer than a session may be idle",
    CloseCode.TAKEN_OVER: "the session's owner opened a newer socket",
    CloseCode.VERSION: "the server doesn't speak this version of the protocol",
    CloseCode.RATE: "messages kept coming faster than allowed",
}
ANSWERS: Final = {
    "hello": "welcome; on resume also image, classes and every object; an empty gone where no picture is open",
    "open": "progress, then clip where it is one, image and classes; with a recipe also its objects, on a clip then "
    "masks; if it was provisional, all once more",
    "frame": "progress, then image and every object as it is there; or nothing where a newer one replaced it",
    "track": "the objects; then, again and again, masks and tracked, the last of which is marked",
    "stop": "the objects as far as they were followed, after the last tracked; with of an empty gone, and an error for "
    "what was given up",
    "hover": "preview, or nothing where a newer hover replaced it",
    "leave": "nothing",
    "look": "window, once that is encoded",
    "click": "object, after classes where its name is a new one",
    "box": "object, after classes where its name is a new one",
    "move": "object",
    "unpoint": "object or gone",
    "choose": "object",
    "label": "classes, where the name is a new one, and object",
    "give": "classes, where a name is a new one, and every new object",
    "combine": "object, and gone where others became part of it",
    "refine": "object",
    "paint": "object, after classes where its name is a new one",
    "morph": "object",
    "classes": "classes, then the objects whose colour is another",
    "rename": "classes, then the objects of that class",
    "delete": "gone",
    "clear": "gone",
    "undo": "the classes, objects and gone that restore the state",
    "redo": "the classes, objects and gone that restore the state",
    "model": "progress, image, classes, then every object, predicted again",
    "regions": "regions, several times, the last of which is marked",
    "export": "file, on a clip after progress",
    "ping": "pong, at once",
}
"""What a client may wait for, by the kind of its message; an error may come instead."""
FRAME_BYTES_SHOWN: Final = 120
"""Longer frames end in an ellipsis on the page."""


@dataclass(frozen=True)
class FieldDoc:
    """A field: what it holds, and what it is where it is left out."""

    name: str
    kind: str
    default: str


@dataclass(frozen=True)
class MessageDoc:
    """A message or value: `example` as JSON with bytes as `bin:HEX`, `frame` its bytes in hex."""

    name: str
    says: str
    fields: tuple[FieldDoc, ...]
    example: str
    frame: str
    nbytes: int
    answer: str


@dataclass(frozen=True)
class ErrorDoc:
    """An error of the one tree, over the socket and over HTTP."""

    code: str
    says: str
    status: int
    rest_code: str
    fatal: bool


def client_docs() -> tuple[MessageDoc, ...]:
    """Return what a client may send."""
    return tuple(map(message_doc, examples.from_client()))


def server_docs() -> tuple[MessageDoc, ...]:
    """Return what the server may send."""
    return tuple(map(message_doc, examples.from_server()))


def value_docs() -> tuple[MessageDoc, ...]:
    """Return the values inside of messages."""
    shown: tuple[Any, ...] = (
        examples.MASK,
        examples.REGION,
        examples.GIVEN,
        examples.TRACK,
        examples.CLASS,
        examples.welcome().models[0],
        examples.welcome().limits,
    )
    return tuple(described(type(value).__name__, value, b"") for value in shown)


def error_docs() -> tuple[ErrorDoc, ...]:
    """Return every error that a client may be told."""
    told = [
        ErrorDoc(kind.code, first_line(kind), kind.http_status, rest_code(kind), kind.fatal)
        for kind in HoverError.__subclasses__()
    ]
    bug = ErrorDoc(HoverError.code, "The server made a mistake; its log says which.", 500, "MODEL_ERROR", fatal=True)
    return (*told, bug)


def message_doc(message: ClientMessage | ServerMessage) -> MessageDoc:
    """Return what is said of a message of this kind."""
    return described(str(message.__struct_config__.tag), message, encode(message))


def described(name: str, value: msgspec.Struct, data: bytes) -> MessageDoc:
    """Return what is said of a value, with the bytes of its frame where it is a whole message."""
    shown, more = data[:FRAME_BYTES_SHOWN], " ..." if len(data) > FRAME_BYTES_SHOWN else ""
    return MessageDoc(
        name=name,
        says=first_line(type(value)),
        fields=fields_of(type(value)),
        example=notation(value),
        frame=shown.hex(" ") + more,
        nbytes=len(data),
        answer=ANSWERS.get(name, ""),
    )


def first_line(kind: type) -> str:
    """Return the first paragraph of a class's docstring, on one line."""
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def fields_of(kind: type[msgspec.Struct]) -> tuple[FieldDoc, ...]:
    """Return a record's fields; the tag of a message isn't one."""
    info = kinds.type_info(kind)
    if not isinstance(info, kinds.StructType):
        raise TypeError(f"expected a record, got {kind}")
    return tuple(FieldDoc(field.encode_name, words(field.type), default_of(field)) for field in info.fields)


def default_of(field: kinds.Field) -> str:
    """Return what a field is where it is left out; nothing where it may not be."""
    if field.required:
        return ""
    return "absent" if field.default is None else repr(field.default)


def words(kind: kinds.Type) -> str:  # noqa: PLR0911
    """Return a field's type and bounds in a few words."""
    if isinstance(kind, kinds.Metadata):
        return words(kind.type)
    if isinstance(kind, kinds.UnionType):
        return " or ".join(words(each) for each in kind.types if not isinstance(each, kinds.NoneType))
    if isinstance(kind, (kinds.IntType, kinds.FloatType)):
        return ("integer" if isinstance(kind, kinds.IntType) else "number") + bounds(kind.ge, kind.le)
    if isinstance(kind, (kinds.StrType, kinds.BytesType)):
        noun, unit = ("text", "characters") if isinstance(kind, kinds.StrType) else ("bin", "bytes")
        return noun + (f", at most {kind.max_length:,} {unit}" if kind.max_length else "")
    if isinstance(kind, kinds.LiteralType):
        return "one of " + ", ".join(map(str, kind.values))
    if isinstance(kind, kinds.TupleType):
        return "[" + "; ".join(words(each) for each in kind.item_types) + "]"
    if isinstance(kind, kinds.VarTupleType):
        return f"array of {words(kind.item_type)}" + (f"; at most {kind.max_length:,}" if kind.max_length else "")
    return kind.cls.__name__ if isinstance(kind, kinds.StructType) else "true or false"


def bounds(least: float | None, most: float | None) -> str:
    """Return a number's range, `2^53 - 1` for what has too many digits to read."""
    if least is None or most is None:
        return "" if least is None else f", {least:,} or more"
    top = next((f"2^{bits} - 1" for bits in (16, 31, 53, 63) if most == 2**bits - 1), f"{most:,.0f}")
    return f", {least:,.0f} to {top}"


def notation(value: msgspec.Struct) -> str:
    """Return a record as JSON for people; bytes become `bin:HEX`."""
    plain = msgspec.to_builtins(value, builtin_types=(bytes,))
    return json.dumps(plain, default=lambda data: f"bin:{data.hex()}", ensure_ascii=False)


def socket_docs() -> dict[str, object]:
    """Return all that the page says of the socket."""
    return {
        "version": m.PROTOCOL_VERSION,
        "subprotocol": m.SUBPROTOCOL,
        "client": client_docs(),
        "server": server_docs(),
        "values": value_docs(),
        "errors": error_docs(),
        "closes": [(code.value, says) for code, says in CLOSES.items()],
    }
