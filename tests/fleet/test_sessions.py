"""Sessions over real sockets while their workers die: no prompt and no socket is lost, and masks are those of one
process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from app.fleet.backend import FleetBackend
from app.fleet.cluster import RayWorkers
from app.limits import AppLimits
from app.pictures import image_id_of
from app.settings import Settings
from tests.fleet.conftest import backend_of, begun
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import Peer, opened, until
from tests.helpers.server import Server, started

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("trusting")]
PICTURE = png(300, 200)
ROUNDS = 3


@pytest.fixture
async def front(anyio_backend: str, workers: RayWorkers, limits: AppLimits) -> AsyncIterator[Server]:
    """The real application on the workers of all tests."""
    members = await asyncio.to_thread(begun, workers)
    server = await started(
        Settings(offline=True),
        FakeEngine(),
        limits=limits,
        make_backend=lambda source, pictures: backend_of(workers, members, source, pictures),
    )
    yield server
    await server.stop()


def backend_behind(server: Server) -> FleetBackend:
    assert isinstance(server.predictor.backend, FleetBackend)
    return server.predictor.backend


async def work(peer: Peer) -> list[object]:
    """Return what a person sees who hovers, clicks and refines."""
    seen: list[object] = [(await peer.hover(40, 50)).masks]
    made = await peer.click(60, 70)
    seen += [made.masks, (await peer.click(100, 90, object=made.id)).masks, (await peer.hover(80, 30)).masks]
    return seen


async def test_a_worker_that_dies_beside_clicks_loses_no_prompt_and_no_socket(front: Server, server: Server) -> None:
    async with opened(server, PICTURE) as alone:
        wanted = [await work(alone) for _ in range(ROUNDS)]
    fleet = backend_behind(front)
    async with opened(front, PICTURE) as one, opened(front, PICTURE) as two:
        for number in range(ROUNDS):
            key = front.predictor.key(image_id_of(PICTURE))
            await until(lambda: len(fleet.members.alive()) == 2)
            first = fleet.placement.holders(key)[0]
            about = fleet.members.all[first].about
            assert about is not None
            both = asyncio.gather(work(one), work(two))
            await asyncio.sleep(0)
            os.kill(about.pid, signal.SIGKILL)
            assert list(await both) == [wanted[number]] * 2
        await until(lambda: len(fleet.members.alive()) == 2)
        assert await two.until_pong() == []
    async with httpx.AsyncClient(base_url=front.url) as http:
        assert (await http.get("/readyz")).text == "ready"
        assert (await http.get("/engines")).json() == {"tiny": "geometry on cpu, 2 workers"}
