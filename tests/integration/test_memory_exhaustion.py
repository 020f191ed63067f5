"""A device without memory left: what can be made again makes room, once; then one reply fails, and no more."""

from __future__ import annotations

import pytest

from app.errors import EngineMemoryError
from app.protocol import messages as m
from tests.helpers.fake_engine import EMBEDDING_BYTES, FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import greeted, opened, uploaded
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio


def exhausted(engine: FakeEngine, times: int) -> None:
    engine.failures.extend(EngineMemoryError("no memory left") for _ in range(times))


async def test_a_click_is_answered_once_embeddings_have_made_room(server: Server, engine: FakeEngine) -> None:
    async with opened(server, png(64, 48)) as other, opened(server, png(30, 30)) as peer:
        before = await other.hover(9, 9)
        exhausted(engine, 1)
        assert (await peer.click(5, 5)).masks
        # the one in use is left, which would have given nothing back
        assert server.backend.store.stats().bytes == EMBEDDING_BYTES
        encodes = engine.encodes
        assert (await other.hover(9, 9)).masks == before.masks
        assert engine.encodes == encodes + 1


async def test_a_hover_is_answered_once_embeddings_have_made_room(server: Server, engine: FakeEngine) -> None:
    async with opened(server, png(64, 48)) as peer:
        exhausted(engine, 1)
        assert (await peer.hover(9, 9)).masks


async def test_a_second_exhaustion_costs_one_reply(server: Server, engine: FakeEngine) -> None:
    async with opened(server, png(64, 48)) as peer:
        exhausted(engine, 2)
        click = m.Click(seq=peer.seq(), x=5, y=5)
        await peer.send(click)
        error = await peer.expect(m.Error)
        assert (error.code, error.seq, error.fatal) == ("engine_failed", click.seq, False)
        await peer.send(click)
        assert (await peer.expect(m.Object)).id == 1


async def test_a_picture_is_encoded_once_embeddings_have_made_room(server: Server, engine: FakeEngine) -> None:
    async with opened(server, png(64, 48)), greeted(server) as peer:
        exhausted(engine, 1)
        image = await peer.open(await uploaded(server, png(30, 30)))
        assert (image.width, image.height) == (30, 30)
        assert server.backend.store.stats().bytes == EMBEDDING_BYTES
