"""A client of the wire, frame by frame, for tests of what the server does with each."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from app.protocol import messages as m
from app.protocol.codec import decode_server, encode
from app.protocol.messages import ClientMessage, ServerMessage
from tests.helpers.server import Server

DEADLINE_S = 20.0
T = TypeVar("T", bound=ServerMessage)


class Peer:
    """One socket. Every wait has a deadline."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._seqs = itertools.count(1)

    def seq(self) -> int:
        return next(self._seqs)

    async def send(self, message: ClientMessage) -> None:
        await self.socket.send(encode(message))

    async def receive(self) -> ServerMessage:
        with anyio.fail_after(DEADLINE_S):  # before Python 3.12 wait_for may swallow a cancellation
            frame = await self.socket.recv()
        assert isinstance(frame, bytes)
        return decode_server(frame)

    async def expect(self, kind: type[T]) -> T:
        """Return the next message, which must be of this kind; progress is passed over."""
        message = await self.receive()
        while isinstance(message, m.Progress) and kind is not m.Progress:
            message = await self.receive()
        assert isinstance(message, kind), message
        return message

    async def until_pong(self) -> list[ServerMessage]:
        """Return what comes before the answer to a ping that is sent now."""
        await self.send(m.Ping(at=1.0))
        came: list[ServerMessage] = []
        while not isinstance(message := await self.receive(), m.Pong):
            came.append(message)
        return came

    async def closed(self) -> tuple[int | None, list[ServerMessage]]:
        """Return the code that the server closes with, and what it said before."""
        came: list[ServerMessage] = []
        try:
            while True:
                came.append(await self.receive())
        except ConnectionClosed as error:
            return (error.rcvd.code if error.rcvd else None), came

    async def hello(self, welcome: m.Welcome | None = None) -> m.Welcome:
        session, token = (welcome.session, welcome.token) if welcome else (None, None)
        await self.send(m.Hello(version=1, session=session, token=token))
        return await self.expect(m.Welcome)

    async def open(self, image_id: str) -> m.Image:
        await self.send(m.Open(seq=self.seq(), image_id=image_id))
        return await self.expect(m.Image)

    async def click(self, x: float, y: float, label: int = 1, object: int | None = None) -> m.Object:
        await self.send(m.Click(seq=self.seq(), x=x, y=y, label=label, object=object))
        return await self.expect(m.Object)

    async def hover(self, x: float, y: float) -> m.Preview:
        await self.send(m.Hover(seq=self.seq(), x=x, y=y))
        return await self.expect(m.Preview)


@asynccontextmanager
async def dialled(server: Server, origin: str | None = None) -> AsyncIterator[Peer]:
    """Give a socket that has not said hello."""
    async with dialled_at(server.ws_url, origin) as peer:
        yield peer


@asynccontextmanager
async def dialled_at(ws_url: str, origin: str | None = None) -> AsyncIterator[Peer]:
    """Give a socket to an address, that has not said hello."""
    async with connect(
        ws_url,
        subprotocols=[Subprotocol(m.SUBPROTOCOL)],
        origin=Origin(origin) if origin is not None else None,
        compression=None,
        proxy=None,
    ) as socket:
        yield Peer(socket)


@asynccontextmanager
async def greeted(server: Server) -> AsyncIterator[Peer]:
    """Give a socket that was welcomed."""
    async with dialled(server) as peer:
        await peer.hello()
        yield peer


async def post_picture(server: Server, data: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=DEADLINE_S) as client:
        return await client.post(f"{server.url}/api/upload", files={"file": ("p", data)}, headers=headers)


async def uploaded(server: Server, data: bytes) -> str:
    response = await post_picture(server, data)
    response.raise_for_status()
    return str(response.json()["image_id"])


async def post_picture_to(url: str, data: bytes) -> str:
    """Upload a picture to an address; return its name."""
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE_S) as client:
        response = await client.post(f"{url}/api/upload", files={"file": ("p", data)})
        response.raise_for_status()
        return str(response.json()["image_id"])


@asynccontextmanager
async def opened(server: Server, data: bytes) -> AsyncIterator[Peer]:
    """Give a socket that shows a picture."""
    image_id = await uploaded(server, data)
    async with greeted(server) as peer:
        await peer.open(image_id)
        yield peer


async def happened(event: threading.Event) -> None:
    """Wait for what a thread of the server tells."""
    assert await asyncio.to_thread(event.wait, DEADLINE_S)


async def until(condition: Callable[[], bool]) -> None:
    """Return once something holds of which nobody tells."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE_S
    while not condition():
        assert loop.time() < deadline
        await asyncio.sleep(0.001)
