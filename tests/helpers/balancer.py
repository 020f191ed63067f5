"""A balancer before several servers: each connection goes to the next of them, or to the one that its cookie names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.helpers.listening import listening

COOKIE = re.compile(rb"(?im)^cookie: .*\bserver=(\d)")
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 7\r\nconnection: close\r\n\r\ngateway"


@dataclass
class Balancer:
    """A port that leads to several servers.

    Attributes:
        targets: their addresses; one that doesn't answer is passed over.
        sticky: a cookie names the server of the first answer.
        took: which server each request went to, by its first line.
        gateway_errors: so many requests that aren't sockets are answered 502 at first.
    """

    targets: list[str]
    sticky: bool = False
    url: str = ""
    took: list[tuple[str, int]] = field(default_factory=list)
    gateway_errors: int = 0
    _turn: int = 0

    def servers_of(self, path: str) -> list[int]:
        """Return which servers the requests for a path went to."""
        return [server for line, server in self.took if f" {path}" in line]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one request on, and then whatever comes from either side."""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            is_socket = b"upgrade: websocket" in head.lower()
            if self.gateway_errors and not is_socket:
                self.gateway_errors -= 1
                writer.write(BAD_GATEWAY)
            else:
                await self._forward(head if is_socket else closing(head), reader, writer)
        writer.close()

    async def _forward(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        named = COOKIE.search(head)
        begin = int(named[1]) if named and self.sticky else self._turn
        self._turn = (self._turn + 1) % len(self.targets)
        for step in range(len(self.targets)):
            server = (begin + step) % len(self.targets)
            parts = urlsplit(self.targets[server])
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection(parts.hostname, parts.port)
                break
        else:
            writer.write(BAD_GATEWAY)
            return
        self.took.append((head.split(b"\r\n", 1)[0].decode(), server))
        far_writer.write(head)
        there = asyncio.create_task(pump(reader, far_writer))
        try:
            answer = await far_reader.readuntil(b"\r\n")
            cookie = f"set-cookie: server={server}; Path=/; HttpOnly\r\n".encode() if self.sticky else b""
            writer.write(answer + cookie)
            await pump(far_reader, writer)
        finally:
            there.cancel()
            far_writer.transport.abort()


def closing(head: bytes) -> bytes:
    """Return the head of a request after whose answer the connection ends."""
    return re.sub(rb"(?im)^connection: .*\r\n", b"", head)[:-2] + b"connection: close\r\n\r\n"


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends, and end then too."""
    with suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def balanced(*targets: str, sticky: bool = False) -> AsyncIterator[Balancer]:
    """Give a balancer before servers."""
    balancer = Balancer(list(targets), sticky)
    async with listening(balancer.serve) as port:
        balancer.url = f"http://127.0.0.1:{port}"
        yield balancer
