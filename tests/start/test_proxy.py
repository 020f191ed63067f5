"""The reverse proxies of .container/README.md: what they are told fits the program, and they are run.

nginx's configuration is parsed, and nginx and Caddy themselves are run in front of a real server. `./start.sh test`
unpacks them into .venv/tools where they aren't on PATH: to install them would start them as services.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import crossplane  # type: ignore[import-untyped]
import httpx
import pytest
from websockets.asyncio.client import connect as connect_socket

from app.asgi import FORM_SLACK_BYTES
from app.client import connect
from app.protocol.codec import decode_server, encode
from app.protocol.messages import Hello, Welcome
from app.service.limits import ServiceLimits
from app.settings import Settings, from_environment
from tests.helpers.program import free_port
from tests.helpers.readme import NAME, OPERATION, ROOT, block
from tests.helpers.real_proxies import Certificate, Place, caddy, nginx, proxy_before
from tests.helpers.server import Server

PHOTO = ROOT / "static/samples/coffee.jpg"

# Python 3.10 complains of TLS connections that it ends itself.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function _SSLProtocolTransport:pytest.PytestUnraisableExceptionWarning"
)

# --- What nginx is told ------------------------------------------------------------------------------


@pytest.fixture
def directives(tmp_path: Path) -> dict[str, list[list[str]]]:
    """What nginx is told, by directive, wherever in the file."""
    path = tmp_path / "nginx.conf"
    without_map = re.sub(r"^map .*?^}\n", "", block("nginx"), flags=re.DOTALL | re.MULTILINE)  # the parser knows none
    path.write_text(f"events {{}}\nhttp {{\n{without_map}}}\n")
    parsed = crossplane.parse(str(path), strict=True)
    assert parsed["errors"] == []
    found: dict[str, list[list[str]]] = {}

    def walk(part: list[dict[str, Any]]) -> None:
        for entry in part:
            found.setdefault(entry["directive"], []).append(entry["args"])
            walk(entry.get("block", []))

    walk(parsed["config"][0]["parsed"])
    return found


def headers_of(directives: dict[str, list[list[str]]]) -> dict[str, str]:
    return dict(directives["proxy_set_header"])


def test_nginx_passes_on_who_asks_for_what(directives: dict[str, list[list[str]]]) -> None:
    """The client's own X-Forwarded-For is replaced, and Host keeps its port, which the browser's origin has too."""
    headers = headers_of(directives)
    assert headers["Host"] == "$http_host"
    assert headers["X-Forwarded-For"] == "$remote_addr"
    assert headers["X-Forwarded-Proto"] == "$scheme"
    assert headers["Upgrade"] == "$http_upgrade"
    assert directives["proxy_http_version"] == [["1.1"]]


def test_nginx_lets_through_whatever_the_server_takes(directives: dict[str, list[list[str]]]) -> None:
    settings, limits = Settings(), ServiceLimits()
    [[size]] = directives["client_max_body_size"]
    [[wait]] = directives["proxy_read_timeout"]
    assert size.endswith("m")
    assert int(size[:-1]) * 2**20 > settings.max_upload_bytes + FORM_SLACK_BYTES
    assert float(wait.removesuffix("s")) > max(limits.encode_timeout_s, limits.export_timeout_s)


def test_the_proxies_are_those_that_the_server_is_told_of(directives: dict[str, list[list[str]]]) -> None:
    assert [[f"http://127.0.0.1:{Settings().port}"]] == directives["proxy_pass"]
    assert f"reverse_proxy 127.0.0.1:{Settings().port}" in block("caddyfile")
    (said,) = re.findall(r"\n(HOVERSAM_ALLOWED_HOSTS=.*) \./start\.sh\n", OPERATION.read_text())
    told = from_environment(dict(word.split("=", 1) for word in said.split()))
    assert (told.allowed_hosts, told.trusted_proxies) == ((NAME,), ("127.0.0.1",))


# --- The proxies themselves --------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    made = Certificate.made_in(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.chain))
    return made


@pytest.fixture
def settings() -> Settings:
    return Settings(offline=True, trusted_proxies=("127.0.0.1",))


@pytest.fixture(params=[nginx, caddy], ids=lambda make: make.__name__)
async def proxy(
    request: pytest.FixtureRequest, server: Server, certificate: Certificate, tmp_path: Path
) -> AsyncIterator[str]:
    """The address of a proxy in front of the server."""
    name = request.param.__name__
    assert shutil.which(name), f"{name} is not on PATH; `./start.sh test` brings it"
    async with proxy_before(request.param, [server.url], Place(tmp_path, free_port(), certificate)) as address:
        yield address


@pytest.fixture
async def browser(anyio_backend: str, certificate: Certificate) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=certificate.trusted(), trust_env=False, timeout=60) as client:
        yield client


async def test_the_page_comes_with_its_headers_over_tls(proxy: str, browser: httpx.AsyncClient) -> None:
    page = await browser.get(proxy)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "strict-transport-security" in page.headers, "the server knows that the page came by TLS"


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6Detrics", "/x/../metrics/"])
async def test_metrics_are_kept_from_the_world(proxy: str, browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(httpx.URL(proxy).copy_with(raw_path=path.encode()))).status_code == 403


@pytest.mark.parametrize(("origin", "status"), [("", 200), ("https://elsewhere.example", 403)], ids=["own", "foreign"])
async def test_the_page_may_upload_and_no_other(
    proxy: str, browser: httpx.AsyncClient, origin: str, status: int
) -> None:
    files = {"file": PHOTO.read_bytes()}
    answer = await browser.post(f"{proxy}/api/upload", headers={"origin": origin or proxy}, files=files)
    assert answer.status_code == status


async def test_a_picture_as_large_as_the_server_takes_gets_its_answer(
    proxy: str, browser: httpx.AsyncClient, settings: Settings
) -> None:
    answer = await browser.post(f"{proxy}/api/upload", files={"file": bytes(settings.max_upload_bytes)})
    assert answer.json()["detail"]["code"] == "UNSUPPORTED_FORMAT"


async def test_a_session_hovers_clicks_and_exports(proxy: str) -> None:
    async with connect(proxy) as session:
        image = await session.open(PHOTO)
        assert (image.width, image.height) == (600, 400)
        assert await session.preview(300, 200)
        assert (await session.click(300, 200)).mask.shape == (400, 600)
        assert (await session.export("coco")).data.startswith(b"{")


async def test_the_server_sees_the_clients_address_and_not_what_it_says(proxy: str, server: Server) -> None:
    url, forged = f"{proxy.replace('https', 'wss')}/ws", {"X-Forwarded-For": "192.0.2.1"}
    async with connect_socket(url, additional_headers=forged, local_addr=("127.0.0.9", 0), proxy=None) as socket:
        await socket.send(encode(Hello(version=1)))
        welcome = decode_server(await socket.recv(decode=False))
    assert isinstance(welcome, Welcome)
    assert server.shared_state.registry._entries[welcome.session].address == "127.0.0.9"
