"""Bytes that no honest client sends: each is refused at once, in little memory, and others notice nothing."""

from __future__ import annotations

import asyncio
import functools
import struct
import time
import tracemalloc
import zlib

import pytest

from app.errors import BadCoordError, BadMessageError
from app.protocol import messages as m
from app.protocol.codec import decode_client, encode
from app.protocol.messages import CloseCode
from tests.helpers.load import SOAKS
from tests.helpers.observed import Fault, Observed, holds
from tests.helpers.raw_socket import Raw, frame, handshake

pytestmark = pytest.mark.anyio
HOVER = encode(m.Hover(seq=1, x=1.5, y=2.5))
QUICK_S = 0.5
"""A hundred times what the slowest takes."""
LITTLE_BYTES = 2**20

HOSTILE = {
    "500 arrays in each other": b"\x91" * 500 + b"\xc0",
    "1000 arrays in each other": b"\x91" * 1000 + b"\xc0",
    "100000 arrays in each other": b"\x91" * 100_000 + b"\xc0",
    "100000 arrays in a field": b"\x81\xa1t" + b"\x91" * 100_000 + b"\xc0",
    "100000 maps in an unknown field": b"\x82\xa1t\xa5hover\xa1q" + b"\x81\xa1a" * 100_000 + b"\xc0",
    "an array of 2^32 - 1": b"\xdd\xff\xff\xff\xff",
    "a map of 2^32 - 1": b"\xdf\xff\xff\xff\xff",
    "a bin of 2^32 - 1": b"\xc6\xff\xff\xff\xff",
    "an ext of 2^32 - 1": b"\xc9\xff\xff\xff\xff\x01",
    "a str of 2^32 - 1": b"\xdb\xff\xff\xff\xff",
    "100000 empty maps": b"\xdd" + struct.pack("!I", 100_000) + b"\x80" * 100_000,
    "100000 ids to export": b"\x84\xa1t\xa6export\xa3seq\x01\xa6format\xa4coco\xa7objects\xdd"
    + struct.pack("!I", 100_000)
    + b"\x01" * 100_000,
    "a timestamp": b"\xd6\xff\x00\x00\x00\x01",
    "a byte too many": HOVER + b"\x00",
    "a byte too few": HOVER[:-1],
    "no UTF-8": b"\x81\xa1t\xa2\xff\xfe",
    "nothing": b"",
    "0xc1": b"\xc1",
    "keys that are numbers": b"\x81\x01\x02",
    "a name that is too long": encode(m.Label(seq=1, object=1, name="x" * 257)),
    "a name of half a megabyte": encode(m.Label(seq=1, object=1, name="x" * 500_000)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_it_is_refused_at_once_and_takes_no_memory(data: bytes) -> None:
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises((BadMessageError, BadCoordError)) as raised:
        decode_client(data)
    took_s, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took_s < QUICK_S
    assert peak < LITTLE_BYTES + 2 * len(data)
    assert len(raised.value.message) < 500


async def closes_with(raw: Raw, code: int) -> None:
    async for kind, payload in raw.frames():
        if kind == 8:
            assert int.from_bytes(payload[:2], "big") == code
            return
    # What was sent and never read makes the kernel answer with a reset, which may overtake the close frame.


async def says_everything_hostile(server: Observed) -> None:
    async with Raw(server.url) as raw:
        await handshake(raw)
        raw.write(frame(encode(m.Hello(version=1))) + b"".join(frame(data) for data in HOSTILE.values()))
        await closes_with(raw, CloseCode.BAD_MESSAGES)


async def declares_a_terabyte(server: Observed) -> None:
    async with Raw(server.url) as raw:
        await handshake(raw)
        raw.write(frame(b"x", declared=2**40))
        await closes_with(raw, CloseCode.TOO_LARGE)


async def never_ends_a_message(server: Observed) -> None:
    async with Raw(server.url) as raw:
        await handshake(raw)
        raw.write(frame(bytes(2**16), fin=False) + frame(bytes(2**16), opcode=0, fin=False) * 40)
        await closes_with(raw, CloseCode.TOO_LARGE)


async def never_ends_a_message_of_nothing(server: Observed) -> None:
    async with Raw(server.url) as raw:
        await handshake(raw)
        raw.write(frame(b"y", fin=False) + frame(b"", opcode=0, fin=False) * 20_000)
        await closes_with(raw, CloseCode.TOO_LARGE)


@functools.cache
def deflated() -> bytes:
    """Return 200 MiB in 200 KiB, as an extension would take it."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -12)
    return b"".join([*(squeezer.compress(bytes(2**20)) for _ in range(200)), squeezer.flush(zlib.Z_SYNC_FLUSH)])[:-4]


async def sends_a_deflate_bomb(server: Observed) -> None:
    bomb = await asyncio.to_thread(deflated)
    async with Raw(server.url) as raw:
        assert b"permessage-deflate" not in await handshake(raw, extensions="permessage-deflate")
        raw.write(frame(bomb, rsv1=True))
        await closes_with(raw, 1002)


async def sends_text_that_is_none(server: Observed) -> None:
    async with Raw(server.url) as raw:
        await handshake(raw)
        raw.write(frame(b"\xff\xfe", opcode=1))
        await closes_with(raw, 1007)


BRIEF = (declares_a_terabyte, never_ends_a_message, never_ends_a_message_of_nothing, sends_text_that_is_none)
"""What the server refuses in a moment."""


async def sends_what_is_refused(server: Observed) -> None:
    """Do what all of `BRIEF` do, at the same time; four of them are more of a fault than one."""
    await asyncio.gather(*(fault(server) for fault in BRIEF))


@pytest.mark.alone
@pytest.mark.parametrize(
    "fault",
    [*(BRIEF if SOAKS else [sends_what_is_refused]), says_everything_hostile, sends_a_deflate_bomb],
    ids=lambda fault: fault.__name__,
)
async def test_nobody_else_notices_a_client_that(victim: Observed, fault: Fault) -> None:
    await holds(victim, fault)
