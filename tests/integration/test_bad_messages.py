"""What a client that is mistaken or hostile gets, and that others go on."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from app.protocol import messages as m
from app.protocol.codec import encode
from app.protocol.messages import CloseCode
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.limits import shrunk
from tests.helpers.peer import Peer, dialled, greeted, opened, uploaded
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio
LIMITS = shrunk(shutdown_timeout_s=2.0, max_message_bytes=20_000, max_inline_bytes=10_000, max_points=3)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    """One server for the whole file: none of its tests may break it."""
    running = await started(Settings(), FakeEngine(), limits=LIMITS)
    yield running
    await running.stop()


def raw(**fields: object) -> bytes:
    return msgspec.msgpack.encode(fields)


async def lives_on(peer: Peer) -> None:
    """Check that the session still answers."""
    assert await peer.until_pong() == []


async def refused(peer: Peer, data: bytes, code: str) -> m.Error:
    await peer.socket.send(data)
    error = await peer.expect(m.Error)
    assert (error.code, error.fatal) == (code, False)
    return error


async def test_a_text_frame_closes(server: Server) -> None:
    async with greeted(server) as peer:
        await peer.socket.send("hello")
        assert (await peer.closed())[0] == CloseCode.TEXT_FRAME


async def test_a_text_frame_as_the_first_closes(server: Server) -> None:
    async with dialled(server) as peer:
        await peer.socket.send("hello")
        assert (await peer.closed())[0] == CloseCode.TEXT_FRAME


async def test_another_version_is_told_which_one_is_spoken(server: Server) -> None:
    async with dialled(server) as peer:
        await peer.send(m.Hello(version=2))
        code, [error] = await peer.closed()
        assert isinstance(error, m.Error)
        assert (code, error.code, error.fatal) == (CloseCode.VERSION, "bad_version", True)
        assert "version 1" in error.message


@pytest.mark.parametrize("first", [encode(m.Ping(at=1)), encode(m.Undo(seq=1)), b"", b"\xc1", raw(t="hello")])
async def test_a_first_message_that_is_no_hello_closes(server: Server, first: bytes) -> None:
    before = len(server.shared_state.registry)
    async with dialled(server) as peer:
        await peer.socket.send(first)
        code, [error] = await peer.closed()
        assert isinstance(error, m.Error)
        assert (code, error.code, error.fatal) == (CloseCode.BAD_MESSAGES, "bad_message", True)
    assert len(server.shared_state.registry) == before


async def test_a_second_hello_is_refused(server: Server) -> None:
    async with greeted(server) as peer:
        await refused(peer, encode(m.Hello(version=1)), "bad_message")
        await lives_on(peer)


@pytest.mark.parametrize(
    "data",
    [encode(m.Click(seq=1, x=1, y=1)), encode(m.Hover(seq=1, x=1, y=1)), encode(m.Undo(seq=1))],
    ids=["click", "hover", "undo"],
)
async def test_a_prompt_before_a_picture_is_refused(server: Server, data: bytes) -> None:
    async with greeted(server) as peer:
        assert (await refused(peer, data, "no_image")).seq == 1
        await lives_on(peer)


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf, 1e308], ids=str)
@pytest.mark.parametrize("kind", ["click", "hover"])
async def test_a_coordinate_that_is_no_number_of_pixels_never_reaches_the_model(
    server: Server, kind: str, x: float
) -> None:
    before = len(server.engine.decoded)
    async with opened(server, png()) as peer:
        error = await refused(peer, raw(t=kind, seq=peer.seq(), x=x, y=1.0), "bad_coord")
        assert error.seq == 2
        await lives_on(peer)
        assert len(server.engine.decoded) == before
        assert (await peer.click(1, 1)).id == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (m.Click(seq=9, x=64.5, y=1), "bad_coord"),
        (m.Click(seq=9, x=-0.5, y=1), "bad_coord"),
        (m.Hover(seq=9, x=1, y=48.5), "bad_coord"),
        (m.Box(seq=9, box=(5, 5, 5, 9)), "bad_coord"),
        (m.Click(seq=9, x=1, y=1, object=7), "unknown_object"),
        (m.Hover(seq=9, x=1, y=1, object=7), "unknown_object"),
        (m.Delete(seq=9, object=7), "unknown_object"),
        (m.Open(seq=9, image_id="0" * 32), "unknown_image"),
        (m.Open(seq=9, data=b"no picture"), "unsupported_image"),
        (m.Open(seq=9, data=png()[:60]), "corrupt_image"),
        (m.Open(seq=9, data=bytes(10_001)), "image_too_large"),
        (m.Export(seq=9, format="coco", objects=(9,)), "unknown_object"),
        (m.Model(seq=9, name="x" * 256), "unknown_model"),
    ],
    ids=repr,
)
async def test_a_mistake_is_answered_with_its_code_and_the_session_lives(
    server: Server, message: m.ClientMessage, code: str
) -> None:
    async with opened(server, png()) as peer:
        assert (await refused(peer, encode(message), code)).seq == 9
        await lives_on(peer)


async def test_the_third_point_is_taken_and_the_fourth_is_not(server: Server) -> None:
    async with opened(server, png()) as peer:
        id_ = (await peer.click(1, 1)).id
        await peer.click(2, 2, object=id_)
        assert len((await peer.click(3, 3, object=id_)).points) == 3
        await refused(peer, encode(m.Click(seq=peer.seq(), x=4, y=4, object=id_)), "too_many_points")


@pytest.mark.parametrize(
    "fields",
    [
        {"t": "nonsense", "seq": 50},
        {"seq": 50},
        {"t": "click", "seq": 50, "x": 1.0},
        {"t": "click", "seq": 50, "x": 1.0, "y": 1.0, "more": 1},
        {"t": "click", "seq": 50, "x": True, "y": 1.0},
        {"t": "click", "seq": 50, "x": 1.0, "y": 1.0, "label": 7},
        {"t": "click", "seq": -1, "x": 1.0, "y": 1.0},
        {"t": "click", "seq": 2**63, "x": 1.0, "y": 1.0},
        {"t": "click", "seq": 10, "x": 1.0, "y": 1.0},
        {"t": "hover", "seq": 9, "x": 1.0, "y": 1.0},
        {"t": "open", "seq": 50},
        {"t": "open", "seq": 50, "image_id": "a", "data": b"a"},
    ],
    ids=repr,
)
async def test_what_is_no_message_is_refused_and_the_session_lives(server: Server, fields: dict[str, object]) -> None:
    async with opened(server, png()) as peer:
        await peer.send(m.Leave(seq=10))
        await refused(peer, raw(**fields), "bad_message")
        await lives_on(peer)


async def test_ten_bad_messages_in_a_row_close(server: Server) -> None:
    async with greeted(server) as peer:
        for _ in range(9):
            await refused(peer, b"\xc1", "bad_message")
        await lives_on(peer)  # which begins a new row
        for _ in range(10):
            await peer.socket.send(b"\xc1")
        code, said = await peer.closed()
        assert (code, len(said)) == (CloseCode.BAD_MESSAGES, 10)


@pytest.mark.parametrize("more", [0, 1])
async def test_a_message_is_taken_up_to_the_limit(server: Server, more: int) -> None:
    limit = LIMITS.connection.max_message_bytes
    data = encode(m.Open(seq=1, data=bytes(limit - 100)))
    data = encode(m.Open(seq=1, data=bytes(limit - 100 + limit - len(data) + more)))
    assert len(data) == limit + more
    async with greeted(server) as peer:
        if more:
            await peer.socket.send(data)
            assert (await peer.closed())[0] == CloseCode.TOO_LARGE
        else:
            await refused(peer, data, "image_too_large")


async def test_a_picture_in_a_message_is_taken_up_to_the_limit(server: Server) -> None:
    data = png()
    data += bytes(LIMITS.connection.max_inline_bytes - len(data))
    async with greeted(server) as peer:
        await peer.send(m.Open(seq=peer.seq(), data=data))
        said = [await peer.receive() for _ in range(3)]
        assert [getattr(message, "stage", None) for message in said] == ["decoding", "encoding", None]
        image = said[-1]
        assert isinstance(image, m.Image)
        assert (image.width, image.height, image.cached) == (64, 48, False)
        assert (await peer.click(5, 5)).id == 1
    async with greeted(server) as other:
        assert (await other.open(image.image_id)).cached


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_another_web_page_can_not_open_the_socket(server: Server, origin: str) -> None:
    with pytest.raises(InvalidStatus) as raised:
        async with dialled(server, origin):
            pytest.fail("it was let in")
    assert raised.value.response.status_code == 403


async def test_our_own_page_can_open_the_socket(server: Server) -> None:
    async with dialled(server, server.url) as peer:
        await peer.hello()


async def test_a_client_may_offer_no_subprotocol_or_others(server: Server) -> None:
    for offer in (None, ["else"]):
        async with connect(server.ws_url, proxy=None, subprotocols=offer) as socket:  # type: ignore[arg-type]
            assert socket.subprotocol is None
            await Peer(socket).hello()


async def test_a_client_may_offer_ours_among_others(server: Server) -> None:
    async with connect(server.ws_url, proxy=None, subprotocols=["else", m.SUBPROTOCOL]) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == m.SUBPROTOCOL


async def test_bad_messages_of_one_do_not_touch_another(server: Server) -> None:
    image_id = await uploaded(server, png())
    async with greeted(server) as good, dialled(server) as bad:
        await good.open(image_id)
        await bad.hello()
        for _ in range(10):
            await bad.socket.send(b"\xc1")
        await bad.closed()
        assert (await good.click(5, 5)).id == 1
