"""While a picture is encoded, nano answers: marked, and undone and exported as if it had never been."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.errors import EngineFailedError
from app.protocol import messages as m
from app.settings import Settings
from app.weights.manifest import Manifest
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.garage import GRIDS, Garage, small_models
from tests.helpers.image_files import png
from tests.helpers.peer import DEADLINE_S, Peer, dialled, greeted, happened, opened, until, uploaded
from tests.helpers.server import Server, open_gates, started
from tests.helpers.weights_site import CONTENT

pytestmark = pytest.mark.anyio

PICTURE, OTHER = png(64, 48), png(48, 64)
NANO, TINY, SMALL = ((GRIDS[name],) * 2 for name in ("nano", "tiny", "small"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def manifest(folder: Path) -> Manifest:
    found = small_models(folder, "http://127.0.0.1:1/weights.pt")
    (folder / found.entry("small").file).write_bytes(CONTENT)
    return found


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(checkpoints_dir=folder, cache_dir=folder.with_name("cache"), offline=True)


@pytest.fixture
def garage() -> Garage:
    return Garage()


@pytest.fixture
async def server(
    anyio_backend: str, settings: Settings, engine: FakeEngine, manifest: Manifest, garage: Garage
) -> AsyncIterator[Server]:
    """A server that runs `tiny`, whose encodes wait for the test, with nano beside it."""
    engine.encode_gate = threading.Event()
    running = await started(settings, engine, manifest=manifest, load=garage.load, first_responder="nano")
    yield running
    garage.close()
    open_gates(engine)
    await running.stop()


def ready(engine: FakeEngine) -> None:
    """Let `tiny` encode from now on."""
    assert engine.encode_gate is not None
    engine.encode_gate.set()


async def provisional(server: Server, data: bytes) -> str:
    """Upload a picture that nano is to see first; return its name."""
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE_S) as client:
        response = await client.post(f"{server.url}/api/upload?provisional=true", files={"file": ("p", data)})
        return str(response.raise_for_status().json()["image_id"])


async def begin(peer: Peer, image_id: str) -> m.Image:
    """Open a picture that nano may answer for."""
    await peer.send(m.Open(seq=peer.seq(), image_id=image_id, provisional=True))
    return await peer.expect(m.Image)


async def changed_over(peer: Peer) -> tuple[m.Image, dict[int, m.Object]]:
    """Return what is told once the session's own model answers: the picture, and every object up to the last."""
    image = await peer.expect(m.Image)
    objects: dict[int, m.Object] = {}
    last = image.last
    while not last:
        told = await peer.expect(m.Object)
        objects[told.id], last = told, told.last
    return image, objects


async def prompted(peer: Peer) -> None:
    """Make object 1, refined, and object 2, with a candidate of its own choice."""
    await peer.click(20, 20)
    await peer.click(40, 30, object=1)
    await peer.click(12, 30)
    await peer.send(m.Choose(seq=peer.seq(), object=2, candidate=2))
    await peer.expect(m.Object)


async def test_nano_answers_marked_until_the_model_has_seen_the_picture_and_then_all_change_at_once(
    server: Server, engine: FakeEngine
) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer, greeted(server) as patient:
        image = await begin(peer, image_id)
        assert (image.model, image.provisional) == ("tiny", True)
        preview = await peer.hover(20, 20)
        assert (preview.provisional, preview.masks[0].size) == (True, NANO)
        assert (await peer.click(20, 20)).provisional
        await peer.click(40, 30, object=1)
        ready(engine)
        own, objects = await changed_over(peer)
        assert (own.seq, own.model, own.provisional) == (image.seq, "tiny", False)
        await patient.open(image_id)
        await patient.click(20, 20)
        expected = await patient.click(40, 30, object=1)
        assert (objects[1].masks, objects[1].provisional) == (expected.masks, False)
        assert (await peer.hover(20, 20)).masks[0].size == TINY
        assert engine.encodes == 1


async def test_who_does_not_ask_waits_for_the_model(server: Server, engine: FakeEngine, garage: Garage) -> None:
    image_id = await uploaded(server, PICTURE)
    async with greeted(server) as peer:
        await peer.send(m.Open(seq=peer.seq(), image_id=image_id))
        await happened(engine.encoding)
        assert all(isinstance(message, m.Progress) for message in await peer.until_pong())
        ready(engine)
        assert not (await peer.expect(m.Image)).provisional
        assert not (await peer.click(20, 20)).provisional
        await until(lambda: "nano" in garage.made)  # it is loaded beside the start
        assert garage.made["nano"].encodes == 0


async def test_undo_goes_all_the_way_back_and_shows_the_models_own_masks(server: Server, engine: FakeEngine) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer, greeted(server) as patient:
        await begin(peer, image_id)
        await prompted(peer)
        ready(engine)
        await changed_over(peer)
        await patient.open(image_id)
        await prompted(patient)
        for _ in range(4):
            for each in (peer, patient):
                await each.send(m.Undo(seq=each.seq()))
            mine, theirs = await peer.receive(), await patient.receive()
            assert type(mine) is type(theirs)
            if isinstance(mine, m.Object) and isinstance(theirs, m.Object):
                assert (mine.id, mine.trail, mine.masks) == (theirs.id, theirs.trail, theirs.masks)
                assert not mine.provisional
        assert isinstance(mine, m.Gone)
        assert (mine.objects, mine.can_undo) == ((1,), False)


async def test_a_file_waits_for_the_models_own_masks(server: Server, engine: FakeEngine) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer, greeted(server) as patient:
        await begin(peer, image_id)
        await prompted(peer)
        seq = peer.seq()
        await peer.send(m.Export(seq=seq, format="coco"))
        await peer.click(50, 10)  # goes on meanwhile, and isn't in the file
        assert not any(isinstance(message, m.File) for message in await peer.until_pong())
        ready(engine)
        came = [await peer.receive() for _ in range(5)]
        file = next(message for message in came if isinstance(message, m.File))
        await patient.open(image_id)
        await prompted(patient)
        await patient.send(m.Export(seq=patient.seq(), format="coco"))
        assert file.data == (await patient.expect(m.File)).data


async def test_a_picture_that_nano_cannot_encode_is_waited_for(
    server: Server, engine: FakeEngine, garage: Garage
) -> None:
    garage.failures += [EngineFailedError("no"), EngineFailedError("no")]
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer:
        await peer.send(m.Open(seq=peer.seq(), image_id=image_id, provisional=True))
        await happened(engine.encoding)
        ready(engine)
        assert not (await peer.expect(m.Image)).provisional
        assert (await peer.hover(20, 20)).masks[0].size == TINY


async def test_another_picture_in_the_middle_is_the_one_that_changes_over(server: Server, engine: FakeEngine) -> None:
    first, second = await provisional(server, PICTURE), await uploaded(server, OTHER)
    async with greeted(server) as peer:
        await begin(peer, first)
        await peer.click(20, 20)
        image = await begin(peer, second)
        assert image.provisional
        made = await peer.click(30, 30)
        ready(engine)
        own, objects = await changed_over(peer)
        assert (own.seq, own.image_id) == (image.seq, second)
        assert list(objects) == [made.id]
        assert await peer.until_pong() == []


async def test_a_model_chosen_in_the_middle_takes_nanos_place_and_the_one_before_never_does(
    server: Server, engine: FakeEngine
) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer:
        await begin(peer, image_id)
        await peer.click(20, 20)
        for release in (False, True):  # the encode lane is at tiny's, which nobody can interrupt
            if release:
                ready(engine)
            else:
                await peer.send(m.Model(seq=peer.seq(), name="small"))
                await peer.until_pong()
        image, objects = await changed_over(peer)
        while image.model != "small":  # tiny was there first
            image, objects = await changed_over(peer)
        assert (image.provisional, objects[1].provisional) == (False, False)
        assert (await peer.hover(20, 20)).masks[0].size == SMALL
        assert await peer.until_pong() == []


async def test_what_a_switch_needs_is_encoded_beside_the_sessions_work(
    server: Server, engine: FakeEngine, garage: Garage
) -> None:
    ready(engine)
    async with opened(server, PICTURE) as peer, opened(server, PICTURE) as other:
        await peer.send(m.Model(seq=peer.seq(), name="small"))
        await peer.expect(m.Image)
        image_id = await uploaded(server, OTHER)
        await other.open(image_id)
        garage.made["small"].encode_gate = gate = threading.Event()
        seq = other.seq()
        await other.send(m.Model(seq=seq, name="small"))  # loaded, and hasn't seen this picture
        assert (await other.click(20, 20)).masks
        gate.set()
        image, objects = await changed_over(other)
        assert (image.seq, image.model, list(objects)) == (seq, "small", [1])


async def test_forty_clicks_before_the_model_is_ready_are_all_there_in_order(
    server: Server, engine: FakeEngine
) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer:
        await begin(peer, image_id)
        made = [await peer.click(1 + number, 20 + number % 7) for number in range(40)]
        ready(engine)
        _, objects = await changed_over(peer)
        assert [(item.id, item.points) for item in objects.values()] == [(item.id, item.points) for item in made]
        assert not any(item.provisional for item in objects.values())


async def test_a_flood_of_clicks_is_refused_where_it_does_not_fit_and_answered_in_order(
    server: Server, engine: FakeEngine
) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer:
        await begin(peer, image_id)
        for number in range(40):
            await peer.send(m.Click(seq=peer.seq(), x=1 + number, y=20))
        replies: list[m.ServerMessage] = []
        while len(replies) < 40:
            message = await peer.receive()
            replies += [] if isinstance(message, m.Progress) else [message]
        ids = [message.id for message in replies if isinstance(message, m.Object)]
        refused = [message.code for message in replies if isinstance(message, m.Error)]
        assert ids == sorted(ids)
        assert set(refused) <= {"busy"}
        ready(engine)
        _, objects = await changed_over(peer)
        assert list(objects) == ids


async def test_sixteen_sessions_that_open_at_once_are_each_answered_and_each_picture_is_encoded_once(
    server: Server, engine: FakeEngine, garage: Garage
) -> None:
    pictures = [await provisional(server, png(40 + number, 30)) for number in range(16)]

    async def one(image_id: str) -> tuple[m.Image, dict[int, m.Object]]:
        async with greeted(server) as peer:
            image = await begin(peer, image_id)
            assert image.provisional
            assert (await peer.hover(20, 20)).provisional
            await peer.click(20, 20)
            clicked.append(image_id)
            return await changed_over(peer)

    clicked: list[str] = []
    sessions = [asyncio.create_task(one(image_id)) for image_id in pictures]
    await until(lambda: len(clicked) == len(pictures) or any(task.done() for task in sessions))
    ready(engine)
    found = await asyncio.gather(*sessions)
    assert [image.image_id for image, _ in found] == pictures
    assert all(list(objects) == [1] and not objects[1].provisional for _, objects in found)
    assert (engine.encodes, garage.made["nano"].encodes) == (16, 16)


async def test_a_resumed_session_is_told_that_its_masks_are_provisional_and_changes_over_all_the_same(
    server: Server, engine: FakeEngine
) -> None:
    image_id = await provisional(server, PICTURE)
    async with dialled(server) as peer:
        welcome = await peer.hello()
        await begin(peer, image_id)
        await peer.click(20, 20)
    async with dialled(server) as peer:
        await peer.hello(welcome)
        image, objects = await changed_over(peer)
        assert (image.provisional, objects[1].provisional) == (True, True)
        ready(engine)
        image, objects = await changed_over(peer)
        assert (image.provisional, objects[1].provisional) == (False, False)


async def test_a_model_that_cannot_see_the_picture_is_told_of_and_tried_again_for_a_file(
    server: Server, engine: FakeEngine
) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer:
        image = await begin(peer, image_id)
        await peer.click(20, 20)
        engine.failures += [EngineFailedError("no", retry_after_s=0.01) for _ in range(4)]
        ready(engine)
        error = await peer.expect(m.Error)
        assert (error.seq, error.code, error.fatal) == (image.seq, "engine_failed", False)
        assert (await peer.click(40, 30, object=1)).provisional  # nano goes on
        engine.failures.clear()
        await peer.send(m.Export(seq=peer.seq(), format="coco"))
        came = [await peer.receive()]
        while not any(isinstance(message, m.File) for message in came) or not any(
            isinstance(message, m.Object) for message in came
        ):
            came.append(await peer.receive())
        assert not any(message.provisional for message in came if isinstance(message, (m.Image, m.Object)))


async def test_a_hover_that_waits_at_the_change_over_is_answered_by_the_model(
    server: Server, engine: FakeEngine, garage: Garage
) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer:
        await begin(peer, image_id)
        nano = garage.made["nano"]
        nano.decode_gate, engine.decode_gate = threading.Event(), threading.Event()
        nano.decoding.clear()
        seq = peer.seq()
        await peer.send(m.Hover(seq=seq, x=20, y=20))
        await happened(nano.decoding)
        ready(engine)
        await peer.expect(m.Image)
        engine.decode_gate.set()
        nano.decode_gate.set()
        preview = await peer.expect(m.Preview)
        assert (preview.seq, preview.provisional, preview.masks[0].size) == (seq, False, TINY)


async def test_a_hover_that_waits_behind_anothers_is_asked_of_the_model_too(
    server: Server, engine: FakeEngine, garage: Garage
) -> None:
    image_id = await provisional(server, PICTURE)
    async with greeted(server) as peer, greeted(server) as other:
        await begin(peer, image_id)
        await begin(other, image_id)
        nano = garage.made["nano"]
        nano.decode_gate = threading.Event()
        nano.decoding.clear()
        await other.send(m.Hover(seq=other.seq(), x=9, y=9))
        await happened(nano.decoding)
        seq = peer.seq()
        await peer.send(m.Hover(seq=seq, x=20, y=20))
        await peer.until_pong()
        ready(engine)
        await peer.expect(m.Image)
        nano.decode_gate.set()
        preview = await peer.expect(m.Preview)
        assert (preview.seq, preview.provisional, preview.masks[0].size) == (seq, False, TINY)
