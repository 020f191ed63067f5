"""A server without a model, for tests of the client: it speaks the protocol and answers by a script."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from PIL import Image
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from app.protocol import messages as m
from app.protocol.codec import decode_client, encode
from app.protocol.messages import ClientMessage, CloseCode, ServerMessage
from app.protocol.run_lengths import encode_mask
from tests.helpers.listening import listening


def png_of(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


HEIGHT, WIDTH = 48, 64
GRAY = (200, 200, 200)
PHOTO = png_of(Image.new("RGB", (WIDTH, HEIGHT), GRAY))
LEFT_HALF = encode_mask(np.tile(np.arange(8) < 4, (6, 1)), score=0.75, area=HEIGHT * WIDTH // 2)
LIMITS = m.Limits(
    max_upload_bytes=2**20,
    max_pixels=2**20,
    max_side=2**10,
    max_inline_bytes=2**18,
    max_message_bytes=2**19,
    max_points=64,
    max_objects=64,
)
Answer = Sequence[ServerMessage | CloseCode | str]
"""What the server does next: send messages, close, or send a text frame."""
Script = dict[type, Callable[[Any], Answer]]


class FakeServer:
    """Speaks the protocol on one port, HTTP and WebSocket, with a mask of the picture's left half for everything."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.uploads: list[bytes] = []
        self.upload_answer: tuple[int, object] = (200, {"image_id": "abc", "width": WIDTH, "height": HEIGHT})
        self.url = ""
        self._push: Callable[[ServerMessage], None] = lambda _: None
        self.script: Script = {
            m.Hello: lambda _: [welcome()],
            m.Open: lambda msg: [m.Progress(seq=msg.seq, stage="encoding"), image(msg.seq)],
            m.Model: lambda msg: [image(msg.seq)],
            m.Hover: lambda msg: [preview(msg)],
            m.Click: lambda msg: [made(msg.seq, 7 if msg.object is None else msg.object)],
            m.Box: lambda msg: [made(msg.seq, 8)],
            m.Label: lambda msg: [made(msg.seq, msg.object)],
            m.Delete: lambda msg: [gone(msg.seq, msg.object)],
            m.Unpoint: lambda msg: [gone(msg.seq, msg.object)],
            m.Clear: lambda msg: [gone(msg.seq, 7, 8)],
            m.Export: lambda msg: [m.File(seq=msg.seq, name="a.json", media_type="application/json", data=b"{}")],
            m.Ping: lambda msg: [m.Pong(at=msg.at, queue_ms=1.0, decode_ms=2.0)],
        }

    def push(self, message: ServerMessage) -> None:
        """Send a message on the newest socket, unasked."""
        self._push(message)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                await (self._upload if head.startswith(b"POST") else self._socket)(head, reader, writer)
        finally:
            writer.close()

    async def _upload(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = re.search(rb"content-length: (\d+)", head.lower())
        self.uploads.append(await reader.readexactly(int(length[1]) if length else 0))
        status, answer = self.upload_answer
        body = json.dumps(answer).encode()
        writer.write(b"HTTP/1.1 %d .\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()

    async def _socket(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol = ServerProtocol(subprotocols=[Subprotocol(m.SUBPROTOCOL)])

        def push(message: ServerMessage) -> None:
            protocol.send_binary(encode(message))
            writer.writelines(protocol.data_to_send())

        self._push = push
        data = head
        while data:
            protocol.receive_data(data)
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                elif isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                    self._answer(protocol, decode_client(bytes(event.data)))
            for chunk in protocol.data_to_send():
                writer.write(chunk) if chunk else writer.write_eof()
            data = await reader.read(2**16)

    def _answer(self, protocol: ServerProtocol, message: ClientMessage) -> None:
        self.received.append(message)
        for answer in self.script.get(type(message), lambda _: [])(message):
            if protocol.state is not State.OPEN:  # the client's close came with its last message
                return
            if isinstance(answer, CloseCode):
                protocol.send_close(answer)
            elif isinstance(answer, str):
                protocol.send_text(answer.encode())
            else:
                protocol.send_binary(encode(answer))


def welcome() -> m.Welcome:
    return m.Welcome(
        version=1, session="s", token="t", resumed=False, model="nano", models=(), limits=LIMITS, server="fake"
    )


def image(seq: int, image_id: str = "abc") -> m.Image:
    return m.Image(
        seq=seq, image_id=image_id, width=WIDTH, height=HEIGHT, model="nano", cached=False, encode_ms=1.0, last=True
    )  # fmt: skip


def preview(msg: m.Hover) -> m.Preview:
    return m.Preview(seq=msg.seq, x=msg.x, y=msg.y, best=0, masks=(LEFT_HALF,))


def made(seq: int, number: int, *, can_undo: bool = True, last: bool = True) -> m.Object:
    return m.Object(
        seq=seq,
        id=number,
        name="",
        color=0,
        points=(),
        chosen=0,
        masks=(LEFT_HALF,),
        can_undo=can_undo,
        can_redo=False,
        last=last,
    )


def gone(seq: int, *numbers: int) -> m.Gone:
    return m.Gone(seq=seq, objects=numbers, can_undo=False, can_redo=True, last=True)


def refused(seq: int | None, code: str, *, fatal: bool = False) -> m.Error:
    return m.Error(seq=seq, code=code, message="no", fatal=fatal, retry_after=2.0)


@asynccontextmanager
async def running() -> AsyncIterator[FakeServer]:
    fake = FakeServer()
    async with listening(fake.serve) as port:
        fake.url = f"http://127.0.0.1:{port}"
        yield fake


def unused_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
