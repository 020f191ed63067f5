"""The balancers of .container/SEVERAL.md, run before two servers that share a folder."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.client import Reconnect, connect
from app.realtime import exports
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import until
from tests.helpers.program import free_port
from tests.helpers.real_proxies import Certificate, Place, Proxy, caddy, nginx, proxy_before
from tests.helpers.server import Server, started
from tests.helpers.tour import told

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <function _SSLProtocolTransport:pytest.PytestUnraisableExceptionWarning"
    ),
]
QUICKLY = Reconnect(give_up_s=30, first_s=0.05, longest_s=0.5)


@pytest.fixture
async def servers(anyio_backend: str, tmp_path: Path) -> AsyncIterator[list[Server]]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    settings = Settings(offline=True, trusted_proxies=("127.0.0.1",), shared_dir=tmp_path / "shared")
    running = [await started(settings, FakeEngine()) for _ in range(2)]
    yield running
    for server in running:
        if not server.task.done():
            await server.stop()
    for number, handler in handlers.items():  # each server puts back what it found, which may be the other's
        signal.signal(number, handler)


@pytest.fixture(params=[nginx, caddy], ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Proxy:
    name = request.param.__name__
    assert shutil.which(name), f"{name} is not on PATH; `./start.sh test` brings it"
    made: Proxy = request.param
    return made


def sessions_of(server: Server) -> int:
    return server.shared_state.registry.held


async def test_a_session_stays_at_one_server_and_goes_on_at_the_other(
    make: Proxy, servers: list[Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = Certificate.made_in(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.chain))
    monkeypatch.setattr(exports, "MAX_MESSAGE_BYTES", 100)  # so that files are fetched by HTTP
    async with proxy_before(make, [server.url for server in servers], Place(tmp_path, free_port(), certificate)) as url:
        async with httpx.AsyncClient(verify=certificate.trusted(), trust_env=False) as visitor:
            for _ in range(4):
                assert (await visitor.get(f"{url}/healthz")).status_code == 200
            assert [cookie.name for cookie in visitor.cookies.jar] == ["hoversam_server"]
        async with connect(url, reconnect=QUICKLY) as session:
            await session.open(png(160, 120))
            cup = await session.click(80, 60)
            assert (await session.export("overlay")).data.startswith(b"\x89PNG")
            before = told(session.objects)
            [home, other] = sorted(servers, key=sessions_of, reverse=True)
            assert [sessions_of(each) for each in (home, other)] == [1, 0]
            assert home.engine.encoded, "its picture was uploaded to the server that its socket is on"
            assert not other.engine.encoded

            clicks = [asyncio.create_task(session.click(x, 110, object=cup.id)) for x in range(10, 40, 10)]
            await home.stop()
            await asyncio.gather(*clicks)
            await until(lambda: sessions_of(other) == 1)  # the first of them may have had its answer before the end
            for _ in clicks:
                await session.undo()
            assert told(session.objects) == before
            assert (await session.open(png(100, 80))).width == 100
            assert (await session.export("overlay")).data.startswith(b"\x89PNG")
