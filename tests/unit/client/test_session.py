from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.client import Reconnect, Timeouts, connect
from app.client.reconnecting import CHANGES_IN_FLIGHT
from app.errors import (
    BadCoordError,
    BadMessageError,
    BadVersionError,
    BusyError,
    HoverError,
    ImageTooLargeError,
    TooManyPixelsError,
    UnknownObjectError,
)
from app.protocol import messages as m
from app.protocol.messages import CloseCode
from tests.helpers.protocol_server import (
    HEIGHT,
    PHOTO,
    WIDTH,
    Answer,
    FakeServer,
    gone,
    image,
    made,
    preview,
    refused,
    running,
    unused_url,
)
from tests.helpers.strange_names import STRANGE_NAMES

pytestmark = pytest.mark.anyio
DEADLINE_S = 20.0


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[FakeServer]:
    async with running() as fake:
        yield fake


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    return path


def renamed(photo: Path, name: str) -> Path:
    return photo.rename(photo.with_name(name))


async def test_a_picture_is_uploaded_and_opened_by_its_id(server: FakeServer, photo: Path) -> None:
    async with connect(server.url) as session:
        opened = await session.open(photo)
    assert (opened.width, opened.height) == (WIDTH, HEIGHT)
    assert PHOTO in server.uploads[0]
    assert m.Open(seq=1, image_id="abc", name="photo.png") in server.received


@pytest.mark.parametrize("name", [*STRANGE_NAMES[::3], "x" * 251 + ".png"], ids=ascii)
async def test_a_picture_is_opened_under_the_name_that_its_disk_has(server: FakeServer, photo: Path, name: str) -> None:
    async with connect(server.url) as session:
        await session.open(renamed(photo, name))
    assert m.Open(seq=1, image_id="abc", name=name) in server.received


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name on disk is text")
async def test_a_picture_whose_name_is_no_text_is_opened_under_what_is(server: FakeServer, photo: Path) -> None:
    async with connect(server.url) as session:
        await session.open(renamed(photo, os.fsdecode(b"caf\xe9 \xff.png")))
    assert m.Open(seq=1, image_id="abc", name="caf .png") in server.received


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (413, {"detail": {"code": "FILE_TOO_LARGE", "message": "no"}}, ImageTooLargeError),
        (413, {"detail": {"code": "too_many_pixels", "message": "no"}}, TooManyPixelsError),
        (503, "gateway", BusyError),
        (418, "teapot", HoverError),
        (502, {"detail": {"code": "MODEL_ERROR", "message": "of a server, not of its proxy"}}, HoverError),
        (200, {"unexpected": 1}, BadMessageError),
    ],
)
async def test_a_refused_upload_says_why(
    server: FakeServer, status: int, answer: object, kind: type[HoverError]
) -> None:
    server.upload_answer = (status, answer)
    async with connect(server.url, timeouts=Timeouts(busy_s=0)) as session:
        with pytest.raises(HoverError) as caught:
            await session.open(b"picture")
    assert type(caught.value) is kind


async def test_a_clicked_mask_has_the_pictures_size(server: FakeServer) -> None:
    async with connect(server.url) as session:
        await session.open(b"picture")
        clicked = await session.click(10, 20)
    assert clicked.mask.shape == (HEIGHT, WIDTH)
    assert clicked.mask[:, : WIDTH // 2].all()
    assert not clicked.mask[:, WIDTH // 2 :].any()


async def test_a_hover_gives_a_preview_and_acknowledges_the_last(server: FakeServer) -> None:
    async with connect(server.url) as session:
        first = await session.preview(1, 2)
        await session.preview(3, 4)
    assert first is not None
    assert first.score == 0.75
    assert server.received[-1].ack == first.seq


async def test_a_hover_that_was_overtaken_is_none(server: FakeServer) -> None:
    server.script[m.Hover] = lambda msg: [preview(msg)] if msg.x == 2 else []
    async with connect(server.url, timeouts=Timeouts(hover_s=60)) as session:
        older, newer = await asyncio.gather(session.preview(1, 1), session.preview(2, 2))
    assert older is None
    assert newer is not None


async def test_a_hover_without_an_answer_is_none_after_its_timeout(server: FakeServer) -> None:
    server.script[m.Hover] = lambda _: []
    async with connect(server.url, timeouts=Timeouts(hover_s=0.01)) as session:
        assert await session.preview(1, 1) is None
        assert len(session._reconnecting.pending) == 0


async def test_leaving_drops_the_pending_hover(server: FakeServer) -> None:
    arrived = asyncio.Event()
    server.script[m.Hover] = lambda _: arrived.set() or []  # type: ignore[func-returns-value]
    async with connect(server.url, timeouts=Timeouts(hover_s=600)) as session:
        hover = asyncio.create_task(session.preview(1, 1))
        await arrived.wait()
        await session.leave()
        assert await asyncio.wait_for(hover, timeout=10) is None


async def test_the_newest_of_a_path_wins(server: FakeServer) -> None:
    server.script[m.Hover] = lambda msg: [preview(msg)] if msg.x % 2 else []
    async with connect(server.url, timeouts=Timeouts(hover_s=60)) as session:
        previews = [each.x async for each in session.hover([(x, 0) for x in range(6)])]
    assert previews == [1, 3, 5]


async def test_a_path_keeps_two_hovers_on_their_way(server: FakeServer) -> None:
    hovers: list[m.Hover] = []
    second = asyncio.Event()

    def remember(msg: m.Hover) -> Answer:
        hovers.append(msg)
        if len(hovers) == 2:
            second.set()
        return []

    server.script[m.Hover] = remember
    async with connect(server.url, timeouts=Timeouts(hover_s=60)) as session:
        first = asyncio.ensure_future(anext(session.hover([(x, 0) for x in range(6)])))
        await second.wait()
        await session.ping()
        await session.ping()
        assert len(hovers) == 2
        first.cancel()


async def test_breaking_off_a_path_leaves_the_session_usable(server: FakeServer) -> None:
    async with connect(server.url) as session:
        path = session.hover([(x, 0) for x in range(6)])
        async for _ in path:
            break
        await path.aclose()
        assert len(session._reconnecting.pending) == 0
        assert (await session.click(1, 1)).id == 7


async def test_numbers_go_up_and_answers_find_who_asked(server: FakeServer) -> None:
    async with connect(server.url) as session:
        clicks = await asyncio.gather(*(session.click(1, 1, object=number) for number in range(20)))
    assert [each.id for each in clicks] == list(range(20))
    assert [each.seq for each in server.received[1:]] == list(range(1, 21))


async def test_objects_follow_what_the_server_tells(server: FakeServer) -> None:
    async with connect(server.url) as session:
        await session.open(b"picture")
        await session.click(1, 1)
        await session.box((1, 1, 5, 5))
        assert set(session.objects) == {7, 8}
        await session.delete(7)
        assert set(session.objects) == {8}
        assert await session.unpoint(8, 0) is None
        assert not session.objects


async def test_another_picture_has_no_objects(server: FakeServer) -> None:
    async with connect(server.url) as session:
        await session.open(b"picture")
        await session.click(1, 1)
        server.script[m.Open] = lambda msg: [image(msg.seq, "another")]
        await session.open(b"another")
        assert not session.objects


async def test_undo_waits_for_all_that_it_brings_back(server: FakeServer) -> None:
    server.script[m.Undo] = lambda msg: [made(msg.seq, 7), made(msg.seq, 8)]
    async with connect(server.url) as session:
        await session.undo()
        assert set(session.objects) == {7, 8}


async def test_undo_without_a_step_returns(server: FakeServer) -> None:
    server.script[m.Undo] = server.script[m.Redo] = lambda msg: [gone(msg.seq)]
    async with connect(server.url) as session:
        await session.undo()
        await session.redo()
        assert not session.objects


async def test_an_export_is_a_file(server: FakeServer) -> None:
    async with connect(server.url) as session:
        file = await session.export("coco", objects=[7])
    assert (file.name, file.data) == ("a.json", b"{}")


async def test_a_ping_tells_the_servers_medians(server: FakeServer) -> None:
    async with connect(server.url) as session:
        latency = await session.ping()
    assert (latency.queue_ms, latency.decode_ms) == (1.0, 2.0)
    assert latency.round_trip_ms > 0


async def test_an_error_is_raised_as_its_class(server: FakeServer) -> None:
    server.script[m.Click] = lambda msg: [refused(msg.seq, "unknown_object")]
    async with connect(server.url) as session:
        with pytest.raises(UnknownObjectError) as caught:
            await session.click(1, 1, object=99)
        assert caught.value.retry_after_s == 2.0
        assert await session.preview(1, 1) is not None


async def test_an_error_for_nobody_is_raised_where_someone_waits(server: FakeServer) -> None:
    server.script[m.Click] = lambda _: [refused(None, "bad_message")]
    async with connect(server.url) as session:
        with pytest.raises(BadMessageError):
            await session.click(1, 1)


@pytest.mark.parametrize("coordinate", [float("nan"), float("inf"), 10**400], ids=["nan", "inf", "10**400"])
async def test_a_coordinate_that_is_not_finite_is_never_sent(server: FakeServer, coordinate: float) -> None:
    async with connect(server.url) as session:
        for prompt in (
            session.click(coordinate, 1),
            session.preview(1, coordinate),
            session.box((1, 1, 2, coordinate)),
        ):
            with pytest.raises(BadCoordError):
                await prompt
    assert [type(each) for each in server.received] == [m.Hello]


@pytest.mark.parametrize("name", ["\ud800", object(), 2**70], ids=["half a letter", "an object", "a large number"])
async def test_what_no_message_can_carry_is_refused_and_takes_nobodys_turn(server: FakeServer, name: Any) -> None:
    server.script[m.Click] = lambda msg: [made(msg.seq, 1)]
    async with connect(server.url) as session:
        for _ in range(CHANGES_IN_FLIGHT + 1):
            with pytest.raises(BadMessageError):
                await asyncio.wait_for(session.label(1, name), DEADLINE_S)
        assert (await asyncio.wait_for(session.click(1, 1), DEADLINE_S)).id == 1


async def test_a_missing_answer_is_a_timeout(server: FakeServer) -> None:
    server.script[m.Click] = lambda _: []
    async with connect(server.url, timeouts=Timeouts(reply_s=0.01)) as session:
        with pytest.raises(TimeoutError, match=r"0\.01 s"):
            await session.click(1, 1)


async def test_a_close_reaches_whoever_waits_and_whoever_comes_after(server: FakeServer) -> None:
    server.script[m.Click] = lambda _: [CloseCode.RESTART]
    async with connect(server.url, reconnect=Reconnect(give_up_s=0)) as session:
        for _ in range(2):
            with pytest.raises(ConnectionError, match="1012"):
                await session.click(1, 1)
        with pytest.raises(ConnectionError, match="1012"):
            await session.ping()


async def test_a_fatal_error_explains_the_close(server: FakeServer) -> None:
    server.script[m.Click] = lambda msg: [refused(msg.seq, "busy", fatal=True), CloseCode.FULL]
    async with connect(server.url, reconnect=Reconnect(give_up_s=0)) as session:
        for _ in range(2):
            with pytest.raises(BusyError):
                await session.click(1, 1)


async def test_a_text_frame_is_no_answer(server: FakeServer) -> None:
    server.script[m.Click] = lambda _: ["hello"]
    async with connect(server.url) as session:
        with pytest.raises(BadMessageError, match="text frame"):
            await session.click(1, 1)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ([refused(None, "bad_version", fatal=True), CloseCode.VERSION], BadVersionError),
        ([CloseCode.FULL], ConnectionError),
        ([gone(1)], BadMessageError),
        ([], ConnectionError),
    ],
    ids=["refused", "closed", "something else", "silence"],
)
async def test_a_client_that_is_not_welcome_learns_why(
    server: FakeServer, answer: Answer, kind: type[Exception]
) -> None:
    server.script[m.Hello] = lambda _: answer
    with pytest.raises(kind):
        async with connect(server.url, timeouts=Timeouts(connect_s=0.1)):
            pass


async def test_leaving_the_session_leaves_no_task(anyio_backend: str) -> None:
    before = asyncio.all_tasks()
    async with running() as server:
        server.script[m.Click] = lambda _: []
        async with connect(server.url) as session:
            click = asyncio.create_task(session.click(1, 1))
            await session.ping()
        with pytest.raises(ConnectionError):
            await click
    assert asyncio.all_tasks() == before


async def test_where_no_server_is_the_error_names_the_address() -> None:
    url = unused_url()
    with pytest.raises(ConnectionRefusedError, match=url):
        async with connect(url):
            pass


async def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an address"):
        async with connect("127.0.0.1:8000"):
            pass
