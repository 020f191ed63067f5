"""What happens while the model is busy. Gates hold it; nothing here waits for a clock."""

from __future__ import annotations

import asyncio
import threading

import pytest

from app.errors import BusyError, EngineFailedError
from app.pictures import image_id_of
from app.protocol import messages as m
from app.service.backend import Newest
from app.service.embeddings import EmbeddingKey, EmbeddingStore
from app.service.scheduler import Priority
from app.session.objects import Answer
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import Peer, greeted, happened, opened, until, uploaded
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio


@pytest.fixture
def decode_gate(engine: FakeEngine) -> threading.Event:
    """Shut: the device stays with the first prompt that it takes."""
    engine.decode_gate = threading.Event()
    return engine.decode_gate


@pytest.fixture
def encode_gate(engine: FakeEngine) -> threading.Event:
    engine.encode_gate = threading.Event()
    return engine.encode_gate


def decoded_points(engine: FakeEngine) -> list[tuple[float, float]]:
    return [prompts[0].points_xy[-1] for prompts in engine.decoded]


async def busy_with_a_hover(peer: Peer, engine: FakeEngine) -> int:
    """Send a hover at (1, 1) and return its number once the device is at it."""
    engine.decoding.clear()
    seq = peer.seq()
    await peer.send(m.Hover(seq=seq, x=1, y=1))
    await happened(engine.decoding)
    return seq


async def test_newest_hover_wins_while_the_device_is_busy(
    server: Server, engine: FakeEngine, decode_gate: threading.Event
) -> None:
    async with opened(server, png(64, 64)) as peer:
        first = await busy_with_a_hover(peer, engine)
        for x in range(2, 51):
            await peer.send(m.Hover(seq=peer.seq(), x=x, y=1))
        assert await peer.until_pong() == []  # the reader has them all
        decode_gate.set()
        previews = [await peer.expect(m.Preview) for _ in range(2)]
        assert [preview.x for preview in previews] == [1, 50]
        assert previews[0].seq == first
        assert await peer.until_pong() == []
        assert decoded_points(engine) == [(1, 1), (50, 1)]


@pytest.mark.parametrize("taken", [False, True])
async def test_a_hover_for_which_nobody_has_time_waits_until_somebody_has(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, taken: bool
) -> None:
    answering, asked = server.backend.preview, list[object]()

    async def preview(key: EmbeddingKey, size_hw: tuple[int, int], newest: Newest, priority: Priority) -> Answer | None:
        asked.append(key)
        if len(asked) > 2:
            return await answering(key, size_hw, newest, priority)
        if taken:  # the one who took it is gone
            newest()
        raise BusyError("nobody is here", retry_after_s=0.001)

    monkeypatch.setattr(server.backend, "preview", preview)
    async with opened(server, png(64, 64)) as peer:
        assert (await peer.hover(9, 9)).x == 9
        assert len(asked) == 3


async def test_clicks_are_never_dropped_and_one_too_many_is_told(
    server: Server, engine: FakeEngine, decode_gate: threading.Event
) -> None:
    most = server.limits.connection.max_clicks_queued
    async with opened(server, png(64, 64)) as peer:
        await peer.send(m.Click(seq=peer.seq(), x=0, y=0))
        await happened(engine.decoding)
        for x in range(1, most + 1):
            await peer.send(m.Click(seq=peer.seq(), x=x, y=0))
        await peer.send(late := m.Click(seq=peer.seq(), x=60, y=0))
        busy = await peer.expect(m.Error)
        assert (busy.code, busy.seq, busy.fatal) == ("busy", late.seq, False)
        assert busy.retry_after
        decode_gate.set()
        made = [await peer.expect(m.Object) for _ in range(most + 1)]
        assert [item.points[0][0] for item in made] == list(range(most + 1))
        await peer.send(late)  # the same message again, now that there is room
        assert (await peer.expect(m.Object)).points[0][0] == 60


async def test_a_click_goes_before_a_hover_of_another_session(
    server: Server, engine: FakeEngine, decode_gate: threading.Event
) -> None:
    async with opened(server, png(64, 64)) as one, opened(server, png(64, 64)) as two, opened(server, png()) as three:
        await busy_with_a_hover(one, engine)
        await two.send(m.Hover(seq=two.seq(), x=2, y=2))
        assert await two.until_pong() == []
        await three.send(m.Click(seq=three.seq(), x=3, y=3))
        assert await three.until_pong() == []
        decode_gate.set()
        await asyncio.gather(one.expect(m.Preview), two.expect(m.Preview), three.expect(m.Object))
        assert decoded_points(engine) == [(1, 1), (3, 3), (2, 2)]


async def test_a_repeated_click_makes_one_object(
    server: Server, engine: FakeEngine, decode_gate: threading.Event
) -> None:
    async with opened(server, png()) as peer:
        click = m.Click(seq=peer.seq(), x=5, y=5)
        await peer.send(click)
        await peer.send(click)
        await happened(engine.decoding)
        decode_gate.set()
        first, second = await peer.expect(m.Object), await peer.expect(m.Object)
        assert first == second
        await peer.send(click)
        assert await peer.expect(m.Object) == first
        assert len(engine.decoded) == 1


async def test_a_repeated_open_keeps_the_objects(server: Server) -> None:
    image_id = await uploaded(server, png())
    async with greeted(server) as peer:
        opening = m.Open(seq=peer.seq(), image_id=image_id)
        await peer.send(opening)
        image = await peer.expect(m.Image)
        made = await peer.click(5, 5)
        await peer.send(opening)
        assert (await peer.expect(m.Image)).image_id == image.image_id
        assert (await peer.expect(m.Object)).points == made.points
        assert (await peer.click(6, 6, object=made.id)).id == made.id


async def test_leave_drops_the_hover_that_waits_and_the_one_at_hand(
    server: Server, engine: FakeEngine, decode_gate: threading.Event
) -> None:
    async with opened(server, png(64, 64)) as peer:
        await busy_with_a_hover(peer, engine)
        await peer.send(m.Hover(seq=peer.seq(), x=2, y=2))
        await peer.send(m.Leave(seq=peer.seq()))
        assert await peer.until_pong() == []
        decode_gate.set()
        made = await peer.click(9, 9)
        assert made.points[0][:2] == (9, 9)
        decodes = server.backend.scheduler.decodes
        await until(lambda: not decodes.waiting and not decodes.busy)
        assert await peer.until_pong() == []
        assert decoded_points(engine) == [(1, 1), (9, 9)]
        assert (await peer.hover(3, 3)).x == 3  # a hover after the pointer has come back


async def test_a_hover_that_waits_while_the_picture_changes_is_answered_from_the_new_one(
    server: Server, engine: FakeEngine, decode_gate: threading.Event
) -> None:
    image_id = await uploaded(server, png(200, 20))
    async with opened(server, png(64, 64)) as peer, opened(server, png(64, 64)) as other:
        await busy_with_a_hover(other, engine)
        await peer.send(m.Hover(seq=peer.seq(), x=2, y=2))
        assert await peer.until_pong() == []
        await peer.open(image_id)
        await peer.send(m.Hover(seq=peer.seq(), x=190, y=10))
        assert await peer.until_pong() == []
        decode_gate.set()
        assert (await peer.expect(m.Preview)).x == 190
        assert await peer.until_pong() == []


async def test_a_click_while_a_picture_is_encoded_waits_and_a_hover_is_dropped(
    server: Server, engine: FakeEngine, encode_gate: threading.Event
) -> None:
    image_id = await uploaded(server, png())
    async with greeted(server) as peer:
        await peer.send(m.Open(seq=peer.seq(), image_id=image_id))
        await happened(engine.encoding)
        await peer.send(m.Hover(seq=peer.seq(), x=1, y=1))
        await peer.send(m.Click(seq=peer.seq(), x=2, y=2))
        said = await peer.until_pong()
        assert [type(message) for message in said] == [m.Progress]
        encode_gate.set()
        await peer.expect(m.Image)
        assert (await peer.expect(m.Object)).points[0][:2] == (2, 2)
        assert decoded_points(engine) == [(2, 2)]


async def test_progress_tells_the_place_in_the_queue(
    server: Server, engine: FakeEngine, encode_gate: threading.Event
) -> None:
    first, second = [await uploaded(server, png(width)) for width in (10, 20)]
    async with greeted(server) as one, greeted(server) as two:
        await one.send(m.Open(seq=one.seq(), image_id=first))
        await happened(engine.encoding)
        await two.send(m.Open(seq=two.seq(), image_id=second))
        queued = await two.expect(m.Progress)
        assert (queued.stage, queued.position) == ("queued", 1)
        assert await two.until_pong() == []  # it isn't its turn yet
        encode_gate.set()
        assert (await two.expect(m.Progress)).stage == "encoding"
        await asyncio.gather(one.expect(m.Image), two.expect(m.Image))


async def test_a_picture_that_is_opened_goes_before_those_that_were_only_uploaded(
    server: Server, engine: FakeEngine, encode_gate: threading.Event
) -> None:
    pictures = [await uploaded(server, png(width, 10)) for width in (10, 20, 30, 40)]
    await happened(engine.encoding)
    async with greeted(server) as peer:
        await peer.send(m.Open(seq=peer.seq(), image_id=pictures[-1]))
        queued = await peer.expect(m.Progress)
        assert (queued.stage, queued.position) == ("queued", 1)
        encode_gate.set()
        assert (await peer.expect(m.Progress)).stage == "encoding"
        await peer.expect(m.Image)
    await until(lambda: engine.encodes == len(pictures))
    assert [width for _, width in engine.encoded] == [10, 40, 20, 30]


async def test_a_picture_that_two_sessions_open_at_once_is_encoded_once(
    server: Server, engine: FakeEngine, encode_gate: threading.Event
) -> None:
    image_id = await uploaded(server, png())
    async with greeted(server) as one, greeted(server) as two:
        for peer in (one, two):
            await peer.send(m.Open(seq=peer.seq(), image_id=image_id))
            await peer.until_pong()
        await happened(engine.encoding)
        encode_gate.set()
        await asyncio.gather(one.expect(m.Image), two.expect(m.Image))
    assert engine.encodes == 1


async def test_one_who_leaves_does_not_take_the_encode_from_the_other(
    server: Server, engine: FakeEngine, encode_gate: threading.Event
) -> None:
    image_id = await uploaded(server, png())
    async with greeted(server) as stays:
        async with greeted(server) as leaves:
            await leaves.send(m.Open(seq=leaves.seq(), image_id=image_id))
            await happened(engine.encoding)
            await stays.send(m.Open(seq=stays.seq(), image_id=image_id))
            await stays.until_pong()
        encode_gate.set()
        await stays.expect(m.Image)
    assert engine.encodes == 1


async def test_two_clients_get_their_own_masks_and_no_one_waits_for_the_others_encode(
    server: Server, engine: FakeEngine
) -> None:
    async with opened(server, png(64, 48)) as one, opened(server, png(640, 480, (9, 9, 9))) as two:
        alone = [await one.hover(10, 10), await two.hover(100, 100)]
        engine.encode_gate = threading.Event()
        engine.encoding.clear()
        third = await uploaded(server, png(30, 30))
        async with greeted(server) as slow:
            await slow.send(m.Open(seq=slow.seq(), image_id=third))
            await happened(engine.encoding)
            for _ in range(5):
                together = await asyncio.gather(one.hover(10, 10), two.hover(100, 100))
                assert [preview.masks for preview in together] == [preview.masks for preview in alone]
            assert not engine.encode_gate.is_set()
            engine.encode_gate.set()
            await slow.expect(m.Image)
    assert alone[0].masks != alone[1].masks


async def test_an_embedding_that_had_to_make_room_is_made_again_with_the_same_mask(
    server: Server, engine: FakeEngine
) -> None:
    server.backend.store = EmbeddingStore(1500)  # one fake embedding has 1000
    files = [png(64, 48, (number, 0, 0)) for number in range(3)]
    async with opened(server, files[0]) as one, opened(server, files[1]) as two, opened(server, files[2]) as three:
        first = [(await peer.hover(20, 20)).masks for peer in (one, two, three)]
        encodes = engine.encodes
        for _ in range(3):
            assert [(await peer.hover(20, 20)).masks for peer in (one, two, three)] == first
        assert engine.encodes == encodes + 9
        assert server.backend.store.stats().bytes <= 1500


async def test_a_picture_is_not_forgotten_while_it_is_decoded(
    server: Server, engine: FakeEngine, decode_gate: threading.Event
) -> None:
    server.backend.store = EmbeddingStore(1500)  # one fake embedding has 1000
    async with opened(server, png(64, 48)) as one, greeted(server) as two:
        await busy_with_a_hover(one, engine)
        await two.open(await uploaded(server, png(30, 30)))
        assert server.backend.store.get(server.predictor.key(image_id_of(png(64, 48)))) is not None
        decode_gate.set()
        await one.expect(m.Preview)
        assert (await two.hover(9, 9)).masks


async def test_an_engine_that_raises_costs_one_reply(server: Server, engine: FakeEngine) -> None:
    async with opened(server, png()) as peer:
        engine.failures.append(EngineFailedError("out of memory"))
        await peer.send(click := m.Click(seq=peer.seq(), x=5, y=5))
        error = await peer.expect(m.Error)
        assert (error.code, error.seq, error.fatal) == ("engine_failed", click.seq, False)
        await peer.send(click)
        assert (await peer.expect(m.Object)).id == 1
        engine.failures.append(EngineFailedError("out of memory"))
        await peer.send(hover := m.Hover(seq=peer.seq(), x=5, y=5))
        assert (await peer.expect(m.Error)).seq == hover.seq
        assert (await peer.hover(6, 6)).x == 6


async def test_an_encode_that_raises_costs_one_reply(server: Server, engine: FakeEngine) -> None:
    async with greeted(server) as peer:
        engine.failures.append(EngineFailedError("out of memory"))
        await peer.send(m.Open(seq=peer.seq(), data=png()))
        assert (await peer.expect(m.Error)).code == "engine_failed"
        await peer.open(image_id_of(png()))
        assert (await peer.hover(6, 6)).x == 6


async def test_a_bug_of_the_engine_is_told_without_its_text(server: Server, engine: FakeEngine) -> None:
    async with opened(server, png()) as peer:
        engine.decode = None  # type: ignore[assignment, method-assign]
        await peer.send(m.Click(seq=peer.seq(), x=5, y=5))
        error = await peer.expect(m.Error)
        assert error.code == "engine_failed"
        assert "NoneType" not in error.message
        del engine.decode
        assert (await peer.click(5, 5)).id == 1
