"""A bad link between client and server: late, narrow, in crumbs, deaf for a while, or reset at any byte."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.helpers.listening import listening, until_one_ends

RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing sends a reset."""


@dataclass
class Link:
    """A port that leads to a server.

    Attributes:
        url: where the port is.
        delay_s: the longest that a piece of the stream is late, by chance; pieces stay in order.
        bytes_per_s: the width of each way; None for as wide as it gets.
        piece_bytes: the largest piece.
        cuts: for each connection in turn, the bytes from the server after which it is reset; then there are no cuts.
        hears: cleared, nothing is passed on and nobody is told.
        lost: connections that were reset.
    """

    target: str
    url: str = ""
    delay_s: float = 0.0
    bytes_per_s: int | None = None
    piece_bytes: int = 2**16
    cuts: list[int] = field(default_factory=list)
    hears: asyncio.Event = field(default_factory=asyncio.Event)
    lost: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(6))
    ends: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a client with the server until one of them, or the link, ends it."""
        host = urlsplit(self.target)
        try:
            far_reader, far_writer = await asyncio.open_connection(host.hostname, host.port)
        except OSError:
            reset(writer)
            return
        self.ends |= {writer, far_writer}
        cut = self.cuts.pop(0) if self.cuts else None
        try:
            await until_one_ends(self._pass(reader, far_writer, None), self._pass(far_reader, writer, cut))
        finally:
            for end in (writer, far_writer):
                self.ends.discard(end)
                reset(end)

    def reset_all(self) -> None:
        """Reset every connection."""
        for end in self.ends:
            reset(end)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: int | None) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(self.piece_bytes):
                await self.hears.wait()
                if cut is not None and len(data) >= cut:
                    self.lost += 1
                    writer.write(data[:cut])
                    return
                cut = None if cut is None else cut - len(data)
                await asyncio.sleep(self.delay_s * self.chance.random() + len(data) / (self.bytes_per_s or 2**40))
                writer.write(data)
                await writer.drain()


def reset(end: asyncio.StreamWriter) -> None:
    """End a connection with a reset, not with a farewell."""
    with contextlib.suppress(OSError):
        end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    end.transport.abort()


@asynccontextmanager
async def link_to(target: str) -> AsyncIterator[Link]:
    """Give a good link to the server at `target`, which a test makes bad."""
    link = Link(target)
    link.hears.set()
    async with listening(link.serve) as port:
        link.url = f"http://127.0.0.1:{port}"
        yield link
        link.reset_all()
