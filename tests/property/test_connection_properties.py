"""A connection against whatever a client may send, in whatever order: each message gets its answer and nothing breaks.

The model is the client's own view: it believes every reply, and has to end with what the session holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar

from app.asgi import create_app, in_this_process
from app.protocol import messages as m
from app.protocol.codec import decode_server, encode
from app.protocol.messages import CloseCode
from app.realtime.connection import Connection
from app.realtime.limits import ConnectionLimits
from app.realtime.transport import DisconnectedError
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.limits import shrunk
from tests.helpers.thorough import examples

WIDTH, HEIGHT = 64, 48
PICTURE = png(WIDTH, HEIGHT)
Made = Callable[[int], m.ClientMessage]
"""A message without its number."""
CHANGES = (m.Click, m.Box, m.Move, m.Unpoint, m.Choose, m.Label, m.Delete, m.Clear, m.Undo, m.Redo, m.Open)

xs = st.integers(-1, WIDTH + 1)
ys = st.integers(-1, HEIGHT + 1)
ids = st.integers(0, 4)
maybe = st.none() | ids
small = st.integers(0, 3)
messages = st.one_of(
    st.builds(lambda x, y, of: lambda seq: m.Click(seq=seq, x=x, y=y, object=of), xs, ys, maybe),
    st.builds(lambda x, y, of: lambda seq: m.Hover(seq=seq, x=x, y=y, object=of), xs, ys, maybe),
    st.builds(lambda x, y, of: lambda seq: m.Box(seq=seq, box=(1, 1, x, y), object=of), xs, ys, maybe),
    st.builds(lambda of, at, x, y: lambda seq: m.Move(seq=seq, object=of, point=at, x=x, y=y), ids, small, xs, ys),
    st.builds(lambda of, at: lambda seq: m.Unpoint(seq=seq, object=of, point=at), ids, small),
    st.builds(lambda of, at: lambda seq: m.Choose(seq=seq, object=of, candidate=at), ids, small),
    st.builds(lambda of: lambda seq: m.Label(seq=seq, object=of, name="n"), ids),
    st.builds(lambda of: lambda seq: m.Delete(seq=seq, object=of), ids),
    st.sampled_from([lambda seq: m.Clear(seq=seq), lambda seq: m.Undo(seq=seq), lambda seq: m.Redo(seq=seq)]),
    st.just(lambda seq: m.Leave(seq=seq)),
    st.just(lambda seq: m.Open(seq=seq, data=PICTURE)),
    st.just(lambda _: m.Ping(at=1.0)),
)
steps = st.lists(st.tuples(messages, st.sampled_from(["next"] * 8 + ["again", "stale", "garbage"])), max_size=30)


@dataclass
class ClientView:
    """What a client that believes every reply knows, and which of its numbers were answered."""

    objects: dict[int, m.Object] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    previewed: list[int] = field(default_factory=list)

    def note(self, reply: m.ServerMessage) -> None:
        if isinstance(reply, m.Preview):
            self.previewed.append(reply.seq)
            return
        if isinstance(reply, m.Error):
            assert reply.code not in ("internal", "engine_failed"), reply
        if not isinstance(reply, (m.Progress, m.Welcome, m.Pong)) and reply.seq is not None:
            self.answered.add(reply.seq)
        if isinstance(reply, m.Image):
            self.objects = {}
        elif isinstance(reply, m.Object):
            self.objects[reply.id] = reply
        elif isinstance(reply, m.Gone):
            for id_ in reply.objects:
                self.objects.pop(id_, None)


class MemoryWire:
    """A socket without a network: the client's frames are there already."""

    address = "127.0.0.1"

    def __init__(self) -> None:
        self.inbound: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.view = ClientView()
        self.code: int | None = None
        self.closed = asyncio.Event()

    async def receive(self) -> bytes | None:
        data = await self.inbound.get()
        if data is None:
            raise DisconnectedError
        return data

    async def send(self, data: bytes) -> None:
        await asyncio.sleep(0)
        self.view.note(decode_server(data))

    async def close(self, code: int, reason: str) -> None:
        self.code = code
        self.closed.set()


async def played(app: Litestar, limits: ConnectionLimits, script: list[tuple[Made, str]]) -> None:
    """Play a script to a connection and compare what is left."""
    predictor, shared_state = [await app.dependencies[name].dependency() for name in ("predictor", "shared_state")]  # type: ignore[union-attr]
    wire = MemoryWire()
    connection = asyncio.create_task(Connection(wire, predictor, shared_state, limits).run())
    wire.inbound.put_nowait(encode(m.Hello(version=1)))
    expected, bad_in_row, closes = set(), 0, False
    for number, (make, how) in enumerate(script, 1):
        seq = {"next": 10 * number, "again": 10 * number - 10, "stale": 3, "garbage": 0}[how]
        message = make(seq)
        wire.inbound.put_nowait(b"\xc1" if how == "garbage" else encode(message))
        bad_in_row = bad_in_row + 1 if how == "garbage" else 0
        closes = closes or bad_in_row >= limits.max_bad_messages
        if how == "next" and isinstance(message, CHANGES):
            expected.add(seq)
    while not wire.closed.is_set() and not expected <= wire.view.answered:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    [entry] = [entry for entry in shared_state.registry._entries.values() if entry.holder is not None] or [None]
    wire.inbound.put_nowait(None)
    await asyncio.wait_for(connection, 20)
    assert wire.code in (1000, CloseCode.BAD_MESSAGES)
    assert wire.view.previewed == sorted(wire.view.previewed)
    if wire.code == 1000 and entry is not None:
        assert expected <= wire.view.answered
        told = {item.id: item.masks for item in entry.session.everything(0) if isinstance(item, m.Object)}
        assert {id_: item.masks for id_, item in wire.view.objects.items()} == told


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[asyncio.AbstractEventLoop, Litestar, ConnectionLimits]]:
    """One loop and one application for all examples; each has a session of its own."""
    loop = asyncio.new_event_loop()
    limits = shrunk(max_objects=3, max_points=3, max_clicks_queued=1000)
    app = create_app(Settings(), in_this_process(Settings(), limits, FakeEngine(), lambda _: None), limits=limits)
    yield loop, app, limits.connection
    loop.run_until_complete(app.dependencies["predictor"].dependency()).close()  # type: ignore[union-attr]
    loop.close()


@given(script=steps)
@settings(max_examples=examples(100, 2000))
def test_every_change_is_answered_and_client_and_session_agree(
    stage: tuple[asyncio.AbstractEventLoop, Litestar, ConnectionLimits], script: list[tuple[Made, str]]
) -> None:
    loop, app, limits = stage
    loop.run_until_complete(asyncio.wait_for(played(app, limits, script), 60))
