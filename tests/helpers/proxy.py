"""A proxy between client and server that cuts connections where a test says: on a frame boundary or in mid-frame.

It reads the bytes of both ways as HTTP and WebSocket frames and asks the test, frame by frame, whether to pass it on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import msgpack

from tests.helpers.listening import listening, until_one_ends

Cut = Literal["before", "inside", "after"]
"""Where a connection is cut: before a frame is passed on, in its middle, or once it was."""
Judge = Callable[[str, dict[str, Any]], "Cut | None"]
"""Called with `client` or `server`, who sends, and the message; returns where to cut, None for not at all."""


@dataclass
class Proxy:
    """A port that leads to a server; tests set `judge`, and may move `target`."""

    target: str
    url: str = ""
    judge: Judge = lambda _side, _message: None
    dialled: int = 0
    cuts: int = 0
    passed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.dialled += 1
        host = urlsplit(self.target)
        try:
            far_reader, far_writer = await asyncio.open_connection(host.hostname, host.port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await until_one_ends(self._pass("client", reader, far_writer), self._pass("server", far_reader, writer))
        finally:
            writer.transport.abort()
            far_writer.transport.abort()

    async def _pass(self, side: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(head)
            if b"upgrade: websocket" not in head.lower():
                await self._rest(reader, writer)
                return
            while True:
                raw, payload = await frame(reader)
                cut = self._judged(side, payload)
                self.cuts += cut is not None
                if cut == "before":
                    return
                writer.write(raw[: len(raw) // 2] if cut == "inside" else raw)
                await writer.drain()
                if cut is not None:
                    return

    async def _rest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()

    def _judged(self, side: str, payload: bytes | None) -> Cut | None:
        if payload is None:
            return None
        message = msgpack.unpackb(payload)
        cut = self.judge(side, message)
        if cut in (None, "after"):
            self.passed.append((side, message))
        return cut


async def frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes | None]:
    """Return the bytes of a WebSocket frame, and the payload of a binary one."""
    raw = await reader.readexactly(2)
    opcode, masked, size = raw[0] & 0x0F, raw[1] & 0x80, raw[1] & 0x7F
    if size > 125:
        raw += await reader.readexactly(2 if size == 126 else 8)
        size = int.from_bytes(raw[2:], "big")
    mask = await reader.readexactly(4) if masked else b""
    body = await reader.readexactly(size)
    payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(body)) if masked else body
    return raw + mask + body, payload if opcode == 2 else None


@asynccontextmanager
async def proxied(target: str) -> AsyncIterator[Proxy]:
    """Give a proxy in front of the server at `target`."""
    proxy = Proxy(target)
    async with listening(proxy.serve) as port:
        proxy.url = f"http://127.0.0.1:{port}"
        yield proxy


def once(side: str, kind: str, cut: Cut, *, number: int = 1) -> Judge:
    """Return a judge that cuts at the message number `number` of a kind from one side, once."""
    seen = 0

    def judge(whose: str, message: dict[str, Any]) -> Cut | None:
        nonlocal seen
        if whose != side or message["t"] != kind:
            return None
        seen += 1
        return cut if seen == number else None

    return judge
