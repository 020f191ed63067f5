"""Files that are too large for a message: made as they are, told on the socket, fetched by HTTP."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from app.client import connect
from app.exports.files import BoundedBuffer
from app.protocol import messages as m
from app.service import exporter
from app.service.parked import ParkedFiles
from app.settings import Settings
from tests.helpers.export_readers import from_png
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.peer import DEADLINE_S, Peer, opened, until, uploaded
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio
SIZE = (1000, 800)
FD_DIR = Path("/proc/self/fd")


@pytest.fixture
def settings() -> Settings:
    return Settings(offline=True)


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A picture whose overlay doesn't get small: every pixel is noise."""
    return file_of(noise(*SIZE), "PNG", compress_level=0)


async def exported(peer: Peer, kind: Any) -> m.File:
    await peer.send(m.Export(seq=peer.seq(), format=kind))
    return await peer.expect(m.File)


async def overlay(server: Server, photo: bytes) -> m.File:
    async with opened(server, photo) as peer:
        await peer.click(500, 400)
        return await exported(peer, "overlay")


def client(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=DEADLINE_S)


async def test_a_large_file_is_fetched_from_where_its_message_says(server: Server, photo: bytes) -> None:
    file = await overlay(server, photo)
    assert file.data == b""
    assert file.url is not None
    assert not file.url.startswith("/")  # relative to the server's address, which may be under another's
    async with client(server) as http:
        first, again = await http.get(f"/{file.url}"), await http.get(f"/{file.url}")
        head = await http.head(f"/{file.url}")
    picture = from_png(first.content)
    assert (picture.size, picture.mode) == (SIZE, "RGB")
    assert len(first.content) > exporter.MAX_MESSAGE_BYTES
    assert first.content == again.content
    assert first.headers["content-type"] == "image/png"
    assert first.headers["content-disposition"].endswith(f"UTF-8''{file.name}")
    assert "content-encoding" not in first.headers
    for answer in (first, head):
        assert int(answer.headers["content-length"]) == len(first.content)
        assert answer.headers["cache-control"] == "no-store"


async def test_a_small_file_rides_in_its_message(server: Server) -> None:
    async with opened(server, png(160, 120)) as peer:
        await peer.click(80, 60)
        file = await exported(peer, "cutout")
    assert file.url is None
    assert from_png(file.data).size == (160, 120)
    assert server.shared_state.exporter.parked.nbytes == 0


async def test_nobody_fetches_a_file_by_guessing(server: Server, photo: bytes) -> None:
    file = await overlay(server, photo)
    assert file.url is not None
    name = file.url.rsplit("/", 1)[1]
    assert len(name) >= 22  # 128 bits
    async with client(server) as http:
        for wrong in (name[:-1], name + "x", "x" * 22, "x" * 65, "..", "%2e%2e%2f"):
            assert (await http.get(f"/api/files/{wrong}")).status_code in (400, 404)


async def test_a_file_that_nobody_fetches_goes(server: Server, photo: bytes) -> None:
    server.shared_state.exporter.parked = ParkedFiles(kept_s=0.0)
    file = await overlay(server, photo)
    async with client(server) as http:
        response = await http.get(f"/{file.url}")
    assert (response.status_code, response.json()["detail"]["code"]) == (404, "NOT_FOUND")
    assert "export it again" in response.json()["detail"]["message"]
    await until(lambda: server.shared_state.exporter.parked.nbytes == 0)


async def test_files_kept_have_a_bound_and_the_oldest_go(server: Server, photo: bytes) -> None:
    worker = server.shared_state.exporter
    async with opened(server, photo) as peer:
        await peer.click(500, 400)
        await exported(peer, "overlay")
        one = worker.parked.nbytes
        worker.parked = ParkedFiles(max_bytes=2 * one)
        files = [await exported(peer, "overlay") for _ in range(3)]
    assert worker.parked.nbytes == 2 * one
    async with client(server) as http:
        assert [(await http.get(f"/{file.url}")).status_code for file in files] == [404, 200, 200]


async def test_a_file_larger_than_the_bound_is_kept_alone(server: Server, photo: bytes) -> None:
    server.shared_state.exporter.parked = ParkedFiles(max_bytes=1)
    async with opened(server, photo) as peer:
        await peer.click(500, 400)
        files = [await exported(peer, "overlay") for _ in range(2)]
    async with client(server) as http:
        assert [(await http.get(f"/{file.url}")).status_code for file in files] == [404, 200]


async def test_a_fetch_that_began_in_time_ends_well(server: Server, photo: bytes) -> None:
    file = await overlay(server, photo)
    async with client(server) as http, http.stream("GET", f"/{file.url}") as response:
        server.shared_state.exporter.parked.clear()
        data = await response.aread()
    assert from_png(data).size == SIZE


@pytest.mark.skipif(not FD_DIR.exists(), reason="needs /proc")
async def test_nothing_of_a_file_stays_open(server: Server, photo: bytes) -> None:
    def descriptors() -> int:
        gc.collect()
        return len(list(FD_DIR.iterdir()))

    await overlay(server, photo)
    server.shared_state.exporter.parked.clear()
    before = descriptors()
    for _ in range(3):
        await overlay(server, photo)
    server.shared_state.exporter.parked.clear()
    assert descriptors() <= before + 1


async def test_a_full_disk_refuses_the_file_and_loses_nothing_else(
    server: Server, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with opened(server, photo) as peer:
        await peer.click(500, 400)
        with monkeypatch.context() as patch:
            patch.setattr(BoundedBuffer, "write", full)
            await peer.send(m.Export(seq=peer.seq(), format="overlay"))
            error = await peer.expect(m.Error)
        assert (error.code, error.fatal) == ("busy", False)
        assert "disk" in error.message
        assert (await exported(peer, "overlay")).url is not None


async def test_the_python_client_fetches_by_itself(server: Server, photo: bytes) -> None:
    async with connect(server.url) as session:
        await session.open(photo)
        await session.click(500, 400)
        file = await session.export("overlay")
    assert from_png(file.data).size == SIZE
    assert (file.media_type, file.name.rpartition(".")[2]) == ("image/png", "png")


async def test_the_python_client_asks_again_for_a_file_that_was_lost(
    server: Server, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = server.shared_state.exporter.parked
    lost: list[str] = []
    get = kept.get

    def lose_the_first(name: str) -> Any:
        if not lost:
            lost.append(name)
            kept.clear()
        return get(name)

    monkeypatch.setattr(kept, "get", lose_the_first)
    async with connect(server.url) as session:
        await session.open(photo)
        await session.click(500, 400)
        file = await session.export("overlay")
    assert from_png(file.data).size == SIZE
    assert lost


async def test_a_large_file_over_http_alone(server: Server, photo: bytes) -> None:
    image_id = await uploaded(server, photo)
    asked = {"image_id": image_id, "format": "overlay", "objects": [{"points": [{"x": 500, "y": 400}]}]}
    async with client(server) as http:
        response = await http.post("/api/export", json=asked)
    assert response.status_code == 200
    assert int(response.headers["content-length"]) == len(response.content) > exporter.MAX_MESSAGE_BYTES
    assert from_png(response.content).size == SIZE


async def test_the_schema_says_where_large_files_are(server: Server) -> None:
    async with client(server) as http:
        schema = (await http.get("/schema/openapi.json")).json()
    assert set(schema["paths"]["/api/files/{name}"]["get"]["responses"]) >= {"200", "404"}
    assert "two minutes" in json.dumps(schema["paths"]["/api/files/{name}"])


async def test_hovers_go_on_while_a_large_file_is_sent(server: Server, photo: bytes) -> None:
    async with opened(server, photo) as peer:
        await peer.click(500, 400)
        file = await exported(peer, "overlay")
        async with client(server) as http:
            fetching = asyncio.create_task(http.get(f"/{file.url}"))
            await peer.send(m.Hover(seq=peer.seq(), x=10.0, y=10.0))
            await peer.expect(m.Preview)
            assert np.asarray(from_png((await fetching).content)).shape == (SIZE[1], SIZE[0], 3)
