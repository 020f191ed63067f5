"""A reverse proxy as strangers set them up: under a prefix, with another name in Host, without WebSockets.

It runs in a thread of its own, so that a test may drive a browser through it. One connection for each request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.client.loop_thread import LoopThread
from tests.helpers.listening import listening

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 12\r\nconnection: close\r\n\r\nnobody there"


@dataclass
class ReverseProxy:
    """A port that leads to a server.

    Attributes:
        target: the server, `http://127.0.0.1:PORT`.
        prefix: the path under which the server lies here, `/sam`; it is taken off.
        host: what the server is told as Host, as nginx does by default and tunnels do; empty passes it on.
        upgrades: WebSockets are passed on; nginx by default doesn't.
        lost: paths that came and don't lie under the prefix.
    """

    target: str
    prefix: str = ""
    host: str = ""
    upgrades: bool = True
    port: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://localhost:{self.port}{self.prefix}/"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one request on, and then whatever comes from either side."""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = self.rewritten(await reader.readuntil(b"\r\n\r\n"))
            if head:
                await self.forward(head, reader, writer)
            else:
                writer.write(NOT_FOUND)
        writer.close()

    async def forward(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Exchange bytes with the server until it has said all."""
        host = urlsplit(self.target)
        try:
            far_reader, far_writer = await asyncio.open_connection(host.hostname, host.port)
        except OSError:
            writer.write(BAD_GATEWAY)
            return
        far_writer.write(head)
        there = asyncio.create_task(pump(reader, far_writer))
        try:
            await pump(far_reader, writer)
        finally:
            there.cancel()
            far_writer.transport.abort()

    def rewritten(self, head: bytes) -> bytes:
        """Return the head of a request as the server gets it, or nothing where it isn't for the server."""
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, path, version = first.split(" ")
        if not path.startswith(f"{self.prefix}/"):
            self.lost.append(path)
            return b""
        fields = dict(line.split(": ", 1) for line in lines)
        fields = {name.title(): value for name, value in fields.items()}
        fields["Host"] = self.host or fields["Host"]
        if not (self.upgrades and "Upgrade" in fields):
            fields.pop("Upgrade", None)
            fields["Connection"] = "close"
        said = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{method} {path[len(self.prefix) :]} {version}\r\n{said}\r\n".encode("latin-1")


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes until it ends, and end then too."""
    with suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextmanager
def reverse_proxy(proxy: ReverseProxy) -> Iterator[ReverseProxy]:
    """Run a proxy for the length of a `with`."""
    home = LoopThread(listening(proxy.serve))
    try:
        proxy.port = home.enter()
        yield proxy
    finally:
        home.end()
