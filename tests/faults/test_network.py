"""Clients and networks that fail: each fault beside a healthy session, with the five invariants of `observed`."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

import pytest

from app.protocol import messages as m
from app.protocol.codec import encode
from tests.helpers.load import SOAKS
from tests.helpers.observed import SLOWER, Fault, Observed, holds, reasons
from tests.helpers.peer import dialled_at, until
from tests.helpers.raw_socket import Raw, frame, handshake

pytestmark = pytest.mark.anyio
DEADLINE_S = 30.0
"""Within it the server, whose patience is a second or two here, has ended what it ends; longer, and it never does."""
MULTIPART = b"POST /api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="p"\r\n\r\n'


async def asking_and_deaf(server: Observed, raw: Raw) -> None:
    """Open a picture, and ask for more and more of it until nothing gets through."""
    await handshake(raw)
    raw.write(frame(encode(m.Hello(version=1))) + frame(encode(m.Open(seq=1, image_id=server.image_id))))
    raw.write(frame(encode(m.Click(seq=2, x=30, y=20))))
    for number in range(3, 600):
        raw.write(frame(encode(m.Label(seq=number, object=1, name="x" * 250))))


async def gone(raw: Raw) -> None:
    """Return once the server has ended a connection, which is seen by writing."""
    with contextlib.suppress(ConnectionError, OSError):
        while not raw.writer.is_closing():
            raw.write(frame(b"", opcode=10))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(raw.writer.drain(), 0.2)
            await asyncio.sleep(0.05)


async def never_reads(server: Observed) -> None:
    async with Raw(server.url, receive_buffer=4096) as raw:
        await asking_and_deaf(server, raw)
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.wait_for(gone(raw), DEADLINE_S)


async def trickles(server: Observed) -> None:
    """Take so little that what waits becomes more and more."""
    async with Raw(server.url, receive_buffer=4096) as raw:
        await asking_and_deaf(server, raw)
        await asyncio.wait_for(sipping(raw), DEADLINE_S)


async def sipping(raw: Raw) -> None:
    while not raw.writer.is_closing():  # a write tells of the end at once, what was read before only late
        raw.write(frame(b"", opcode=10))
        await raw.reader.read(1024)
        await asyncio.sleep(0.4)


async def floods_with_pings(server: Observed) -> None:
    async with Raw(server.url, receive_buffer=4096) as raw:
        await handshake(raw)
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(pinging(raw), DEADLINE_S)


async def pinging(raw: Raw) -> None:
    while not raw.writer.is_closing():
        raw.write(frame(bytes(125), opcode=9) * 500)
        await raw.writer.drain()


async def vanishes_in_an_upload(server: Observed) -> None:
    async with Raw(server.url) as raw:
        raw.write(MULTIPART + b"Content-Length: 4000000\r\n\r\n" + FILE + bytes(2_000_000))
        await raw.writer.drain()
        raw.reset()


async def freezes(server: Observed) -> None:
    """Answer no ping; the server's interval and timeout are a second each."""
    async with Raw(server.url) as raw:
        await handshake(raw)
        raw.write(frame(encode(m.Hello(version=1))))
        assert await asyncio.wait_for(close_codes(raw), DEADLINE_S) == [1011]


async def close_codes(raw: Raw) -> list[int]:
    return [int.from_bytes(payload[:2], "big") async for kind, payload in raw.frames() if kind == 8]


async def is_silent(server: Observed) -> None:
    async with Raw(server.url) as raw:
        assert (await raw.rest()).startswith(b"HTTP/1.1 408")


async def sends_half_a_head(server: Observed) -> None:
    async with Raw(server.url) as raw:
        raw.write(b"GET / HTTP/1.1\r\nHost: local")
        assert (await asyncio.wait_for(raw.rest(), DEADLINE_S)).startswith(b"HTTP/1.1 408")


async def sends_a_head_without_end(server: Observed) -> None:
    async with Raw(server.url) as raw:
        raw.write(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
        await raw.rest()


async def sends_a_slow_body(server: Observed) -> None:
    async with Raw(server.url) as raw:
        raw.write(MULTIPART + b"Content-Length: 4000000\r\n\r\n" + FILE)
        assert (await asyncio.wait_for(raw.rest(), DEADLINE_S)).startswith(b"HTTP/1.1 408")


async def reset_after(server: Observed, sent: bytes) -> None:
    async with Raw(server.url) as raw:
        await handshake(raw)
        raw.write(sent)
        await raw.writer.drain()
        raw.reset()


async def resets_in_every_state(server: Observed) -> None:
    hello = frame(encode(m.Hello(version=1)))
    opening = frame(encode(m.Open(seq=1, image_id=server.image_id)))
    for sent in (b"", hello[:7], hello, hello + opening):
        await reset_after(server, sent)


async def resets_after_a_click(server: Observed) -> None:
    """Ask for a decode, and be gone before its answer; with a goodbye, then without one."""
    asked = (m.Hello(version=1), m.Open(seq=1, image_id=server.image_id), m.Click(seq=2, x=5, y=5))
    click = b"".join(frame(encode(message)) for message in asked)
    await reset_after(server, click)
    await reset_after(server, click + frame(b"\x03\xe8", opcode=8))


async def sends_a_thousand_messages_a_second(server: Observed) -> None:
    async with dialled_at(server.ws_url) as peer:
        await peer.hello()
        await peer.open(server.image_id)
        reading = asyncio.create_task(peer.closed())
        with contextlib.suppress(Exception):
            for _ in range(300):
                for _ in range(10):
                    await peer.send(m.Hover(seq=peer.seq(), x=5, y=5))
                await asyncio.sleep(0.01)
        code, _ = await reading
        assert code == m.CloseCode.RATE


async def arrives_in_pieces_of_a_byte(server: Observed) -> None:
    async with Raw(server.url) as raw:
        await handshake(raw)
        for byte in frame(encode(m.Hello(version=1))) + frame(encode(m.Ping(at=5))):
            raw.write(bytes([byte]))
            await asyncio.sleep(0)
        assert [(await raw.frame())[0] for _ in range(2)] == [2, 2]


async def comes_and_goes(server: Observed) -> None:
    async def once() -> None:
        async with dialled_at(server.ws_url) as peer:
            await peer.hello()

    for _ in range(20):
        await asyncio.gather(once(), once())


PATIENT = (never_reads, trickles, freezes, is_silent, sends_half_a_head, sends_a_slow_body)
"""Clients that the server waits for, a second or two, while it has nothing to do for them."""


async def makes_the_server_wait(server: Observed) -> None:
    """Do what all of `PATIENT` do, at the same time: each is as much of a fault as alone, and its wait is shared."""
    await asyncio.gather(*(fault(server) for fault in PATIENT))


BRIEF = (vanishes_in_an_upload, sends_a_head_without_end, resets_in_every_state, arrives_in_pieces_of_a_byte)
"""Clients that are through in a moment."""


async def comes_to_a_sudden_end(server: Observed) -> None:
    """Do what all of `BRIEF` do, at the same time; four of them are more of a fault than one."""
    await asyncio.gather(*(fault(server) for fault in BRIEF))


@pytest.mark.alone
@pytest.mark.parametrize(
    "fault",
    [
        *((*PATIENT, *BRIEF) if SOAKS else [makes_the_server_wait, comes_to_a_sudden_end]),
        floods_with_pings,
        sends_a_thousand_messages_a_second,
        comes_and_goes,
    ],
    ids=lambda fault: fault.__name__,
)
async def test_nobody_else_notices_a_client_that(victim: Observed, fault: Fault) -> None:
    await holds(victim, fault)


@pytest.mark.alone
async def test_who_clicks_and_is_gone_holds_up_nobody_for_more_than_its_click(victim: Observed) -> None:
    """The click's decode is honest work: a hover that comes during it waits for it as behind anyone's."""
    await holds(victim, resets_after_a_click, slower=SLOWER + 1.0)


async def test_500_connections_in_a_second_are_all_answered_and_a_session_goes_on(victim: Observed) -> None:
    """Quickness is not promised here: so many requests are honest work for the processor."""

    async def once() -> bytes:
        async with Raw(victim.url) as raw:
            raw.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return (await raw.rest())[9:12]

    before = await victim.figures()
    async with victim.session() as healthy:
        answers = await asyncio.gather(*(once() for _ in range(500)))
        assert (await healthy.click(5, 5)).id == 1
    assert set(answers) <= {b"200", b"503", b"408"}  # where this client takes longer than its head may
    await victim.recovered(before)


async def test_every_cut_is_one_line_with_its_reason(victim: Observed) -> None:
    await floods_with_pings(victim)
    await until(lambda: not {"ping_flood", "pongs_unread"}.isdisjoint(reasons(victim)))
    assert all("\n" not in line[:-1] for line in victim.program.lines)


async def test_an_upload_that_broke_leaves_no_file(victim: Observed) -> None:
    """The server's descriptors are back, so an unnamed temporary file is gone too; one with a name would show here."""
    before = named_files()
    await vanishes_in_an_upload(victim)
    await victim.recovered(await victim.figures())
    assert named_files() <= before


def named_files() -> set[Path]:
    return {path for path in Path(tempfile.gettempdir()).iterdir() if path.name.startswith("tmp")}


async def test_a_session_goes_on_after_its_link_was_dead_for_a_while(victim: Observed) -> None:
    async with dialled_at(victim.ws_url) as peer:
        welcome = await peer.hello()
        await peer.open(victim.image_id)
        made = await peer.click(5, 5)
        peer.socket.transport.abort()
    async with dialled_at(victim.ws_url) as back:
        assert (await back.hello(welcome)).resumed
        await back.expect(m.Image)
        assert (await back.expect(m.Object)).masks == made.masks
