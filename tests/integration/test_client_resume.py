"""The client across lost connections: every prompt there, none twice."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any, cast

import pytest

from app.client import Reconnect, Timeouts, connect
from app.engine.sam2.engine import load_torch_engine
from app.errors import UnknownObjectError
from app.exports.files import ExportFile
from app.settings import Settings
from app.weights.catalogue import Weights
from app.weights.manifest import BUNDLED_DIR, load_manifest
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.limits import shrunk
from tests.helpers.peer import DEADLINE_S, happened, until
from tests.helpers.proxy import Cut, once, proxied
from tests.helpers.server import Server, started
from tests.helpers.tour import told, tour

pytestmark = pytest.mark.anyio
QUICK = Reconnect(give_up_s=DEADLINE_S, first_s=0.01, longest_s=0.1)


def another_fake(weights: Weights, *_: object) -> FakeEngine:
    """Load a model that a session switches to."""
    return FakeEngine(model=weights.entry.name)


@pytest.fixture
async def undisturbed(server: Server) -> dict[int, tuple[object, ...]]:
    """What the tour leaves behind where nothing is cut."""
    async with connect(server.url) as session:
        await tour(session)
        return told(session.objects)


@pytest.mark.parametrize("cut", ["before", "inside", "after"])
@pytest.mark.parametrize(
    ("side", "kind", "number"),
    [
        ("client", "open", 1),
        ("server", "image", 1),
        ("client", "click", 1),
        ("client", "click", 2),
        ("server", "object", 1),
        ("server", "object", 4),
        ("client", "choose", 1),
        ("client", "label", 1),
        ("client", "move", 1),
        ("client", "delete", 1),
        ("server", "gone", 1),
        ("client", "undo", 2),
        ("client", "redo", 1),
        ("client", "unpoint", 1),
        ("server", "gone", 2),
    ],
)
async def test_a_cut_loses_nothing_and_makes_nothing_twice(
    server: Server, undisturbed: dict[int, tuple[object, ...]], side: str, kind: str, number: int, cut: Cut
) -> None:
    async with proxied(server.url) as proxy:
        proxy.judge = once(side, kind, cut, number=number)
        async with connect(proxy.url, reconnect=QUICK) as session:
            await tour(session)
            assert told(session.objects) == undisturbed
            assert session.can_undo
    assert proxy.cuts == 1
    assert len(server.shared_state.registry) == 2  # the undisturbed one's and this


@pytest.mark.parametrize("cut", ["before", "inside"])
async def test_a_welcome_that_is_lost_after_a_token_was_changed_locks_nobody_out(
    server: Server, undisturbed: dict[int, tuple[object, ...]], cut: Cut
) -> None:
    async with proxied(server.url) as proxy:
        first, second = once("client", "choose", "after"), once("server", "welcome", cut, number=2)
        proxy.judge = lambda side, message: first(side, message) or second(side, message)
        async with connect(proxy.url, reconnect=QUICK) as session:
            await tour(session)
            assert told(session.objects) == undisturbed
    assert proxy.cuts == 2
    assert len(server.shared_state.registry) == 2


async def test_a_server_that_refuses_the_token_is_given_the_session_again(
    server: Server, undisturbed: dict[int, tuple[object, ...]]
) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await tour(session)
        for entry in server.shared_state.registry._entries.values():
            entry.token, entry.last_token = "another", ""
        proxy.judge = once("client", "ping", "before")
        await session.ping()
        assert told(session.objects) == undisturbed
        assert session.losses == 1


async def test_a_session_that_the_server_has_forgotten_is_made_again(
    server: Server, undisturbed: dict[int, tuple[object, ...]]
) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await tour(session)
        steps = session.can_undo, session.can_redo
        server.shared_state.registry._entries.clear()
        proxy.judge = once("client", "click", "before", number=1)
        fresh = await session.click(150, 110)
        assert fresh.id not in undisturbed
        await session.undo()
        assert told(session.objects) == undisturbed
        assert (session.can_undo, session.can_redo) == (steps[0], True)


async def test_objects_of_a_second_picture_keep_their_ids_on_a_server_that_counts_anew(server: Server) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await session.open(png(64, 48))
        await session.click(5, 5)
        await session.click(6, 6)
        await session.open(png(160, 120))
        third = await session.click(80, 60)
        server.shared_state.registry._entries.clear()
        proxy.judge = once("client", "ping", "before")
        await session.ping()
        assert set(session.objects) == {third.id}
        refined = await session.click(20, 20, object=third.id)
        assert refined.id == third.id
        assert list(refined.points) == [(80, 60, 1), (20, 20, 1)]
        assert (await session.click(100, 100)).id == third.id + 1  # not 2, which was an object of the first picture
        preview = await session.preview(20, 20, object=third.id)
        assert preview is not None
        assert preview.object == third.id
        await session.delete(third.id)
        assert set(session.objects) == {third.id + 1}
        with pytest.raises(UnknownObjectError):
            await session.label(third.id, "gone")


async def test_a_cut_in_the_middle_of_making_a_session_again_begins_anew(
    server: Server, undisturbed: dict[int, tuple[object, ...]]
) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await tour(session)
        server.shared_state.registry._entries.clear()
        first, second = once("client", "ping", "before"), once("server", "object", "inside", number=3)
        proxy.judge = lambda side, message: first(side, message) or second(side, message)
        await session.ping()
        assert proxy.cuts == 2
        assert told(session.objects) == undisturbed


async def test_clicks_on_their_way_together_survive_a_cut_in_order(server: Server) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await session.open(png(160, 120))
        proxy.judge = once("server", "object", "before", number=3)
        clicks = await asyncio.gather(*(session.click(x, 60) for x in range(20)))
        assert [each.id for each in clicks] == list(range(1, 21))
        assert [each.points[0][0] for each in session.objects.values()] == list(range(20))


async def test_a_hover_on_its_way_is_given_up_and_the_next_is_answered(server: Server, engine: FakeEngine) -> None:
    async with (
        proxied(server.url) as proxy,
        connect(proxy.url, reconnect=QUICK, timeouts=Timeouts(hover_s=600)) as session,
    ):
        await session.open(png())
        proxy.judge = once("client", "hover", "after")
        assert await asyncio.wait_for(session.preview(5, 5), DEADLINE_S) is None
        assert await session.preview(6, 6) is not None
        assert session.losses == 1


async def test_a_path_goes_on_after_a_cut(server: Server) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await session.open(png())
        proxy.judge = once("client", "hover", "inside", number=4)
        seen = [preview.x async for preview in session.hover([(x, 5) for x in range(10)])]
        assert seen[-1] == 9
        assert seen == sorted(set(seen))


async def test_a_click_waits_for_a_server_that_is_away(
    server: Server, undisturbed: dict[int, tuple[object, ...]]
) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await session.open(png())
        proxy.target, proxy.judge = "http://127.0.0.1:9", once("client", "click", "before")
        click = asyncio.create_task(session.click(5, 5))
        before = proxy.dialled
        await until(lambda: proxy.dialled >= before + 3)
        assert not click.done()
        proxy.target = server.url
        assert (await asyncio.wait_for(click, DEADLINE_S)).id == 1


async def test_a_server_that_stays_away_is_given_up_with_its_address(server: Server) -> None:
    policy = Reconnect(give_up_s=0.3, first_s=0.01, longest_s=0.05)
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=policy) as session:
        await session.open(png())
        proxy.target, proxy.judge = "http://127.0.0.1:9", once("client", "click", "before")
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError, match=proxy.url):
                await session.click(5, 5)


async def test_a_change_that_ends_every_socket_is_given_up_and_the_session_is_not(server: Server) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await session.open(png())
        proxy.judge = lambda side, message: "before" if side == "client" and message["t"] == "label" else None
        cup = await session.click(5, 5)
        with pytest.raises(ConnectionError, match="5 times"):
            await session.label(cup.id, "poison")
        assert (await session.click(6, 6)).id == 2


async def test_a_taken_over_session_is_not_taken_back(server: Server) -> None:
    async with connect(server.url, reconnect=QUICK) as old:
        await old.open(png())
        [entry] = server.shared_state.registry._entries.values()
        assert entry.holder is not None
        entry.holder.taken_over()
        await until(lambda: old.losses == 1)
        with pytest.raises(ConnectionError, match="4409"):
            await old.ping()


async def test_a_busy_change_is_sent_again_until_it_is_made(engine: FakeEngine) -> None:
    server = await started(Settings(), engine, limits=shrunk(max_clicks_queued=1, shutdown_timeout_s=2.0))
    async with connect(server.url) as session:
        await session.open(png())
        engine.decode_gate = threading.Event()
        clicks = [asyncio.create_task(session.click(x, 5)) for x in range(4)]
        await happened(engine.decoding)
        await session.ping()  # by now some were refused
        engine.decode_gate.set()
        made = await asyncio.wait_for(asyncio.gather(*clicks), DEADLINE_S)
        assert sorted(each.points[0][0] for each in made) == [0, 1, 2, 3]
        assert len(session.objects) == 4
    await server.stop()


async def test_a_picture_is_uploaded_again_to_a_server_that_forgot_it_before_it_was_opened(server: Server) -> None:
    def forget_once(side: str, message: dict[str, object]) -> None:
        if side == "client" and message["t"] == "open" and not forgotten:
            forgotten.append(message)
            server.predictor.pictures._kept.clear()

    forgotten: list[object] = []
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        proxy.judge = forget_once
        assert (await session.open(png())).width == 64
        assert forgotten


async def seen_by_one(url: str, picture: bytes, number: int) -> list[object]:
    """Return all that one of sixteen scripted sessions sees; it waits for each answer, however long others take."""
    async with connect(url, timeouts=Timeouts(hover_s=60.0, reply_s=60.0)) as session:
        await session.open(picture)
        seen: list[object] = []
        cup = await session.click(20 + number, 30)
        async for preview in session.hover([(40, 10 + 3 * step + number % 3) for step in range(4)]):
            seen.append(preview.masks)
        cup = await session.click(60, 40 + number, object=cup.id)
        other = await session.box((5, 5, 50 + number, 60))
        await session.undo()
        await session.redo()
        await session.click(20, 30, label=0, object=other.id)
        return [told(session.objects), seen[-1]]


async def sixteen_see_what_each_would_alone(url: str) -> None:
    pictures = [file_of(noise(96 + 8 * number, 80, seed=number), "PNG") for number in range(8)]
    expected = [await seen_by_one(url, pictures[number % 8], number) for number in range(16)]
    together = await asyncio.gather(*(seen_by_one(url, pictures[number % 8], number) for number in range(16)))
    assert list(together) == expected
    assert len({str(each) for each in expected}) == 16


async def test_sixteen_sessions_on_eight_pictures_see_what_each_would_alone(server: Server) -> None:
    await sixteen_see_what_each_would_alone(server.url)


async def test_sixteen_sessions_of_a_real_model_see_what_each_would_alone() -> None:
    patient = shrunk(shutdown_timeout_s=2.0, hover_timeout_s=60.0, click_timeout_s=60.0)
    nano = load_torch_engine(load_manifest().entry("nano"), BUNDLED_DIR / "nano.pt")
    server = await started(Settings(offline=True), cast("FakeEngine", nano), limits=patient)
    await sixteen_see_what_each_would_alone(server.url)
    await server.stop()


async def test_a_session_on_another_model_is_made_again_on_that_model(engine: FakeEngine) -> None:
    server = await started(Settings(offline=True), engine, load=another_fake)
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await session.open(png(160, 120))
        cup = await session.click(80, 60)
        await session.click(20, 20, object=cup.id)
        switched = await session.model("nano")
        assert switched is not None
        assert switched.model == "nano"
        await session.click(100, 60)
        before = told(session.objects)
        server.shared_state.registry._entries.clear()
        proxy.judge = once("client", "ping", "before")
        await session.ping()
        assert session.image is not None
        assert session.image.model == "nano"
        assert told(session.objects) == before
    await server.stop()


async def test_a_model_asked_for_before_any_picture_is_asked_for_again(engine: FakeEngine) -> None:
    server = await started(Settings(offline=True), engine, load=another_fake)
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        assert await session.model("nano") is None
        server.shared_state.registry._entries.clear()
        proxy.judge = once("client", "ping", "before")
        await session.ping()
        assert (await session.open(png())).model == "nano"
    await server.stop()


async def test_a_file_is_waited_for_longer_than_a_click(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, make = asyncio.Event(), server.shared_state.exporter.make

    async def held(*asked: Any) -> ExportFile:
        await gate.wait()
        return await make(*asked)

    monkeypatch.setattr(server.shared_state.exporter, "make", held)
    timeouts = Timeouts(reply_s=0.5)
    async with connect(server.url, timeouts=timeouts) as session:
        await session.open(png())
        asking = asyncio.create_task(session.export("coco"))
        done, _ = await asyncio.wait([asking], timeout=3 * timeouts.reply_s)
        assert not done
        gate.set()
        assert (await asking).media_type == "application/json"


async def test_a_file_is_exported_across_a_cut(server: Server) -> None:
    async with proxied(server.url) as proxy, connect(proxy.url, reconnect=QUICK) as session:
        await session.open(png(160, 120))
        cup = await session.click(80, 60)
        await session.click(20, 20)
        proxy.judge = once("server", "file", "inside")
        file = await session.export("coco", [cup.id])
        assert proxy.cuts == 1
        assert file.media_type == "application/json"
        assert len(json.loads(file.data)["annotations"]) == 1
