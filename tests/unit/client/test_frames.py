"""The client's frames are the protocol's, and reading them takes little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from app.client.errors import reason_of
from app.client.frames import frame_of, message_in
from app.errors import BadMessageError
from app.protocol import messages as m
from tests.helpers.tags import tag_of

ROOT = Path(__file__).parents[3]
GOLDEN: list[dict[str, Any]] = json.loads((ROOT / "tests" / "golden" / "messages.json").read_text())


@pytest.mark.parametrize("case", [c for c in GOLDEN if c["from"] == "server"], ids=lambda case: case["name"])
def test_the_servers_bytes_are_read(case: dict[str, Any]) -> None:
    assert tag_of(type(message_in(bytes.fromhex(case["hex"])))) == case["message"]["t"]


@pytest.mark.parametrize("value", [2**70, "half \ud800", object()], ids=["too large", "half a character", "an object"])
def test_what_cannot_be_sent_is_refused_before_it_is(value: Any) -> None:
    with pytest.raises(BadMessageError, match="plain values in label"):
        frame_of(m.Label(seq=1, object=1, name=value))


def test_numbers_of_numpy_are_numbers() -> None:
    odd = m.Box(seq=1, box=np.array([1.5, 2, 30, 40]), object=np.int64(7))  # type: ignore[arg-type]
    assert frame_of(odd) == frame_of(m.Box(seq=1, box=(1.5, 2.0, 30.0, 40.0), object=7))
    assert frame_of(m.Click(seq=1, x=np.float64(2.5), y=np.float32(0.5))) == frame_of(m.Click(seq=1, x=2.5, y=0.5))  # type: ignore[arg-type]


def test_a_message_longer_than_the_server_takes_is_refused_before_it_costs_the_socket() -> None:
    message = m.Label(seq=1, object=1, name="cat")
    assert frame_of(message, len(frame_of(message))) == frame_of(message)
    with pytest.raises(BadMessageError, match=r"at most 20 bytes, this label has \d+; send less"):
        frame_of(message, 20)


@pytest.mark.parametrize(
    "frame",
    ["text", b"", b"\xc1", *map(msgpack.packb, ({"seq": 1}, {"t": "gone"}, {"t": "sunrise"})), b"\x01"],
)
def test_what_is_no_message_is_refused(frame: str | bytes) -> None:
    with pytest.raises(BadMessageError):
        message_in(frame)


def test_a_field_of_a_later_server_is_passed_over() -> None:
    frame = msgpack.packb({"t": "pong", "at": 1.0, "queue_ms": 0.0, "decode_ms": 0.0, "mood": "sunny"})
    assert message_in(frame) == m.Pong(at=1.0, queue_ms=0.0, decode_ms=0.0)


def test_every_close_code_of_the_protocol_has_its_words() -> None:
    assert reason_of(m.CloseCode.TAKEN_OVER) == "taken over"
    assert all(reason_of(code) != "no reason given" for code in m.CloseCode)
    assert reason_of(4999) == "no reason given"


LOADED = """
import sys
from pathlib import Path
before = set(sys.modules)
import app.client
files = [Path(module.__file__) for name, module in sys.modules.items()
         if name not in before and getattr(module, "__file__", None)]
print(*{file.parts[file.parts.index("site-packages") + 1] for file in files if "site-packages" in file.parts})
print(*{name for name in sys.modules if name.startswith("app.")})
"""


def test_importing_the_client_needs_msgspec_and_websockets_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )  # fmt: skip
    theirs, ours = (set(line.split()) for line in done.stdout.splitlines())
    optional = {
        "python_socks",
        "typing_extensions.py",
    }  # which websockets and msgspec take where they happen to be there
    assert theirs - optional == {"msgspec", "websockets"}
    assert {name.split(".")[1] for name in ours} == {"client", "errors", "protocol", "wording"}
