"""The window that is seen, over the socket, by HTTP and by the client."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import httpx
import numpy as np
import pytest

from app.client import connect
from app.protocol import messages as m
from app.protocol.fields import WindowXyxy
from app.protocol.frames import over_picture
from app.protocol.windows import source_of
from app.service.embeddings import EmbeddingKey
from app.session.recipe import read_recipe
from tests.helpers.fake_engine import EMBEDDING_BYTES, FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import Peer, greeted, opened, uploaded
from tests.helpers.server import Server
from tests.helpers.serving import serving

pytestmark = pytest.mark.anyio
PICTURE = png(1600, 1200)
SIZE_HW = (1200, 1600)


async def test_who_looks_closer_gets_a_window_and_what_is_made_in_it_is_made_again(
    server: Server, engine: FakeEngine
) -> None:
    async with opened(server, PICTURE) as peer:
        # All of the picture on a screen of its size is sharp enough; a part of it at four times is not.
        await peer.send(m.Look(seq=100, view=(0, 0, 1600, 1200), scale=0.2))
        assert (await peer.expect(m.Window)).window is None
        await peer.send(m.Look(seq=101, view=(700, 500, 900, 650), scale=4))
        window = (await peer.expect(m.Window)).window
        assert window is not None
        assert engine.encoded[-1] == (256, 256)
        await peer.send(m.Hover(seq=102, x=800, y=600, window=window))
        assert {mask.window for mask in (await peer.expect(m.Preview)).masks} == {window}
        await peer.send(m.Click(seq=103, x=800, y=600, window=window))
        made = await peer.expect(m.Object)
        assert (made.masks[made.chosen].window, made.trail[0].window) == (window, window)  # type: ignore[union-attr]
        # A window that isn't one is told of, and nothing is lost.
        for seq, bad in ((104, (0, 0, 1601, 10)), (105, (5, 5, 5, 9))):
            await peer.send(m.Click(seq=seq, x=5, y=7, window=bad))
            assert (await peer.expect(m.Error)).code == "bad_coord"
        await peer.send(m.Look(seq=200, view=(9, 9, 9, 9), scale=4))
        assert (await peer.expect(m.Error)).code == "bad_coord"
        await peer.send(m.Export(seq=201, format="recipe"))
        recipe = read_recipe((await peer.expect(m.File)).data)
    assert [step.window for step in recipe.objects[0].trail] == [window]  # type: ignore[union-attr]
    async with opened(server, PICTURE) as other:
        await other.send(m.Open(seq=50, image_id=recipe.image_id, recipe=recipe))
        await other.expect(m.Image)
        again = await other.expect(m.Object)
    assert again.masks == made.masks


async def test_http_and_the_client_look_through_windows_too(server: Server, engine: FakeEngine) -> None:
    image_id = await uploaded(server, PICTURE)
    asked = {"image_id": image_id, "points": [{"x": 800, "y": 600}], "window": [640, 480, 896, 736]}
    async with httpx.AsyncClient(base_url=server.url) as http:
        reply = (await http.post("/api/segment", json=asked)).json()
        assert reply["window"] == asked["window"]
        assert reply["masks"][0]["rle"]["size"] == [*SIZE_HW]
        bad = await http.post("/api/segment", json=asked | {"window": [640, 480, 1700, 736]})
        assert (bad.status_code, bad.json()["detail"]["code"]) == (400, "BAD_REQUEST")
        del asked["image_id"]
        wanted = {"image_id": image_id, "format": "recipe", "objects": [asked]}
        file = await http.post("/api/export", json=wanted)
        assert read_recipe(file.content).objects[0].trail[0].window == (640, 480, 896, 736)  # type: ignore[union-attr]
    async with connect(server.url) as session:
        await session.open(PICTURE)
        window = await session.look((700, 500, 900, 650))
        cat = await session.click(800, 600)
        assert cat.masks[cat.chosen].window == window is not None
        assert cat.mask.shape == SIZE_HW
        assert np.array_equal(cat.mask, over_picture(cat.counting, SIZE_HW))
        assert (preview := await session.preview(800, 600)) is not None
        assert preview.mask[600, 800]
        # A mask that was given is made sharp in the window too, which knows it by its box there.
        rough = np.zeros(SIZE_HW, np.bool_)
        rough[560:620, 760:830] = True
        given = await session.give_mask(rough)
        assert np.array_equal(given.mask, rough)
        fine = await session.refine(given.id)
        assert fine.masks[fine.chosen].window == window
        [prompt] = engine.decoded[-1]
        x0, y0 = window[:2]
        assert [*(prompt.box_xyxy or ())] == [760 - x0, 560 - y0, 830 - x0, 620 - y0]
        await session.undo()
        assert np.array_equal(session.objects[given.id].mask, rough)
        assert await session.look(None) is None


@pytest.mark.parametrize("kept", [4, 16])
async def test_sixteen_people_look_closer_and_all_are_answered_sharp_within_the_bound(
    engine: FakeEngine, kept: int
) -> None:
    bound = kept * EMBEDDING_BYTES
    windows: dict[int, WindowXyxy] = {}

    async def looks_and_clicks(peer: Peer, number: int) -> None:
        x, y = 100.0 + 90 * number, 200.0 + 50 * number
        await peer.send(m.Look(seq=peer.seq(), view=(x - 50, y - 50, x + 50, y + 50), scale=4))
        window = (await peer.expect(m.Window)).window
        assert window is not None
        windows[number] = window
        await peer.send(m.Click(seq=peer.seq(), x=x, y=y, window=window))
        made = await peer.expect(m.Object)
        assert made.masks[made.chosen].window == window
        assert server.backend.windows.stats().bytes <= bound

    async with serving(engine, max_window_bytes=bound) as server, AsyncExitStack() as stack:
        image_id = await uploaded(server, PICTURE)
        people = [await stack.enter_async_context(greeted(server)) for _ in range(16)]
        for peer in people:
            await peer.open(image_id)
        await asyncio.gather(*map(looks_and_clicks, people, range(16)))
        assert server.backend.windows.stats().bytes == bound
        assert server.backend.store.stats().bytes == EMBEDDING_BYTES  # no window drives out a picture

        # Whose window had to make room is told so by the next hover, and has it back a moment later.
        keys = {number: EmbeddingKey(engine.model, source_of(image_id, window)) for number, window in windows.items()}
        gone = [number for number, key in keys.items() if key not in server.backend.windows]
        assert len(gone) == len(people) - kept
        for number in gone[:1]:
            await people[number].send(m.Hover(seq=900, x=100.0 + 90 * number, y=200, window=windows[number]))
            came = [await people[number].receive() for _ in range(3)]
            assert [each.window for each in came if isinstance(each, m.Window)] == [None, windows[number]]
            assert [{mask.window for mask in each.masks} for each in came if isinstance(each, m.Preview)] == [{None}]
