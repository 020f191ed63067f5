"""One session goes on with another model: loaded beside its work, everything predicted again, nothing lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.errors import EngineFailedError, ModelUnavailableError
from app.protocol import messages as m
from app.protocol.recipe import FORMAT, VERSION, PointStep, Recipe, RecipeObject
from app.service.hover_slot import HoverSlot
from app.session.objects import SessionObject
from app.session.query import HoverQuery, Query
from app.settings import Settings
from app.weights.manifest import Manifest
from tests.helpers.clip_files import zipped
from tests.helpers.clip_screen import ClipScreen, uploaded_clip
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.garage import Garage, all_objects, ask, small_models, switch
from tests.helpers.image_files import png
from tests.helpers.peer import Peer, dialled, greeted, happened, opened, until, uploaded
from tests.helpers.server import Server, open_gates, started
from tests.helpers.weights_site import CONTENT, HALF

pytestmark = pytest.mark.anyio

PICTURE = png(64, 48)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def manifest(folder: Path) -> Manifest:
    return small_models(folder, "http://127.0.0.1:1/weights.pt")


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
    """A server that runs `tiny`; other models load as engines without a model once their file is there."""
    running = await started(settings, engine, manifest=manifest, load=garage.load)
    yield running
    garage.close()
    open_gates(engine)
    await running.stop()


def put(manifest: Manifest, folder: Path, *names: str) -> None:
    for name in names:
        (folder / manifest.entry(name).file).write_bytes(CONTENT)


async def prompted(peer: Peer) -> None:
    """Make object 1, refined from a chosen candidate, and object 2, a box."""
    await peer.click(20, 20)
    await peer.send(m.Choose(seq=peer.seq(), object=1, candidate=0))
    await peer.expect(m.Object)
    await peer.click(40, 30, object=1)
    await peer.click(25, 25, label=0, object=1)
    await peer.send(m.Box(seq=peer.seq(), box=(5, 5, 30, 40)))
    await peer.expect(m.Object)


async def test_every_object_is_predicted_again_as_if_the_model_had_been_there_from_the_start(
    server: Server, manifest: Manifest, folder: Path
) -> None:
    put(manifest, folder, "small")
    async with opened(server, PICTURE) as switching, opened(server, PICTURE) as fresh:
        await prompted(switching)
        image, switched = await switch(switching, "small", objects=2)
        assert (image.model, image.width, image.height) == ("small", 64, 48)
        await switch(fresh, "small")
        await prompted(fresh)
        _, expected = await switch(fresh, "small", objects=2)
        assert [item.masks for item in switched.values()] == [item.masks for item in expected.values()]
        assert [item.points for item in switched.values()] == [item.points for item in expected.values()]


async def test_objects_of_a_clip_are_followed_again_by_another_model_and_by_the_first_one_once_more(
    server: Server, manifest: Manifest, folder: Path
) -> None:
    put(manifest, folder, "small")
    clip_id = await uploaded_clip(server.url, zipped(6))
    async with greeted(server) as peer, greeted(server) as other:
        screen, fresh = ClipScreen(peer), ClipScreen(other)
        await screen.open(clip_id, 2)
        await screen.click(30, 40)
        await screen.track()
        await screen.show(4)
        await screen.click(90, 60, object=1)
        await screen.track(direction="forward")
        before = dict(screen.masks)
        await screen.followed(await screen.ask(m.Model(seq=next(screen.seqs), name="small")))
        assert not [key for key, mask in before.items() if screen.masks[key] == mask]
        await fresh.followed(await fresh.open(clip_id, 0, screen.recipe()))
        assert fresh.masks == screen.masks
        await screen.followed(await screen.ask(m.Model(seq=next(screen.seqs), name="tiny")))
        assert screen.masks == before


async def test_what_a_window_answered_is_predicted_again_in_that_window_and_hovers_see_through_it_too(
    server: Server, manifest: Manifest, folder: Path
) -> None:
    put(manifest, folder, "small")
    image_id = await uploaded(server, png(900, 600))
    window = (256, 128, 512, 384)

    async def prompted_in_window(peer: Peer) -> None:
        await peer.open(image_id)
        await peer.send(m.Click(seq=peer.seq(), x=380, y=250, window=window))
        await peer.expect(m.Object)
        await peer.send(m.Click(seq=peer.seq(), x=400, y=250, object=1, window=window))
        await peer.expect(m.Object)

    async with greeted(server) as switching, greeted(server) as fresh:
        await prompted_in_window(switching)
        _, switched = await switch(switching, "small", objects=1)
        await fresh.open(image_id)
        await switch(fresh, "small")
        await prompted_in_window(fresh)
        _, expected = await switch(fresh, "small", objects=1)
        item = switched[1]
        assert item.masks == expected[1].masks
        assert {mask.window for mask in item.masks} == {window}
        assert [step.window for step in item.trail] == [window, window]  # type: ignore[union-attr]
        await switching.send(m.Hover(seq=switching.seq(), x=380, y=250, window=window))
        assert {mask.window for mask in (await switching.expect(m.Preview)).masks} == {window}
        await switching.send(m.Undo(seq=switching.seq()))
        assert {mask.window for mask in (await switching.expect(m.Object)).masks} == {window}


async def test_only_the_session_that_asks_changes_its_model(server: Server, manifest: Manifest, folder: Path) -> None:
    put(manifest, folder, "small")
    async with opened(server, PICTURE) as one, opened(server, PICTURE) as other:
        before = await other.hover(20, 20)
        await switch(one, "small")
        assert (await one.hover(20, 20)).masks[0].size == (32, 32)
        assert (await other.hover(20, 20)).masks == before.masks


async def test_the_welcome_of_a_resumed_session_says_its_model(
    server: Server, manifest: Manifest, folder: Path
) -> None:
    put(manifest, folder, "small")
    image_id = await uploaded(server, PICTURE)
    async with dialled(server) as peer:
        welcome = await peer.hello()
        await peer.open(image_id)
        await peer.click(20, 20)
        await switch(peer, "small", objects=1)
    async with dialled(server) as peer:
        assert (await peer.hello(welcome)).model == "small"
        assert (await peer.expect(m.Image)).model == "small"


async def test_undo_and_redo_after_a_switch_show_the_new_models_masks(
    server: Server, manifest: Manifest, folder: Path, garage: Garage
) -> None:
    put(manifest, folder, "small")
    async with opened(server, PICTURE) as peer, opened(server, PICTURE) as fresh:
        await peer.click(20, 20)
        await peer.click(40, 30, object=1)
        await switch(peer, "small", objects=1)
        await switch(fresh, "small")
        first = await fresh.click(20, 20)
        second = await fresh.click(40, 30, object=1)
        for back, expected in [(True, first), (False, second), (True, first)]:
            await peer.send(m.Undo(seq=peer.seq()) if back else m.Redo(seq=peer.seq()))
            shown = await peer.expect(m.Object)
            assert (shown.points, shown.masks) == (expected.points, expected.masks)
        decoded = len(garage.made["small"].decoded)
        await peer.send(m.Redo(seq=peer.seq()))
        await peer.expect(m.Object)
        assert len(garage.made["small"].decoded) == decoded  # predicted once, then kept


async def test_a_model_chosen_before_a_picture_is_the_one_that_encodes_it(
    server: Server, manifest: Manifest, folder: Path, garage: Garage
) -> None:
    put(manifest, folder, "small")
    image_id = await uploaded(server, PICTURE)
    async with greeted(server) as peer:
        seq = await ask(peer, "small")
        gone = await peer.expect(m.Gone)
        assert (gone.seq, gone.objects) == (seq, ())
        assert (await peer.open(image_id)).model == "small"
        assert garage.made["small"].encodes == 1


async def test_a_repeated_model_message_is_answered_from_the_state(
    server: Server, manifest: Manifest, folder: Path, garage: Garage
) -> None:
    put(manifest, folder, "small")
    async with opened(server, PICTURE) as peer:
        message = m.Model(seq=peer.seq(), name="small")
        await peer.send(message)
        await peer.expect(m.Image)
        made = await peer.click(20, 20)
        decoded = len(garage.made["small"].decoded)
        await peer.send(message)
        assert (await peer.expect(m.Image)).model == "small"
        assert (await peer.expect(m.Object)).masks == made.masks
        assert len(garage.made["small"].decoded) == decoded


async def test_while_a_model_is_loaded_all_sessions_work_on_with_theirs(
    server: Server, manifest: Manifest, folder: Path, garage: Garage
) -> None:
    put(manifest, folder, "small")
    garage.gate = threading.Event()
    async with opened(server, PICTURE) as peer, opened(server, PICTURE) as other:
        seq = await ask(peer, "small")
        await happened(garage.loading)
        assert (await other.hover(9, 9)).masks[0].size == (64, 64)
        assert (await peer.hover(9, 9)).masks[0].size == (64, 64)
        clicked = await peer.click(20, 20)
        garage.gate.set()
        image = await peer.expect(m.Image)
        assert (image.seq, image.model) == (seq, "small")
        again = await peer.expect(m.Object)
        assert (again.id, again.points) == (clicked.id, clicked.points)
        assert again.masks != clicked.masks


async def test_two_sessions_that_ask_at_once_load_once(
    server: Server, manifest: Manifest, folder: Path, garage: Garage
) -> None:
    put(manifest, folder, "small")
    garage.gate = threading.Event()
    async with opened(server, PICTURE) as one, opened(server, PICTURE) as two:
        for peer in (one, two):
            await ask(peer, "small")
            await peer.until_pong()
        garage.gate.set()
        images = await asyncio.gather(one.expect(m.Image), two.expect(m.Image))
        assert [image.model for image in images] == ["small", "small"]
        assert garage.names == ["small"]
        assert garage.made["small"].encodes == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "is missing; fetch it with"),
        (CONTENT[:HALF], "cut short"),
        (CONTENT[:-1] + b"?", "was altered"),
        (CONTENT, "not a checkpoint of small"),
    ],
    ids=["missing", "cut", "altered", "foreign"],
)
async def test_a_checkpoint_that_cannot_be_used_leaves_the_session_as_it_is(
    server: Server,
    manifest: Manifest,
    folder: Path,
    garage: Garage,
    content: bytes | None,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content is not None:
        (folder / manifest.entry("small").file).write_bytes(content)
    garage.errors.append(ModelUnavailableError("not a checkpoint of small"))
    async with opened(server, PICTURE) as peer:
        await prompted(peer)
        before = await all_objects(peer, 2)
        seq = await ask(peer, "small")
        error = await peer.expect(m.Error)
        assert (error.seq, error.code, error.fatal) == (seq, "model_unavailable", False)
        assert error.message == "small isn't ready on this server; whoever runs it finds the reason in its log"
        assert told in capsys.readouterr().out  # the log: the reason names paths, which are no business of a visitor's
        assert await all_objects(peer, 2) == {
            id_: msgspec.structs.replace(item, seq=seq + 1) for id_, item in before.items()
        }
        assert (await peer.hover(9, 9)).masks[0].size == (64, 64)


async def test_a_file_that_appears_makes_its_model_available_without_a_restart(
    server: Server, manifest: Manifest, folder: Path
) -> None:
    async def available() -> list[str]:
        async with dialled(server) as peer:
            return [model.name for model in (await peer.hello()).models if model.available]

    assert await available() == ["nano", "tiny"]
    async with opened(server, PICTURE) as peer:
        await ask(peer, "large")
        assert (await peer.expect(m.Error)).code == "model_unavailable"
        put(manifest, folder, "large")
        assert await available() == ["nano", "tiny", "large"]
        assert (await switch(peer, "large"))[0].model == "large"


async def test_an_engine_that_fails_in_the_middle_of_a_switch_changes_nothing(
    server: Server, manifest: Manifest, folder: Path, garage: Garage
) -> None:
    put(manifest, folder, "small")
    async with opened(server, PICTURE) as peer:
        await prompted(peer)
        before = await all_objects(peer, 2)
        garage.failures = [EngineFailedError("the encoder failed")]
        seq = await ask(peer, "small")
        error = await peer.expect(m.Error)
        assert (error.seq, error.code) == (seq, "engine_failed")
        after = await all_objects(peer, 2)
        assert [item.masks for item in after.values()] == [item.masks for item in before.values()]
        assert (await switch(peer, "small", objects=2))[0].model == "small"


async def test_a_model_that_had_to_make_room_comes_back_by_itself_with_the_same_masks(
    server: Server, manifest: Manifest, folder: Path, garage: Garage
) -> None:
    put(manifest, folder, "small", "large")
    server.backend.models._budget_bytes = 1
    async with opened(server, PICTURE) as one, opened(server, PICTURE) as two:
        await switch(one, "small")
        before = await one.click(20, 20)
        small = garage.made["small"]
        await switch(two, "large")
        assert server.backend.models.names == ["tiny", "large"]
        assert small.closed
        assert [key.model for key in server.backend.store._entries] == ["tiny", "large"]
        assert (await one.hover(20, 20)).masks[0].size == (32, 32)
        again = await one.click(20, 20)
        assert again.masks == before.masks
    assert garage.names == ["small", "large", "small"]


async def test_a_recipe_brings_its_model_along(server: Server, manifest: Manifest, folder: Path) -> None:
    put(manifest, folder, "large")
    image_id = await uploaded(server, PICTURE)
    made = RecipeObject(id=7, name="cup", color=6, trail=(PointStep(x=20, y=20),))
    recipe = Recipe(
        format=FORMAT, version=VERSION, image_id=image_id, width=64, height=48, model="large", objects=(made,)
    )
    async with greeted(server) as peer:
        await peer.send(m.Open(seq=peer.seq(), image_id=image_id, recipe=recipe))
        assert (await peer.expect(m.Image)).model == "large"
        assert [each.name for each in (await peer.expect(m.Classes)).classes] == ["cup"]
        assert (await peer.expect(m.Object)).id == 7
        assert (await peer.hover(20, 20)).masks[0].size == (56, 56)


async def test_a_hover_that_refines_another_models_mask_is_not_decoded(server: Server, engine: FakeEngine) -> None:
    image = await server.predictor.pictures.info(await uploaded(server, PICTURE))
    query = Query(1, SessionObject(id=1, name="", color=0, trail=(PointStep(x=1.0, y=1.0),)))
    for model, answered in [("small", False), ("tiny", True)]:
        slot = HoverSlot()
        slot.put(HoverQuery(query, image, 1.0, 1.0, None, model))
        done = await server.predictor.hover(image, slot, "tiny")
        assert (done is not None) == answered
        assert (slot.seq is None) == answered  # what asks another model waits for its turn


async def test_another_picture_while_a_chosen_model_studies_the_first_is_studied_by_it_too(
    server: Server, engine: FakeEngine, manifest: Manifest, folder: Path, garage: Garage
) -> None:
    put(manifest, folder, "small")
    first, second = await uploaded(server, PICTURE), await uploaded(server, png(48, 64))
    async with greeted(server) as peer:
        await peer.send(m.Model(seq=peer.seq(), name="small"))
        await peer.expect(m.Gone)
        await peer.send(m.Model(seq=peer.seq(), name="tiny"))
        await peer.expect(m.Gone)
        await peer.open(first)
        small = garage.made["small"]
        small.encode_gate = threading.Event()
        small.encoding.clear()
        seq = peer.seq()
        await peer.send(m.Model(seq=seq, name="small"))
        await happened(small.encoding)
        opening = peer.seq()
        await peer.send(m.Open(seq=opening, image_id=second))
        await until(lambda: engine.encodes == 2)
        small.encode_gate.set()
        told = [await peer.expect(m.Image) for _ in range(2)]
        assert [(image.seq, image.image_id, image.model) for image in told] == [
            (opening, second, "tiny"),
            (seq, second, "small"),
        ]
        assert small.encoded == [(48, 64), (64, 48)]
