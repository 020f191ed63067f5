"""A client that writes bytes, for what no well-behaved library sends."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from types import TracebackType
from urllib.parse import urlsplit

from tests.helpers.server import Server

DEADLINE_S = 30.0
KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


class Raw:
    """One TCP connection. Every wait has a deadline."""

    def __init__(self, server: Server | str, *, receive_buffer: int | None = None) -> None:
        """Args: where to, and the size of the kernel's buffer for what isn't read."""
        self._url = urlsplit(server if isinstance(server, str) else server.url)
        self._receive_buffer = receive_buffer

    async def __aenter__(self) -> Raw:
        plain = socket.socket()
        if self._receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (self._url.hostname, self._url.port))
        self.reader, self.writer = await asyncio.open_connection(sock=plain, limit=self._receive_buffer or 2**16)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.writer.transport.abort()

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def reset(self) -> None:
        """End the connection with a reset, not with a farewell."""
        plain = self.writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until(self, end: bytes) -> bytes:
        return await asyncio.wait_for(self.reader.readuntil(end), DEADLINE_S)

    async def rest(self) -> bytes:
        """Return what comes until the server closes, whichever way."""
        pieces = []
        try:
            while piece := await asyncio.wait_for(self.reader.read(2**16), DEADLINE_S):
                pieces.append(piece)
        except ConnectionResetError:
            pass
        return b"".join(pieces)

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame's opcode and payload."""
        head = await asyncio.wait_for(self.reader.readexactly(2), DEADLINE_S)
        size = head[1] & 127
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        return head[0] & 15, await asyncio.wait_for(self.reader.readexactly(size), DEADLINE_S)

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """Yield frames until the connection ends."""
        try:
            while True:
                yield await self.frame()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return


def frame(
    payload: bytes, *, opcode: int = 2, fin: bool = True, declared: int | None = None, rsv1: bool = False
) -> bytes:
    """Return a masked frame; the mask is zero, and the declared size may be a lie."""
    size = len(payload) if declared is None else declared
    head = bytes([0x80 * fin | 0x40 * rsv1 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 2**16:
        head += b"\xfe" + struct.pack("!H", size)
    else:
        head += b"\xff" + struct.pack("!Q", size)
    return head + bytes(4) + payload


def upgrade(path: str = "/ws", *, extensions: str = "") -> bytes:
    """Return a request for a WebSocket."""
    more = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    ).encode()


async def handshake(raw: Raw, *, extensions: str = "") -> bytes:
    """Become a WebSocket; return the server's headers."""
    raw.write(upgrade(extensions=extensions))
    headers = await raw.until(b"\r\n\r\n")
    assert headers.startswith(b"HTTP/1.1 101")
    return headers
