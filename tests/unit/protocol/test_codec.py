from __future__ import annotations

import math
import struct
import tracemalloc
from typing import Any

import msgpack
import pytest

from app.errors import BadCoordError, BadMessageError
from app.protocol import messages
from app.protocol.codec import decode_client, decode_server, encode

HOVER: dict[str, Any] = {"t": "hover", "seq": 1, "x": 1.5, "y": 2.5}
BOX: dict[str, Any] = {"t": "box", "seq": 1, "box": [1.0, 2.0, 3.0, 4.0]}
OBJECT: dict[str, Any] = {
    "t": "object", "seq": 1, "id": 1, "name": "", "color": 0, "points": [[1.0, 2.0, 1]], "chosen": 0, "masks": [],
    "can_undo": True, "can_redo": False,
}  # fmt: skip


def packed(message: object) -> bytes:
    data = msgpack.packb(message)
    assert isinstance(data, bytes)
    return data


WRONG_COORDS = {
    "nan": (HOVER | {"x": math.nan}, "x"),
    "infinity": (HOVER | {"y": math.inf}, "y"),
    "minus infinity": (HOVER | {"y": -math.inf}, "y"),
    "1e308": (HOVER | {"x": 1e308}, "x"),
    "nan in a box": (BOX | {"box": [1.0, 2.0, math.nan, 4.0]}, "box"),
}

WRONG_VALUES = {
    "text as coordinate": (HOVER | {"x": "1"}, "hover can't be read: x: expected a number, got text"),
    "bool as coordinate": (HOVER | {"x": True}, "x: expected a number, got true or false"),
    "bool as seq": (HOVER | {"seq": True}, "seq: expected a whole number, got true or false"),
    "negative seq": (HOVER | {"seq": -1}, "seq: expected a whole number >= 0"),
    "seq of 2**63": (HOVER | {"seq": 2**63}, "seq: "),
    "fraction as seq": (HOVER | {"seq": 1.5}, "seq: expected a whole number, got a number"),
    "label 7": (HOVER | {"label": 7}, "label: expected a whole number <= 1"),
    "missing field": ({"t": "hover", "seq": 1, "x": 1.5}, "y is missing"),
    "unknown field": (HOVER | {"z": 1}, "z is no field that is known"),
    "unknown type": ({"t": "warp", "seq": 1}, "'warp'"),
    "a server's type": ({"t": "pong", "at": 1.0, "queue_ms": 1.0, "decode_ms": 1.0}, "'pong'"),
    "no type": ({"seq": 1}, "t is missing"),
    "box of three": (BOX | {"box": [1.0, 2.0, 3.0]}, "length 4"),
    "box of five": (BOX | {"box": [1.0, 2.0, 3.0, 4.0, 5.0]}, "length 4"),
    "open without a picture": ({"t": "open", "seq": 1}, "neither"),
    "open with two pictures": ({"t": "open", "seq": 1, "image_id": "a", "data": b"b"}, "both"),
    "text as picture": ({"t": "open", "seq": 1, "data": "b"}, "data: expected bytes, got text"),
    "a name too long": (
        {"t": "label", "seq": 1, "object": 1, "name": "n" * 257},
        "name: expected text of length <= 256",
    ),
    "too many objects": (
        {"t": "export", "seq": 1, "format": "coco", "objects": [1] * 4097},
        "objects: expected a list of length <= 4096",
    ),
    "a ground that is no color": (
        {"t": "export", "seq": 1, "format": "cutout", "options": {"ground": "white"}},
        "options.ground: expected a colour such as #ffffff",
    ),
    "unknown format": (
        {"t": "export", "seq": 1, "format": "psd"},
        "format: expected coco, cutout, labelme, mask, overlay, recipe, svg or yolo, got 'psd'",
    ),
    "a list": ([HOVER], "expected an object, got a list"),
    "a number": (5, "expected an object, got a whole number"),
    "nothing": (None, "got `None`"),
    "number keys": ({1: 2}, "key: expected text, got a whole number"),
}

HOSTILE_BYTES = {
    "empty": b"",
    "never used byte": b"\xc1",
    "trailing byte": packed(HOVER) + b"\x00",
    "cut": packed(HOVER)[:-1],
    "bad utf-8 key": b"\x81\xa2\xff\xfe\x01",
    "bad utf-8 type": b"\x81\xa1t\xa2\xff\xfe",
    "bad utf-8 name": b"\x84\xa1t\xa5label\xa3seq\x01\xa6object\x01\xa4name\xa2\xff\xfe",
    "500 levels": b"\x91" * 500 + b"\xc0",
    "1000 levels": b"\x91" * 1000 + b"\xc0",
    "million levels": b"\x91" * 1_000_000 + b"\xc0",
    "levels in the type": b"\x81\xa1t" + b"\x91" * 100_000 + b"\xc0",
    "levels in an unknown field": b"\x82\xa1t\xa5hover\xa1q" + b"\x91" * 100_000 + b"\xc0",
    "levels before the type": b"\x82\xa1q" + b"\x91" * 100_000 + b"\xc0" + b"\xa1t\xa5hover",
    "array of 2**32 - 1": b"\xdd\xff\xff\xff\xff",
    "map of 2**32 - 1": b"\xdf\xff\xff\xff\xff",
    "bytes of 2**32 - 1": b"\xc6\xff\xff\xff\xff",
    "text of 2**32 - 1": b"\xdb\xff\xff\xff\xff",
    "extension of 2**32 - 1": b"\xc9\xff\xff\xff\xff\x01",
    "picture of 2**32 - 1": b"\x83\xa1t\xa4open\xa3seq\x01\xa4data\xc6\xff\xff\xff\xff",
    "million nils": b"\xdd" + struct.pack("!I", 1_000_000) + b"\xc0" * 1_000_000,
    "million empty maps": b"\xdd" + struct.pack("!I", 1_000_000) + b"\x80" * 1_000_000,
    "timestamp": packed(msgpack.Timestamp(1, 1)),
}


@pytest.mark.parametrize(("message", "named"), WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_wrong_value_is_refused_by_name(message: object, named: str) -> None:
    with pytest.raises(BadMessageError) as caught:
        decode_client(packed(message))
    assert named in caught.value.message


@pytest.mark.parametrize(("message", "named"), WRONG_COORDS.values(), ids=WRONG_COORDS)
def test_a_coordinate_that_is_no_place_is_refused_as_one(message: object, named: str) -> None:
    with pytest.raises(BadCoordError) as caught:
        decode_client(packed(message))
    assert named in caught.value.message


@pytest.mark.parametrize(
    "message",
    [HOVER | {"label": 7}, HOVER | {"x": math.nan}, {"t": "warp"}, {"t": "open"}],
    ids=["label", "coordinate", "type", "open"],
)
def test_a_refusal_carries_the_seq_of_the_message(message: dict[str, Any]) -> None:
    with pytest.raises((BadMessageError, BadCoordError)) as caught:
        decode_client(packed(message | {"seq": 17}))
    assert caught.value.seq == 17


@pytest.mark.parametrize("data", HOSTILE_BYTES.values(), ids=HOSTILE_BYTES)
def test_hostile_bytes_are_refused_by_the_server(data: bytes) -> None:
    with pytest.raises(BadMessageError):
        decode_client(data)


@pytest.mark.parametrize("data", HOSTILE_BYTES.values(), ids=HOSTILE_BYTES)
def test_hostile_bytes_are_refused_by_the_client(data: bytes) -> None:
    with pytest.raises(BadMessageError):
        decode_server(data)


@pytest.mark.parametrize("data", HOSTILE_BYTES.values(), ids=HOSTILE_BYTES)
def test_hostile_bytes_take_no_memory_beyond_their_own(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadMessageError):
            decode_client(data)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_the_refusal_of_a_huge_name_is_short() -> None:
    with pytest.raises(BadMessageError) as caught:
        decode_client(packed({"t": "x" * 500_000}))
    assert len(caught.value.message) < 400


def test_whole_numbers_are_coordinates_too() -> None:
    assert decode_client(packed(HOVER | {"x": 320, "y": 200})) == messages.Hover(seq=1, x=320.0, y=200.0)


def test_a_nil_field_is_an_absent_field() -> None:
    assert decode_client(packed(HOVER | {"object": None})) == messages.Hover(seq=1, x=1.5, y=2.5)


def test_absent_fields_travel_as_nothing() -> None:
    assert encode(messages.Hover(seq=1, x=1.5, y=2.5)) == packed(HOVER)


def test_a_client_passes_over_what_a_later_server_adds() -> None:
    message = decode_server(packed(OBJECT | {"mood": "fine"}))
    assert isinstance(message, messages.Object)


@pytest.mark.parametrize("points", [[[math.nan, 1.0, 1]], [[1.0, 1.0, 2]], [[1.0, 1.0]], [[1.0, 1.0, 1]] * 4097])
def test_a_client_refuses_points_that_are_none(points: object) -> None:
    with pytest.raises(BadMessageError, match=r"^object can't be read: points"):
        decode_server(packed(OBJECT | {"points": points}))
