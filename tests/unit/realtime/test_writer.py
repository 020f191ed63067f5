"""How long the writer waits for a client: by what it has been sent."""

from __future__ import annotations

import asyncio

import pytest

from app.protocol.messages import File, Pong
from app.realtime.limits import ConnectionLimits
from app.realtime.outbox import Outbox
from app.realtime.transport import DisconnectedError
from app.realtime.writer import Writer
from app.service.meters import Meters

pytestmark = pytest.mark.anyio

PONG = Pong(at=1.0, queue_ms=0.0, decode_ms=0.0)
LIMITS = ConnectionLimits(send_timeout_s=0.05, min_body_bytes_per_s=1000)


class FullWire:
    """A socket that takes one message and has no room for the next before a test makes it."""

    address = ""

    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self.sent: list[bytes] = []

    async def send(self, data: bytes) -> None:
        await self.room.wait()
        self.room.clear()
        self.sent.append(data)

    async def receive(self) -> bytes | None:
        raise NotImplementedError

    async def close(self, code: int, reason: str) -> None:
        raise NotImplementedError


def writer_on(wire: FullWire) -> Writer:
    return Writer(wire, Outbox(10), LIMITS, Meters())


def file_of(nbytes: int) -> File:
    return File(seq=1, name="a", media_type="image/png", data=bytes(nbytes))


async def test_a_client_that_takes_nothing_is_given_up() -> None:
    writer = writer_on(FullWire())
    await writer.send(PONG)
    with pytest.raises(DisconnectedError):
        await writer.send(PONG)


async def test_what_follows_a_large_file_waits_as_long_as_the_file_may_take() -> None:
    wire = FullWire()
    writer = writer_on(wire)
    await writer.send(file_of(60_000))
    sending = asyncio.create_task(writer.send(PONG))
    done, _ = await asyncio.wait([sending], timeout=10 * LIMITS.send_timeout_s)
    assert not done
    wire.room.set()
    await sending
    assert len(wire.sent) == 2


async def test_even_a_large_file_has_an_end() -> None:
    writer = writer_on(FullWire())
    await writer.send(file_of(100))
    with pytest.raises(DisconnectedError):
        await writer.send(PONG)
