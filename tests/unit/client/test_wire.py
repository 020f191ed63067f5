"""The client's own reading and writing of the wire, held against the protocol's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.arrays import MaskArray
from app.client import values
from app.client.errors import CLOSE_REASONS
from app.client.masks import decode_mask
from app.client.wire import PROTOCOL_VERSION, SUBPROTOCOL, pack, unpack
from app.errors import BadMessageError
from app.protocol import messages as m
from app.protocol.codec import decode_client
from app.protocol.run_lengths import encode_mask

ROOT = Path(__file__).parents[3]
GOLDEN: list[dict[str, Any]] = json.loads((ROOT / "tests" / "golden" / "messages.json").read_text())


def with_bytes(value: Any) -> Any:
    """Return a golden message with its bytes as bytes."""
    if isinstance(value, dict):
        return bytes.fromhex(value["$bin"]) if set(value) == {"$bin"} else {k: with_bytes(v) for k, v in value.items()}
    return tuple(with_bytes(each) for each in value) if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """Return a value of the client as the map that it came from."""
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    if hasattr(value, "__dataclass_fields__"):
        fields = value.__dataclass_fields__.items()
        return {n: plain(getattr(value, n)) for n, field in fields if getattr(value, n) != field.default}
    return value


def told_part(came: Any, told: Any) -> Any:
    """Return what came without the fields that the message left to their defaults."""
    if isinstance(told, dict):
        return {name: told_part(came[name], value) for name, value in told.items()}
    if isinstance(told, tuple):
        return tuple(told_part(one, other) for one, other in zip(came, told, strict=True))
    return came


@pytest.mark.parametrize("case", [c for c in GOLDEN if c["from"] == "server"], ids=lambda case: case["name"])
def test_the_servers_bytes_are_read_as_what_they_say(case: dict[str, Any]) -> None:
    came = plain(unpack(bytes.fromhex(case["hex"])))
    expected = {name: value for name, value in with_bytes(case["message"]).items() if name != "t"}
    assert told_part(came, expected) == expected


@pytest.mark.parametrize("case", [c for c in GOLDEN if c["from"] == "client"], ids=lambda case: case["name"])
def test_the_client_writes_what_the_server_reads(case: dict[str, Any]) -> None:
    message = with_bytes(case["message"])
    assert decode_client(pack(message)) == decode_client(bytes.fromhex(case["hex"]))


def test_what_is_none_is_left_out() -> None:
    assert pack({"t": "undo", "seq": 1, "object": None}) == pack({"t": "undo", "seq": 1})


def test_the_constants_are_the_protocols() -> None:
    assert (PROTOCOL_VERSION, SUBPROTOCOL) == (m.PROTOCOL_VERSION, m.SUBPROTOCOL)
    assert {code.value for code in m.CloseCode} <= CLOSE_REASONS.keys()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(values.Welcome, m.Welcome), (values.Progress, m.Progress), (values.Image, m.Image), (values.Preview, m.Preview),
     (values.Object, m.Object), (values.Gone, m.Gone), (values.File, m.File), (values.Pong, m.Pong),
     (values.Refusal, m.Error), (values.Mask, m.Mask), (values.Limits, m.Limits), (values.ModelInfo, m.ModelInfo)],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_no_field_of_the_protocol_is_missing(ours: Any, theirs: Any) -> None:
    assert set(theirs.__struct_fields__) == set(ours.__dataclass_fields__) - {"size_hw", "nbytes"}


@pytest.mark.parametrize(
    "frame", ["text", b"", b"\xc1", pack({"seq": 1}), pack({"t": "gone"}), pack({"t": "sunrise"}), b"\x01"]
)
def test_what_is_no_message_is_refused(frame: str | bytes) -> None:
    with pytest.raises(BadMessageError):
        unpack(frame)


def test_a_field_of_a_later_server_is_passed_over() -> None:
    assert unpack(pack({"t": "pong", "at": 1.0, "queue_ms": 0.0, "decode_ms": 0.0, "mood": "sunny"})) == values.Pong(
        1.0, 0.0, 0.0
    )  # fmt: skip


@given(arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_the_client_reads_every_mask_that_the_server_writes(mask_hw: MaskArray) -> None:
    sent = encode_mask(mask_hw, score=0.5)
    read = decode_mask(values.Mask(sent.size, sent.box, sent.runs, sent.score, sent.area))
    np.testing.assert_array_equal(read, mask_hw)


@pytest.mark.parametrize(
    ("box", "runs"),
    [
        ((0, 0, 9, 1), b"\x09"),
        ((0, 0, 2, 2), b"\x03"),
        ((0, 0, 1, 1), b"\x81"),
        ((0, 0, 1, 1), b"\x81\x80\x80\x80\x00"),
    ],
    ids=["box leaves the grid", "runs too short", "cut varint", "long varint"],
)
def test_a_mask_that_is_none_is_refused(box: tuple[int, int, int, int], runs: bytes) -> None:
    with pytest.raises(BadMessageError):
        decode_mask(values.Mask((4, 4), box, runs, 0.5, 0))


LOADED = """
import sys, sysconfig
from pathlib import Path
before = set(sys.modules)
import app.client
site = Path(sysconfig.get_path("purelib"))
files = [Path(module.__file__) for name, module in sys.modules.items()
         if name not in before and getattr(module, "__file__", None)]
print(*{file.relative_to(site).parts[0] for file in files if site in file.parents})
print(*{name for name in sys.modules if name.startswith("app.")})
"""


def test_importing_the_client_needs_msgpack_and_websockets_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )  # fmt: skip
    theirs, ours = (set(line.split()) for line in done.stdout.splitlines())
    optional = {"python_socks"}  # which websockets takes where it happens to be there
    assert theirs - optional == {"msgpack", "websockets"}
    assert {name for name in ours if not name.startswith("app.client")} == {"app.errors"}
