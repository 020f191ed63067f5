"""The golden bytes, read by msgpack's own library; msgspec reads them in test_messages, the page's code in tests/js."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgpack
import pytest

from app.errors import HoverError
from app.protocol import examples
from app.protocol.codec import encode
from app.protocol.messages import ClientMessage, ServerMessage
from tests.helpers.codes import codes_of

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent.parent / "golden" / "messages.json").read_text(encoding="utf-8")
)


def plain(value: Any) -> Any:
    """Return the golden file's form of what was read: bytes as {"$bin": hex}."""
    if isinstance(value, bytes):
        return {"$bin": value.hex()}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_msgpack_reads_what_the_golden_message_says(case: dict[str, Any]) -> None:
    assert plain(msgpack.unpackb(bytes.fromhex(case["hex"]))) == case["message"]


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["name"])
def test_msgpack_writes_the_golden_bytes(case: dict[str, Any]) -> None:
    message = msgpack.unpackb(bytes.fromhex(case["hex"]))
    assert msgpack.packb(message).hex() == case["hex"]


def test_no_error_code_lacks_golden_bytes() -> None:
    shown = {case["message"]["code"] for case in GOLDEN if case["message"]["t"] == "error"}
    assert shown == codes_of(HoverError)


@pytest.mark.parametrize(
    ("side", "message"),
    [("client", message) for message in examples.from_client()]
    + [("server", message) for message in examples.from_server()],
    ids=lambda part: part if isinstance(part, str) else type(part).__name__,
)
def test_a_documented_example_has_golden_bytes(side: str, message: ClientMessage | ServerMessage) -> None:
    assert encode(message).hex() in {case["hex"] for case in GOLDEN if case["from"] == side}
