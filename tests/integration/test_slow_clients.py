"""Clients that take nothing of what they asked for are cut off, and nobody else notices."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from app.engine.fake import FakeEngine
from app.protocol import messages as m
from app.settings import Settings
from tests.conftest import Server, started
from tests.image_files import png
from tests.integration.peer import Peer, greeted, until, uploaded

pytestmark = pytest.mark.anyio
PING = b"\x89\xfd" + bytes(4 + 125)
"""A masked ping frame; the mask is zero."""


@asynccontextmanager
async def deaf(server: Server) -> AsyncIterator[Peer]:
    """Give a welcomed socket with a small window, that reads only what the test asks for."""
    address = urlsplit(server.url)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect((address.hostname, address.port))
    async with connect(server.ws_url, sock=plain, compression=None, proxy=None, close_timeout=0.1) as opened:
        peer = Peer(opened)
        await peer.hello()
        yield peer
        opened.transport.abort()


async def until_cut_off(server: Server) -> None:
    await until(lambda: not server.lobby.registry.held and not server.uvicorn.server_state.connections)


async def test_a_client_that_does_not_read_its_answers_is_cut_off(engine: FakeEngine) -> None:
    server = await started(
        Settings(send_timeout_s=0.1, shutdown_timeout_s=2.0, max_replies_waiting=40, max_messages_burst=600), engine
    )
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
    settings = Settings(
        shutdown_timeout_s=2.0, max_write_buffer_bytes=2**17, max_pings_per_s=10**6, max_frames_per_s=10**6
    )
    server = await started(settings, engine)
    async with deaf(server) as peer:
        peer.socket.transport.pause_reading()
        for _ in range(100):
            peer.socket.transport.write(PING * 1000)
        await until_cut_off(server)
    await server.stop()
