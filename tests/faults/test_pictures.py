"""Pictures that are more than pictures: nothing that was uploaded comes out again, and nothing is fetched."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from app.protocol import messages as m
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import greeted, post_picture, uploaded
from tests.helpers.raw_socket import Raw
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio
MARK = b"<script>alert('uploaded')</script>"
NAMES = [
    '"><img src=x onerror=alert(1)>.png',
    "x" * 1000,
    "../../etc/passwd",
    "a\u202egnp.exe",
    "C:\\windows\\x.png",
]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    running = await started(Settings(), FakeEngine())
    yield running
    await running.stop()


async def test_no_route_gives_out_what_was_uploaded(server: Server) -> None:
    image_id = await uploaded(server, png() + MARK)
    paths = {route.path for route in server.uvicorn.app.routes}
    assert len(paths) >= 5
    async with httpx.AsyncClient(trust_env=False) as client:
        for path in paths:
            for tried in (path, f"{path.rstrip('/')}/{image_id}", f"{path}?image_id={image_id}"):
                answer = await client.get(f"{server.url}{tried.split('{')[0]}")
                assert MARK not in answer.content


@pytest.mark.parametrize("name", NAMES)
async def test_a_file_name_is_not_looked_at(server: Server, name: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(f"{server.url}/api/upload", files={"file": (name, png(), "text/html")})
    assert response.status_code == 200
    assert response.json()["width"] == 64


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x.png", "file:///etc/passwd", "//evil.example/x.png"])
async def test_nothing_is_loaded_by_its_address(server: Server, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with greeted(server) as peer:
        monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it dialled"))
        await peer.send(m.Open(seq=peer.seq(), image_id=url))
        assert (await peer.expect(m.Error)).code == "unknown_image"
    assert (await post_picture(server, url.encode())).status_code == 415
    assert (await post_picture(server, f"<svg><image href='{url}'/></svg>".encode())).status_code == 415


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app/settings.py",
        "/static/..%2f..%2fapp/settings.py",
        "/static/%2e%2e/pyproject.toml",
        "/static//etc/passwd",
    ],
)
async def test_no_path_leads_out_of_the_static_folder(server: Server, path: str) -> None:
    async with Raw(server) as raw:
        raw.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert (await raw.rest()).split(b"\r\n")[0].split()[1] in (b"404", b"400")


async def test_sessions_never_get_each_others_objects(server: Server) -> None:
    pictures = [png(64, 48, (number * 30, 9, 9)) for number in range(4)]
    ids = [await uploaded(server, data) for data in pictures]
    async with greeted(server) as one, greeted(server) as two:
        await one.open(ids[0])
        await two.open(ids[1])
        mine = await one.click(5, 5)
        for message in (
            m.Click(seq=two.seq(), x=1, y=1, object=mine.id),
            m.Delete(seq=two.seq(), object=mine.id),
            m.Export(seq=two.seq(), format="coco", objects=(mine.id,)),
        ):
            await two.send(message)
            assert isinstance(await two.receive(), m.Error)
        assert (await one.click(6, 6, object=mine.id)).id == mine.id
