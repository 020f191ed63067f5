from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from app.protocol import messages
from app.protocol.codec import decode_client, decode_server, encode
from app.protocol.messages import ClientMessage, CloseCode, ServerMessage
from tests.helpers.tags import tag_of

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent.parent / "golden" / "messages.json").read_text(encoding="utf-8")
)


def plain(value: Any) -> Any:
    """Return the golden file's form of a message: bytes as {"$bin": hex}, tuples as lists."""
    if isinstance(value, bytes):
        return {"$bin": value.hex()}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def decoded(case: dict[str, Any]) -> ClientMessage | ServerMessage:
    data = bytes.fromhex(case["hex"])
    return decode_client(data) if case["from"] == "client" else decode_server(data)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_every_message_has_its_golden_bytes(case: dict[str, Any]) -> None:
    assert encode(decoded(case)).hex() == case["hex"]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_golden_bytes_say_what_the_golden_message_says(case: dict[str, Any]) -> None:
    message = decoded(case)
    assert plain(msgspec.to_builtins(message, builtin_types=(bytes,))) == case["message"]


@pytest.mark.parametrize(("side", "union"), [("client", ClientMessage), ("server", ServerMessage)])
def test_no_message_lacks_a_golden_example(side: str, union: Any) -> None:
    shown = {case["message"]["t"] for case in GOLDEN if case["from"] == side}
    assert shown == {tag_of(kind) for kind in get_args(union)}


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_messages_are_values(case: dict[str, Any]) -> None:
    message = decoded(case)
    assert message == decoded(case)
    with pytest.raises(AttributeError):
        message.version = 2  # type: ignore[union-attr, misc]


def test_a_hover_of_five_small_fields_stays_under_a_hundred_bytes() -> None:
    hover = messages.Hover(seq=100_000, x=1234.5, y=987.25, label=0, object=3, ack=99_999)
    assert len(encode(hover)) < 100


def test_close_codes_are_the_contracts() -> None:
    assert {code.value for code in CloseCode} == {1003, 1009, 1012, 1013, 4400, 4401, 4408, 4409, 4426, 4429}


def test_version_and_subprotocol_agree() -> None:
    assert f"hoversam.v{messages.PROTOCOL_VERSION}" == messages.SUBPROTOCOL
