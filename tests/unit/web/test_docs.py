"""What the documentation says is what the types say, and its examples are what the programs send."""

from __future__ import annotations

import shlex
from typing import Annotated, Any, get_args

import msgspec
import pytest
from msgspec import inspect as kinds

from app.errors import HoverError
from app.protocol import examples
from app.protocol.codec import decode_client, decode_server, encode
from app.protocol.messages import ClientMessage, CloseCode, ServerMessage
from app.web.docs import commands, inputs, kind_of, operation_docs
from app.web.examples import HEALTH, SEGMENT_REQUESTS, SEGMENTED, UPLOADED
from app.web.health import Health
from app.web.segment import Segmented, SegmentRequest
from app.web.socket_docs import (
    ANSWERS,
    CLOSES,
    client_docs,
    error_docs,
    notation,
    server_docs,
    words,
)
from app.web.uploads import Uploaded
from tests.helpers.codes import codes_of
from tests.helpers.tags import tag_of

NAMES_OF_CLIENT = {tag_of(kind) for kind in get_args(ClientMessage)}
NAMES_OF_SERVER = {tag_of(kind) for kind in get_args(ServerMessage)}


def test_every_message_is_described_once() -> None:
    assert sorted(doc.name for doc in client_docs()) == sorted(NAMES_OF_CLIENT)
    assert sorted(doc.name for doc in server_docs()) == sorted(NAMES_OF_SERVER)


def test_every_message_of_a_client_says_what_answers_it() -> None:
    assert set(ANSWERS) == NAMES_OF_CLIENT


@pytest.mark.parametrize(
    ("doc", "union"),
    [*((doc, ClientMessage) for doc in client_docs()), *((doc, ServerMessage) for doc in server_docs())],
    ids=lambda part: getattr(part, "name", ""),
)
def test_a_description_names_every_field_and_has_words_for_it(doc: Any, union: Any) -> None:
    kind = {tag_of(each): each for each in get_args(union)}[doc.name]
    assert [field.name for field in doc.fields] == [field.encode_name for field in msgspec.structs.fields(kind)]
    assert doc.says
    assert all(field.kind for field in doc.fields)


@pytest.mark.parametrize("message", examples.from_client(), ids=lambda message: type(message).__name__)
def test_a_clients_example_is_a_message(message: ClientMessage) -> None:
    assert decode_client(encode(message)) == message


@pytest.mark.parametrize("message", examples.from_server(), ids=lambda message: type(message).__name__)
def test_a_servers_example_is_a_message(message: ServerMessage) -> None:
    assert decode_server(encode(message)) == message


def test_every_error_and_every_close_is_described() -> None:
    assert {doc.code for doc in error_docs()} == codes_of(HoverError)
    assert set(CLOSES) == set(CloseCode)


def test_bytes_are_shown_in_hex() -> None:
    assert '"runs": "bin:000301"' in notation(examples.MASK)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (int, "integer"),
        (msgspec.Meta(ge=0), "integer, 0 or more"),
        (msgspec.Meta(ge=0, le=2**53 - 1), "integer, 0 to 2^53 - 1"),
        (msgspec.Meta(ge=-10, le=1000), "integer, -10 to 1,000"),
    ],
    ids=str,
)
def test_bounds_are_put_into_words(kind: Any, expected: str) -> None:
    annotated = Annotated[int, kind] if isinstance(kind, msgspec.Meta) else kind
    assert words(kinds.type_info(annotated)) == expected


@pytest.mark.parametrize("example", SEGMENT_REQUESTS, ids=lambda example: example.summary)
def test_a_documented_request_is_one(example: Any) -> None:
    assert msgspec.convert(example.value, SegmentRequest).image_id == UPLOADED["image_id"]


@pytest.mark.parametrize(("example", "kind"), [(SEGMENTED, Segmented), (UPLOADED, Uploaded), (HEALTH, Health)])
def test_a_documented_reply_is_one(example: Any, kind: Any) -> None:
    assert msgspec.json.decode(msgspec.json.encode(msgspec.convert(example, kind))) == example


def test_the_documented_mask_agrees_with_itself() -> None:
    (mask,) = msgspec.convert(SEGMENTED, Segmented).masks
    drawn = "".join(str(index % 2) * count for index, count in enumerate(mask.rle.counts))
    assert drawn == "0110" + "0100" + "0000"
    assert (mask.area, mask.bbox) == (3, (1, 0, 2, 1))


SCHEMA: dict[str, Any] = {
    "paths": {
        "/thing": {
            "post": {
                "operationId": "thing",
                "description": "One.\n\nTwo `x`.",
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                },
                "responses": {"200": {"description": "done", "content": {"text/plain": {"schema": {}}}}},
            }
        }
    },
    "components": {
        "schemas": {
            "Thing": {
                "title": "Thing",
                "properties": {
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                    "box": {"oneOf": [{"type": "array", "prefixItems": [{"type": "number"}] * 2}, {"type": "null"}]},
                    "format": {"type": "string", "enum": ["a", "b"], "description": "how"},
                },
                "required": ["parts"],
                "examples": [{"parts": [{"x": "it's"}]}],
            },
            "Part": {"title": "Part", "properties": {"x": {"type": "string"}}, "required": ["x"]},
        }
    },
}


def test_fields_of_a_request_are_listed_with_those_inside_them() -> None:
    listed = [(doc.name, doc.kind, doc.required, doc.says) for doc in inputs(SCHEMA, {"$ref": "#/x/Thing"})]
    assert listed == [
        ("parts", "array of Part", True, ""),
        ("parts[].x", "string", True, ""),
        ("box", "[number, number]", False, ""),
        ("format", "one of a, b", False, "how"),
    ]


def test_a_command_is_quoted_for_the_shell() -> None:
    (doc,) = operation_docs(SCHEMA, "http://host")
    (command,) = doc.commands
    assert shlex.split(command)[-1] == '{"parts": [{"x": "it\'s"}]}'
    assert (doc.method, doc.path, doc.paragraphs) == ("POST", "/thing", ("One.", "Two `x`."))


def test_a_file_is_sent_as_a_form() -> None:
    assert list(commands(SCHEMA, "http://host/up", "multipart/form-data", {"schema": {}})) == [
        "curl http://host/up -F file=@static/samples/cat.jpg"
    ]


def test_a_kind_without_a_name_is_any() -> None:
    assert kind_of(SCHEMA, {}) == "any"
