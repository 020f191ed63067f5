"""Clients that take nothing of what they asked for are cut off, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from app.protocol import messages as m
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.limits import shrunk
from tests.helpers.peer import Peer, greeted, until, uploaded
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio
PING = b"\x89\xfd" + bytes(4 + 125)
"""A masked ping frame; the mask is zero."""


def narrow(server: Server, window_bytes: int = 4096) -> socket.socket:
    """Return a connection with a small window."""
    address = urlsplit(server.url)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window_bytes)
    plain.connect((address.hostname, address.port))
    return plain


@asynccontextmanager
async def deaf(server: Server, window_bytes: int = 4096) -> AsyncIterator[Peer]:
    """Give a welcomed socket with a small window, that reads only what the test asks for."""
    plain = narrow(server, window_bytes)
    async with connect(
        server.ws_url, sock=plain, compression=None, proxy=None, close_timeout=0.1, max_size=None
    ) as opened:
        peer = Peer(opened)
        await peer.hello()
        yield peer
        opened.transport.abort()


async def until_cut_off(server: Server) -> None:
    await until(lambda: not server.shared_state.registry.held and not server.uvicorn.server_state.connections)


async def test_a_client_that_does_not_read_its_answers_is_cut_off(engine: FakeEngine) -> None:
    limits = shrunk(send_timeout_s=0.1, shutdown_timeout_s=2.0, max_replies_waiting=40, max_messages_burst=600)
    server = await started(Settings(), engine, limits=limits)
    image_id = await uploaded(server, png(2000, 2000))
    async with deaf(server) as peer:
        await peer.open(image_id)
        id_ = (await peer.click(1000, 1000)).id
        peer.socket.transport.pause_reading()
        for _ in range(500):  # each answer is a hundred times as long as its question
            await peer.send(m.Label(seq=peer.seq(), object=id_, name="x"))
        await until_cut_off(server)
    async with greeted(server) as other:
        await other.open(image_id)
        assert (await other.click(5, 5)).id == 1
    await server.stop()


async def test_a_client_that_pings_and_takes_no_pong_is_cut_off(
    engine: FakeEngine,
) -> None:
    limits = shrunk(shutdown_timeout_s=2.0, max_write_buffer_bytes=2**17, max_pings_per_s=10**6, max_frames_per_s=10**6)
    server = await started(Settings(), engine, limits=limits)
    async with deaf(server) as peer:
        peer.socket.transport.pause_reading()
        for _ in range(100):
            peer.socket.transport.write(PING * 1000)
        await until_cut_off(server)
    await server.stop()


SLOW = shrunk(send_timeout_s=1.0, ping_interval_s=0.5, ping_timeout_s=1.0, shutdown_timeout_s=2.0)
WINDOW_BYTES = 2**15
PAUSE_S = 0.06
"""Between two windows of a slow reader: 2 MB take it several times as long as `SLOW` waits for a stalled one."""


async def read_slowly(peer: Peer) -> None:
    """Take a window's worth at a time, until cancelled."""
    while True:
        peer.socket.transport.pause_reading()
        await asyncio.sleep(PAUSE_S)
        peer.socket.transport.resume_reading()
        await asyncio.sleep(0)  # what has come is found,
        await asyncio.sleep(0)  # and read


async def asked_for_a_large_file(server: Server, peer: Peer) -> None:
    """Ask for the overlay of a picture of noise, which no PNG makes smaller: as large as still rides in a message."""
    await peer.open(await uploaded(server, file_of(noise(800, 800), "PNG")))
    await peer.click(400, 400)
    await peer.send(m.Export(seq=peer.seq(), format="overlay"))


async def test_a_client_that_reads_slowly_but_steadily_gets_its_file_and_what_comes_after(engine: FakeEngine) -> None:
    server, loop = await started(Settings(), engine, limits=SLOW), asyncio.get_running_loop()
    async with deaf(server, WINDOW_BYTES) as peer:
        await asked_for_a_large_file(server, peer)
        began = loop.time()
        reading = asyncio.create_task(read_slowly(peer))
        await peer.send(m.Ping(at=1.0))
        pongs = [message for message in [await peer.receive(), await peer.receive()] if isinstance(message, m.Pong)]
        assert len(pongs) == 1
        assert loop.time() - began > 2 * SLOW.connection.send_timeout_s  # or it was not slow enough to prove anything
        assert (await peer.click(5, 5)).id == 2
        reading.cancel()
    await server.stop()


async def test_a_client_that_stops_in_the_middle_of_a_file_is_cut_off(engine: FakeEngine) -> None:
    server = await started(Settings(), engine, limits=SLOW)
    async with deaf(server, WINDOW_BYTES) as peer:
        await asked_for_a_large_file(server, peer)
        reading = asyncio.create_task(read_slowly(peer))
        await asyncio.sleep(5 * PAUSE_S)
        reading.cancel()
        peer.socket.transport.pause_reading()
        await until_cut_off(server)
    await server.stop()


async def test_a_file_over_http_is_waited_for_as_well(engine: FakeEngine) -> None:
    server, loop = await started(Settings(), engine, limits=SLOW), asyncio.get_running_loop()
    image_id = await uploaded(server, file_of(noise(800, 800), "PNG"))
    asked = {"image_id": image_id, "format": "overlay", "objects": [{"points": [{"x": 400, "y": 400}]}]}
    body = json.dumps(asked).encode()
    reader, writer = await asyncio.open_connection(sock=narrow(server, WINDOW_BYTES), limit=WINDOW_BYTES)
    head = f"POST /api/export HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
    writer.write(head.encode() + b"content-type: application/json\r\n\r\n" + body)
    answered = await reader.readuntil(b"\r\n\r\n")
    began, size = loop.time(), 0
    while piece := await reader.read(WINDOW_BYTES):
        size += len(piece)
        await asyncio.sleep(PAUSE_S)
    assert f"content-length: {size}".encode() in answered.lower()
    assert loop.time() - began > 2 * SLOW.connection.send_timeout_s
    writer.close()
    await server.stop()
