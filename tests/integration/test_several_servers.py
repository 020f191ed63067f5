"""Two servers behind one balancer, which share a folder: whatever reaches which of them, nobody notices."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.client import Reconnect, connect
from app.realtime import exports
from app.settings import Settings
from tests.helpers.balancer import Balancer, balanced
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import until
from tests.helpers.server import Server, started
from tests.helpers.tour import told

pytestmark = pytest.mark.anyio
QUICKLY = Reconnect(give_up_s=30, first_s=0.01, longest_s=0.1)


@pytest.fixture
async def servers(anyio_backend: str, tmp_path: Path) -> AsyncIterator[list[Server]]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    settings = Settings(offline=True, shared_dir=tmp_path / "shared")
    running = [await started(settings, FakeEngine()) for _ in range(2)]
    yield running
    for server in running:
        if not server.task.done():
            await server.stop()
    for number, handler in handlers.items():  # each server puts back what it found, which may be the other's
        signal.signal(number, handler)


@pytest.fixture
async def balancer(servers: list[Server], request: pytest.FixtureRequest) -> AsyncIterator[Balancer]:
    """One that takes the servers in turn, or keeps to the one that its cookie names."""
    async with balanced(*(server.url for server in servers), sticky=getattr(request, "param", False)) as balancer:
        yield balancer


@pytest.mark.parametrize("balancer", [False, True], ids=["in turn", "sticky"], indirect=True)
async def test_a_session_that_loses_its_server_goes_on_at_the_other(
    servers: list[Server], balancer: Balancer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MAX_MESSAGE_BYTES", 100)  # so that files are fetched by HTTP
    async with connect(balancer.url, reconnect=QUICKLY) as session:
        balancer.gateway_errors = 2  # an upload is sent again whose server ends
        await session.open(png(160, 120))
        cup = await session.click(80, 60)
        plate = await session.box((100, 10, 150, 50))
        await session.label(plate.id, "plate")
        assert (await session.export("overlay")).data.startswith(b"\x89PNG")
        before = told(session.objects)

        [home] = balancer.servers_of("/ws")
        clicks = [asyncio.create_task(session.click(x, 110, object=cup.id)) for x in range(10, 40, 10)]
        await servers[home].stop()
        await asyncio.gather(*clicks)
        await until(lambda: balancer.servers_of("/ws")[-1] == 1 - home)
        assert session.objects[cup.id].points == (*cup.points, *((x, 110, 1) for x in range(10, 40, 10)))
        for _ in clicks:
            await session.undo()
        assert told(session.objects) == before
        assert (await session.export("overlay")).data.startswith(b"\x89PNG")
        for _ in range(3):
            await session.undo()
        assert (len(session.objects), session.can_undo) == (0, False)
    uploads = balancer.servers_of("/api/upload")
    assert len(uploads) == 1, "the other server had the picture"
    fetches = balancer.servers_of("/api/files")
    assert fetches[-1] == 1 - home
    if balancer.sticky:
        assert (uploads, fetches[0]) == ([home], home), "all of one session reaches one server while that is there"


async def test_http_and_tickets_may_reach_any_of_them(servers: list[Server], balancer: Balancer) -> None:
    async with httpx.AsyncClient(base_url=balancer.url, trust_env=False) as http:
        image_id = (await http.post("/api/upload", files={"file": png(30, 20)})).json()["image_id"]
        asked = {"image_id": image_id, "points": [{"x": 10, "y": 10}]}
        masks = [(await http.post("/api/segment", json=asked)).json() for _ in range(2)]
        assert masks[0] == masks[1]
        exported = {"image_id": image_id, "format": "cutout", "objects": [{"points": [{"x": 10, "y": 10}]}]}
        assert len({(await http.post("/api/export", json=exported)).content for _ in range(2)}) == 1
        assert [(await http.get(f"/api/pictures/{image_id}")).status_code for _ in range(2)] == [200, 200]
    assert sorted(balancer.servers_of("/api/segment")) == [0, 1]
    tickets = [server.uvicorn.app.state.tickets for server in servers]
    page = "https://masks.example"
    assert tickets[1].admit([f"hoversam.ticket.{tickets[0].issue(page)}"], page)
