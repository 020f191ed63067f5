"""Every message type and every error code of the protocol, each through a real socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import get_args

import msgspec
import numpy as np
import pytest

from app.errors import EngineFailedError, HoverError
from app.limits import AppLimits
from app.protocol import messages as m
from app.protocol.codec import encode
from app.protocol.counts import counts_of
from app.protocol.messages import ClientMessage, ServerMessage
from app.protocol.recipe import MaskStep
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png, png_header
from tests.helpers.limits import shrunk
from tests.helpers.peer import Peer, dialled, greeted, opened, uploaded
from tests.helpers.server import Server, started
from tests.helpers.tags import tag_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings() -> Settings:
    return Settings(max_sessions=2, offline=True)


@pytest.fixture
def limits() -> AppLimits:
    """Small ones, so that each is soon reached."""
    return shrunk(shutdown_timeout_s=2.0, max_points=2, max_objects=1, max_inline_bytes=20_000)


ON_CLIPS = {"clip", "masks", "tracked"}
"""What a picture never gives: `test_tracking` has it."""


def kinds_of(union: object) -> set[str]:
    return {tag_of(kind) for kind in get_args(union)}


def codes_of(root: type[HoverError]) -> set[str]:
    return {root.code}.union(*map(codes_of, root.__subclasses__()))


async def first(peer: Peer, kind: type[msgspec.Struct], seen: set[str]) -> msgspec.Struct:
    """Return the next message of a kind, noting all that come."""
    while True:
        message = await peer.receive()
        seen.add(tag_of(type(message)))
        assert not isinstance(message, m.Error), message
        if isinstance(message, kind):
            return message


async def test_every_message_is_sent_and_answered(server: Server) -> None:
    image_id = await uploaded(server, png())
    sent: set[str] = set()
    seen: set[str] = set()
    async with dialled(server) as peer:

        async def ask(message: ClientMessage, kind: type[msgspec.Struct] | None) -> None:
            sent.add(tag_of(type(message)))
            await peer.send(message)
            if kind is not None:
                await first(peer, kind, seen)

        await ask(m.Hello(version=1), m.Welcome)
        await ask(m.Open(seq=1, image_id=image_id), m.Image)
        await ask(m.Hover(seq=2, x=5, y=5), m.Preview)
        await ask(m.Leave(seq=3), None)
        await ask(m.Click(seq=4, x=5, y=5), m.Object)
        await ask(m.Box(seq=5, box=(1, 1, 20, 20), object=1), m.Object)
        await ask(m.Click(seq=6, x=9, y=9, object=1), m.Object)
        await ask(m.Move(seq=7, object=1, point=0, x=6, y=6), m.Object)
        await ask(m.Unpoint(seq=8, object=1, point=1), m.Object)
        await ask(m.Choose(seq=9, object=1, candidate=0), m.Object)
        await ask(m.Label(seq=10, object=1, name="cup"), m.Object)
        await ask(m.SetClasses(seq=11, classes=("cup", "dog")), m.Classes)
        await ask(m.RenameClass(seq=12, name="cup", to="mug"), m.Object)
        await ask(m.Model(seq=13, name="tiny"), m.Object)
        await ask(m.Look(seq=21, view=(2, 2, 9, 9), scale=80), m.Window)
        await ask(m.FindRegions(seq=22), m.Regions)
        await ask(m.Export(seq=23, format="coco"), m.File)
        await ask(m.Delete(seq=24, object=1), m.Gone)
        await ask(m.Undo(seq=25), m.Object)
        await ask(m.Redo(seq=26), m.Gone)
        await ask(m.Undo(seq=27), m.Object)
        await ask(m.Clear(seq=28), m.Gone)
        given = MaskStep(size=(48, 64), counts=counts_of(np.eye(48, 64, dtype=np.bool_)))
        await ask(m.Give(seq=29, objects=(m.Given(trail=(given,)),)), m.Object)
        await ask(m.Paint(seq=30, path=((5, 5),), radius=3, object=2), m.Object)
        await ask(m.Morph(seq=31, object=2, operation="grow"), m.Object)
        await ask(m.Refine(seq=32, object=2), m.Object)
        await ask(m.Combine(seq=33, operation="union", objects=(2, 3)), None)
        assert (await peer.expect(m.Error)).code == "unknown_object"  # there is room for one alone
        await ask(m.Ping(at=1.5), m.Pong)
        await peer.socket.send(b"\xc1")
        assert (await peer.expect(m.Error)).code == "bad_message"
        seen.add("error")
        for message in (m.ShowFrame(seq=34, index=0), m.Track(seq=35), m.Stop(seq=36)):
            await ask(message, None)
            error = await peer.expect(m.Error)
            assert (error.seq, error.code, error.reason) == (message.seq, "bad_message", "clip_none")
    assert sent == kinds_of(ClientMessage)
    assert seen | ON_CLIPS == kinds_of(ServerMessage)


Cause = Callable[[Server, Peer], Awaitable[None]]


def saying(message: ClientMessage) -> Cause:
    async def cause(_: Server, peer: Peer) -> None:
        await peer.send(message)

    return cause


def opening(data: bytes) -> Cause:
    return saying(m.Open(seq=100, data=data))


async def bad_bytes(_: Server, peer: Peer) -> None:
    await peer.socket.send(b"\xc1")


async def a_failing_model(server: Server, peer: Peer) -> None:
    server.engine.failures.append(EngineFailedError("out of memory"))
    await peer.send(m.Click(seq=100, x=5, y=5))


async def one_point_more(_: Server, peer: Peer) -> None:
    made = await peer.click(5, 5)
    await peer.click(6, 6, object=made.id)
    await peer.send(m.Click(seq=100, x=7, y=7, object=made.id))


async def one_object_more(_: Server, peer: Peer) -> None:
    await peer.click(5, 5)
    await peer.send(m.Click(seq=100, x=7, y=7))


CAUSES: dict[str, Cause] = {
    "bad_message": bad_bytes,
    "bad_coord": saying(m.Click(seq=100, x=500, y=5)),
    "unknown_image": saying(m.Open(seq=100, image_id="0" * 32)),
    "unknown_object": saying(m.Delete(seq=100, object=77)),
    "unknown_model": saying(m.Model(seq=100, name="huge")),
    "model_unavailable": saying(m.Model(seq=100, name="large")),
    "unsupported_image": opening(b"text"),
    "corrupt_image": opening(png()[:60]),
    "image_too_large": opening(bytes(20_001)),
    "too_many_pixels": opening(png_header(30_000, 30_000)),
    "too_many_points": one_point_more,
    "too_many_objects": one_object_more,
    "engine_failed": a_failing_model,
}
"""What a client with an open picture does for each error, and goes on."""
ELSEWHERE = {"no_image", "bad_version", "busy", "rate_limited", "internal"}
"""Errors that come before a picture, end the socket, or need a server of their own: each has a test below."""


def test_no_error_code_lacks_a_test() -> None:
    of_commands = {"clip_too_long"}  # no message opens a clip
    assert CAUSES.keys() | ELSEWHERE | of_commands == codes_of(HoverError)


@pytest.mark.parametrize("code", CAUSES)
async def test_an_error_is_told_with_its_code_and_the_session_goes_on(server: Server, code: str) -> None:
    async with opened(server, png()) as peer:
        await CAUSES[code](server, peer)
        error = await peer.expect(m.Error)
        assert (error.code, error.fatal) == (code, False)
        assert error.message
        assert await peer.until_pong() == []


async def test_a_prompt_before_a_picture_is_no_image(server: Server) -> None:
    async with greeted(server) as peer:
        await peer.send(m.Click(seq=1, x=5, y=5))
        assert (await peer.expect(m.Error)).code == "no_image"


async def test_another_version_is_bad_version_and_the_end(server: Server) -> None:
    async with dialled(server) as peer:
        await peer.send(m.Hello(version=2))
        code, [error] = await peer.closed()
        assert isinstance(error, m.Error)
        assert (code, error.code, error.fatal) == (m.CloseCode.VERSION, "bad_version", True)


async def test_one_session_too_many_is_busy_and_the_end(server: Server) -> None:
    async with greeted(server), greeted(server), dialled(server) as third:
        await third.send(m.Hello(version=1))
        code, [error] = await third.closed()
        assert isinstance(error, m.Error)
        assert (code, error.code, error.fatal) == (m.CloseCode.FULL, "busy", True)
        assert error.retry_after


async def test_a_mistake_of_the_server_is_internal_and_the_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(server, png()) as peer:
        monkeypatch.setattr(server.predictor.backend, "answer", None)
        await peer.send(m.Click(seq=100, x=5, y=5))
        code, said = await peer.closed()
        assert code == 1011
        [error] = [message for message in said if isinstance(message, m.Error)]
        assert (error.code, error.fatal) == ("internal", True)
        assert "None" not in error.message


@pytest.mark.parametrize("frame", [encode(m.Undo(seq=100)), encode(m.Clear(seq=100))], ids=["undo", "clear"])
async def test_a_change_that_has_nothing_to_do_is_answered_too(server: Server, frame: bytes) -> None:
    async with opened(server, png()) as peer:
        await peer.socket.send(frame)
        assert isinstance(await peer.receive(), m.Gone)


async def test_a_change_that_comes_too_fast_is_rate_limited_and_the_session_goes_on(engine: FakeEngine) -> None:
    limits = shrunk(shutdown_timeout_s=2.0, max_messages_per_s=1, max_messages_burst=4)
    server = await started(Settings(), engine, limits=limits)
    async with opened(server, png()) as peer:
        for seq in range(100, 150):
            await peer.send(m.Clear(seq=seq))
        refused = [message for message in await peer.until_pong() if isinstance(message, m.Error)]
        assert {(error.code, error.fatal) for error in refused} == {("rate_limited", False)}
        assert all(error.retry_after is not None for error in refused)
    await server.stop()
