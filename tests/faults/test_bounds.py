"""The bounds of what the server keeps and queues, each at the part that has it: one below, at it, and one beyond.

Those that a client meets at once are in `test_limits`; `tests/meta/test_limits.py` sees that none is missing.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from types import SimpleNamespace
from typing import TypeVar

import numpy as np
import pytest

from app.errors import BusyError, HoverError
from app.pictures import PictureLimits
from app.protocol import messages as m
from app.protocol.codec import encode
from app.protocol.messages import CloseCode
from app.realtime.outbox import Outbox
from app.realtime.transport import DisconnectedError
from app.server.http_limits import BODY_CHECK_S, hardened_http
from app.server.websocket_limits import hardened_websocket
from app.service import picture_store
from app.service.limits import ServiceLimits
from app.service.meters import Meters
from app.service.model_pool import ModelPool
from app.service.picture_store import PictureStore
from app.service.scheduler import Lane, Priority
from app.session.history import Timeline
from tests.helpers.drawing import DrawGate, drawn_by, exporter
from tests.helpers.export_readers import selection
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.fake_transport import FakeTransport
from tests.helpers.gates import Gate
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.limits import shrunk
from tests.helpers.model_source import SIZE, FakeModelSource, used
from tests.helpers.peer import greeted, happened, opened
from tests.helpers.raw_socket import Raw, frame, handshake
from tests.helpers.serving import serving
from tests.helpers.slow_reading import SlowReading
from tests.helpers.steps import steps_back, thing

pytestmark = pytest.mark.anyio
LONG_S = 20.0
ROOMY = PictureLimits(2**20, 2**20)
MASK = np.ones((4, 5), np.bool_)
around = pytest.mark.parametrize(("count", "fits"), [(2, True), (3, True), (4, False)])
"""Two, three and four, where three are allowed."""
T = TypeVar("T")


def made(kind: type[T], **parts: object) -> T:
    """Return an object of a protocol class as if it had come that far, without a connection."""
    bare = kind.__new__(kind)
    vars(bare).update(parts)
    return bare


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_bytes_of_a_picture_in_a_message(engine: FakeEngine, more: int) -> None:
    data = png()
    async with serving(engine, max_inline_bytes=len(data) - more) as server, greeted(server) as peer:
        await peer.send(m.Open(seq=peer.seq(), data=data))
        said = await peer.receive()
        if more > 0:
            assert isinstance(said, m.Error)
            assert said.code == "image_too_large"
        else:
            assert isinstance(said, m.Progress)
            await peer.expect(m.Image)


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_bytes_of_a_message(engine: FakeEngine, more: int) -> None:
    data = encode(m.Label(seq=1, object=1, name="x" * 200))
    async with serving(engine, max_message_bytes=len(data) - more) as server, greeted(server) as peer:
        await peer.socket.send(data)
        if more > 0:
            assert (await peer.closed())[0] == CloseCode.TOO_LARGE
        else:
            assert (await peer.expect(m.Error)).code == "no_image"


@around
async def test_bad_messages_in_a_row(engine: FakeEngine, count: int, fits: bool) -> None:
    async with serving(engine, max_bad_messages=4) as server, greeted(server) as peer:  # the fourth closes
        for _ in range(count):
            await peer.socket.send(b"\xc1")
        if fits:
            assert len(await peer.until_pong()) == count
        else:
            assert (await peer.closed())[0] == CloseCode.BAD_MESSAGES


@around
async def test_points_of_an_object(engine: FakeEngine, count: int, fits: bool) -> None:
    async with serving(engine, max_points=3) as server, opened(server, png()) as peer:
        for x in range(count):
            await peer.send(m.Click(seq=peer.seq(), x=x, y=1, object=1 if x else None))
        said = [await peer.receive() for _ in range(count)]
        assert [type(message) for message in said[:3]] == [m.Object] * min(3, count)
        assert isinstance(said[-1], m.Object) is fits


@around
async def test_objects_of_a_picture(engine: FakeEngine, count: int, fits: bool) -> None:
    async with serving(engine, max_objects=3) as server, opened(server, png()) as peer:
        for x in range(count):
            await peer.send(m.Click(seq=peer.seq(), x=x, y=1))
        said = [await peer.receive() for _ in range(count)]
        assert isinstance(said[-1], m.Object) is fits


@around
async def test_changes_that_wait(engine: FakeEngine, count: int, fits: bool) -> None:
    async with serving(engine, max_clicks_queued=3) as server, opened(server, png()) as peer:
        engine.decode_gate = threading.Event()
        await peer.send(m.Click(seq=peer.seq(), x=1, y=1))
        await happened(engine.decoding)
        for x in range(count):
            await peer.send(m.Click(seq=peer.seq(), x=x, y=1))
        said = await peer.until_pong()
        assert [message.code for message in said if isinstance(message, m.Error)] == ([] if fits else ["busy"])


@pytest.mark.parametrize(("frames", "cut"), [(29, False), (30, False), (31, True)])
async def test_frames_of_a_second(engine: FakeEngine, frames: int, cut: bool) -> None:
    """The upgrade counts as one; what comes is empty pongs, which nobody asked for and nobody answers."""
    async with serving(engine, max_frames_per_s=31) as server, Raw(server) as raw:
        await handshake(raw)
        raw.write(frame(b"", opcode=10) * (frames - 1) + frame(encode(m.Hello(version=1))))
        kinds = [kind async for kind, _ in raw.frames()] if cut else [(await raw.frame())[0]]
        assert (2 in kinds) is not cut


class Transport(SimpleNamespace):
    """Stands in for one with so many bytes to write."""

    def get_write_buffer_size(self) -> int:
        return int(self.waiting)

    def get_extra_info(self, _: str) -> None:
        return None

    def is_closing(self) -> bool:
        return bool(self.cut)

    def write(self, _: bytes) -> None:
        """Take it."""

    def abort(self) -> None:
        self.cut = True


@around
def test_bytes_that_wait_for_a_client_that_pings(count: int, fits: bool) -> None:
    transport = Transport(waiting=count, cut=False)
    kind = hardened_websocket(shrunk(max_write_buffer_bytes=3))
    socket = made(kind, transport=transport, conn=SimpleNamespace(data_to_send=lambda: [b"pong"]))
    socket.handle_ping()
    assert transport.cut is not fits


@pytest.mark.parametrize(("more", "refused"), [(-1, True), (0, False), (1, False)])
def test_pace_of_a_body(more: int, refused: bool) -> None:
    said: list[str] = []
    kind = hardened_http(shrunk(min_body_bytes_per_s=100), 1)
    connection = made(
        kind,
        body_bytes=round(100 * BODY_CHECK_S) + more,
        flow=SimpleNamespace(read_paused=False),
        loop=SimpleNamespace(call_later=lambda *_: None),
        refuse=lambda _, text: said.append(text),
    )
    connection.check_pace()
    assert bool(said) is refused


@around
def test_steps_of_undo(count: int, fits: bool) -> None:
    timeline = Timeline(max_steps=3, max_bytes=2**20)
    for id_ in range(count):
        timeline.put(thing(id_))
    assert (steps_back(timeline) == count) is fits


@around
def test_bytes_of_undo(count: int, fits: bool) -> None:
    timeline = Timeline(max_steps=100, max_bytes=300)
    for _ in range(count + 1):  # the first step replaces nothing
        timeline.put(thing(1, 100))
    assert (steps_back(timeline) == count + 1) is fits


@around
async def test_jobs_that_wait(count: int, fits: bool) -> None:
    lane, gate = Lane("test", 3, lambda: None), Gate()
    blocker = asyncio.create_task(lane.run(Priority.CLICK, gate, LONG_S))
    await gate.wait_until_begun()
    tasks = [asyncio.create_task(lane.run(Priority.HOVER, lambda: "", LONG_S)) for _ in range(count)]
    await asyncio.sleep(0)
    gate.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    await blocker
    lane.close()
    assert any(isinstance(result, BusyError) for result in results) is not fits


@around
async def test_pictures_that_wait(count: int, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, store = SlowReading(), PictureStore(ROOMY, 2**20, ServiceLimits(max_pictures_queued=3))
    monkeypatch.setattr(picture_store, "read_picture", slow)
    tasks = [asyncio.create_task(store.add(png(10 + number, 10))) for number in range(count)]
    await asyncio.sleep(0)
    slow.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    store.close()
    assert any(isinstance(result, BusyError) for result in results) is not fits


@around
async def test_replies_that_wait(count: int, fits: bool) -> None:
    outbox = Outbox(FakeTransport(), Meters(), max_waiting=3, timeout_s=LONG_S, bytes_per_s=1000)
    taken = 0
    with suppress(DisconnectedError):
        for seq in range(count):
            outbox.put(m.Gone(seq=seq, objects=(), can_undo=False, can_redo=False))
            taken += 1
    assert (taken == count) is fits


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_bytes_of_all_pictures(more: int) -> None:
    files = [file_of(noise(20, 20, seed), "PNG") for seed in range(2)]
    store = PictureStore(ROOMY, sum(map(len, files)) - more, ServiceLimits())
    infos = [await store.add(data) for data in files]
    kept = 0
    for info in infos:
        with suppress(HoverError):
            kept += await store.info(info.image_id) == info
    store.close()
    assert kept == (1 if more > 0 else 2)


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_bytes_of_all_models(more: int) -> None:
    pool = ModelPool(FakeEngine(model="nano"), FakeModelSource(), budget_bytes=3 * SIZE - more, load_timeout_s=LONG_S)
    for name in ("tiny", "small"):
        await used(pool, name)
    assert pool.names == (["nano", "small"] if more > 0 else ["nano", "tiny", "small"])
    pool.close()


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_bytes_of_a_file(engine: FakeEngine, more: int) -> None:
    async def exported(most: int) -> m.ServerMessage:
        async with serving(engine, max_export_bytes=most) as server, opened(server, png()) as peer:
            await peer.click(5, 5)
            await peer.send(m.Export(seq=peer.seq(), format="svg"))
            return await peer.receive()

    file = await exported(2**20)
    assert isinstance(file, m.File)
    assert isinstance(await exported(len(file.data) - more), m.Error if more > 0 else m.File)


@around
async def test_files_that_wait(count: int, fits: bool) -> None:
    worker, gate = exporter(max_exports_queued=3), DrawGate()
    tasks = [asyncio.create_task(worker.make("svg", drawn_by(gate.draw))) for _ in range(count - 1)]
    await asyncio.sleep(0)
    last = asyncio.create_task(worker.make("svg", selection(MASK)))
    await asyncio.sleep(0)
    gate.opened.set()
    results = await asyncio.gather(*tasks, last, return_exceptions=True)
    worker.close()
    assert any(isinstance(result, BusyError) for result in results) is not fits
