"""A session that is made again by the server: `open` brings its recipe, undo steps and all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from app.protocol import messages as m
from app.protocol.codec import encode
from app.protocol.fields import MAX_RECIPE_BYTES
from app.protocol.recipe import FORMAT, VERSION, BoxStep, PointStep, Recipe, RecipeObject, UndoStep
from app.session.recipe import read_recipe
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import Peer, dialled, greeted, opened, uploaded
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio

PICTURE = png(160, 120)
FIRST, SECOND = PointStep(x=80, y=60), PointStep(x=30, y=30, label=0)


def made(id_: int, *trail: PointStep | BoxStep, name: str = "cup") -> RecipeObject:
    return RecipeObject(id=id_, name=name, color=id_ - 1, trail=trail)


def recipe_of(image_id: str, *objects: RecipeObject, **more: Any) -> Recipe:
    base = Recipe(
        format=FORMAT, version=VERSION, image_id=image_id, width=160, height=120, model="tiny", objects=objects
    )
    return replace(base, **more)


async def answer(peer: Peer) -> list[m.ServerMessage]:
    """Return what comes until the message that says it is the last of its answer; progress is passed over."""
    came: list[m.ServerMessage] = []
    while not (came and getattr(came[-1], "last", True)):
        message = await peer.receive()
        if not isinstance(message, m.Progress):
            came.append(message)
    return came


async def opened_with(peer: Peer, recipe: Recipe, image_id: str | None = None) -> list[m.ServerMessage]:
    await peer.send(m.Open(seq=peer.seq(), image_id=image_id or recipe.image_id, recipe=recipe))
    return await answer(peer)


def told(messages: list[m.ServerMessage]) -> list[m.Object]:
    """Return the objects, as they are whatever asked for them and whatever can be undone."""
    objects = [message for message in messages if isinstance(message, m.Object)]
    return [replace(each, seq=0, last=False, can_undo=False, can_redo=False) for each in objects]


async def test_a_session_comes_back_to_the_bit_with_names_colours_and_picks(server: Server) -> None:
    async with opened(server, PICTURE) as one, greeted(server) as other:
        await one.send(m.Click(seq=one.seq(), x=80, y=60, candidate=2))
        await answer(one)
        await one.click(30, 30, label=0, object=1)
        await one.send(m.Box(seq=one.seq(), box=(10, 10, 60, 90)))
        await answer(one)
        await one.send(m.Label(seq=one.seq(), object=2, name="Käfer"))
        await answer(one)
        await one.send(m.Export(seq=one.seq(), format="recipe"))
        recipe = read_recipe((await one.expect(m.File)).data)
        again = await opened_with(other, recipe)
        await one.send(m.Model(seq=one.seq(), name="tiny"))  # which tells everything once more
        assert told(again) == told(await answer(one))
        assert [each.trail for each in told(again)] == [made.trail for made in recipe.objects]
        assert [getattr(each, "last", None) for each in again] == [False, False, False, True]
        assert (await other.click(5, 5)).id == 3


async def test_undo_and_redo_go_on_where_the_lost_session_was(server: Server, engine: FakeEngine) -> None:
    image_id = await uploaded(server, PICTURE)
    now = made(1, FIRST, SECOND), made(2, BoxStep(box=(10, 10, 60, 90)))
    past = UndoStep((made(1, FIRST, name="Object 1"),), gone=(2,)), UndoStep((made(1, FIRST, SECOND),))
    future = UndoStep(gone=(1,)), UndoStep((made(2, FIRST),))
    async with greeted(server) as peer:
        came = await opened_with(peer, recipe_of(image_id, *now, past=past, future=future))
        assert [(each.can_undo, each.can_redo) for each in came[1:] if isinstance(each, m.Object)] == [(True, True)] * 2
        decodes = len(engine.decoded)
        assert decodes == 3  # undo steps are predicted once undo reaches them
        await peer.send(m.Undo(seq=peer.seq()))
        assert [type(each) for each in await answer(peer)] == [m.Gone]  # that step changed nothing
        await peer.send(m.Undo(seq=peer.seq()))
        shown, gone = await answer(peer)
        assert isinstance(shown, m.Object)
        assert isinstance(gone, m.Gone)
        assert (shown.trail, shown.name, shown.can_undo, gone.objects) == ((FIRST,), "Object 1", False, (2,))
        fresh = await peer.click(80, 60)
        assert (fresh.id, fresh.masks) == (3, shown.masks)


async def test_what_was_undone_is_done_again(server: Server) -> None:
    image_id = await uploaded(server, PICTURE)
    future = UndoStep(gone=(1,)), UndoStep((made(2, FIRST),))
    async with greeted(server) as peer:
        await opened_with(peer, recipe_of(image_id, made(1, FIRST), future=future))
        await peer.send(m.Redo(seq=peer.seq()))
        [second] = await answer(peer)
        assert isinstance(second, m.Object)
        assert (second.id, second.can_undo, second.can_redo) == (2, True, True)
        await peer.send(m.Redo(seq=peer.seq()))
        [gone] = await answer(peer)
        assert isinstance(gone, m.Gone)
        assert (gone.objects, gone.can_redo) == ((1,), False)


async def test_a_recipe_that_does_not_fit_changes_nothing(server: Server) -> None:
    image_id, other_id = await uploaded(server, PICTURE), await uploaded(server, png(60, 60))
    wrong = {
        "of another picture": (other_id, recipe_of(image_id, made(1, FIRST))),
        "off the picture": (image_id, recipe_of(image_id, made(1, PointStep(x=161, y=1)))),
        "a pick that there isn't": (image_id, recipe_of(image_id, made(1, replace(FIRST, pick=3)))),
        "off the picture before": (image_id, recipe_of(image_id, past=(UndoStep((made(1, PointStep(x=-1, y=1)),)),))),
    }
    async with greeted(server) as peer:
        await peer.open(image_id)
        kept = await peer.click(80, 60)
        for name, (picture, recipe) in wrong.items():
            [error] = await opened_with(peer, recipe, picture)
            assert isinstance(error, m.Error), name
            assert not error.fatal, name
        after = await peer.click(30, 30, label=0, object=kept.id)
        assert len(after.points) == 2


async def test_a_recipe_has_a_bound_of_its_own(server: Server) -> None:
    image_id = await uploaded(server, PICTURE)
    step = UndoStep((made(1, *[FIRST] * 60),))
    recipe = recipe_of(image_id, made(1, FIRST))
    room = MAX_RECIPE_BYTES - len(encode(m.Open(seq=1, image_id=image_id, recipe=recipe))) - 8
    most = room // len(msgspec.msgpack.encode(step))
    async with greeted(server) as peer:
        fits = replace(recipe, past=(step,) * most)
        assert isinstance((await opened_with(peer, fits))[0], m.Image)
        [error] = await opened_with(peer, replace(recipe, past=(step,) * (most + 1)))
        assert isinstance(error, m.Error)
        assert (error.code, "leave older undo steps out" in error.message) == ("bad_message", True)


async def test_every_answer_ends_with_its_last_message_and_no_other_says_so(server: Server) -> None:
    async with opened(server, PICTURE) as peer:
        for x in (20, 80, 140):
            assert (await peer.click(x, 60)).last
        await peer.send(m.Clear(seq=peer.seq()))
        assert len(await answer(peer)) == 1
        await peer.send(m.Undo(seq=peer.seq()))
        back = await answer(peer)
        assert [getattr(each, "last", None) for each in back] == [False, False, True]
        await peer.send(m.Redo(seq=peer.seq()))
        await answer(peer)
        assert await peer.until_pong() == []


@pytest.mark.parametrize("picture", [False, True], ids=["nothing open", "a picture"])
async def test_what_a_resumed_client_is_told_ends_too(server: Server, *, picture: bool) -> None:
    async with dialled(server) as first:
        welcome = await first.hello()
        if picture:
            await first.open(await uploaded(server, PICTURE))
            await first.click(80, 60)
    async with dialled(server) as second:
        assert (await second.hello(welcome)).resumed
        assert [type(message) for message in await answer(second)] == ([m.Image, m.Object] if picture else [m.Gone])


@pytest.mark.parametrize("model", ["large", "unheard of"])
async def test_a_recipe_does_without_its_model_where_that_can_not_be_had(server: Server, model: str) -> None:
    image_id = await uploaded(server, PICTURE)
    async with greeted(server) as peer:
        image, classes, shown = await opened_with(peer, recipe_of(image_id, made(1, FIRST), model=model))
        assert isinstance(classes, m.Classes)
        assert isinstance(image, m.Image)
        assert isinstance(shown, m.Object)
        assert image.model == "tiny"
