"""A page whose name a proxy hides gets its socket by a ticket; who is refused is told why, and the log once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from app.client import connect as connect_client
from app.protocol import messages as m
from app.protocol.codec import encode
from app.settings import Settings
from app.web.tickets import PREFIX
from tests.helpers.peer import DEADLINE_S, Peer
from tests.helpers.reverse_proxy import ReverseProxy, reverse_proxy
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio

PAGE = "https://name-8000.tunnel.example"
"""What the browser calls the page; the server is asked as 127.0.0.1."""
TRUSTED = {"origin": PAGE, "sec-fetch-site": "same-origin"}
"""What a browser sends with a POST of such a page, over TLS or to localhost."""


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=DEADLINE_S) as client:
        yield client


def dial(server: Server, origin: str, *tickets: str) -> connect:
    protocols = [Subprotocol("hoversam.v1"), *(Subprotocol(PREFIX + ticket) for ticket in tickets)]
    return connect(server.ws_url, origin=Origin(origin), subprotocols=protocols, proxy=None)


async def test_a_page_behind_a_proxy_that_hides_its_name_gets_in_by_a_ticket(
    server: Server, http: httpx.AsyncClient
) -> None:
    with pytest.raises(InvalidStatus):
        await dial(server, PAGE)
    answer = await http.post("/ticket", headers=TRUSTED)
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers  # no other page can read it
    async with dial(server, PAGE, answer.json()["ticket"]) as socket:
        assert socket.subprotocol == "hoversam.v1"
        await Peer(socket).hello()
    with pytest.raises(InvalidStatus):  # a page that got hold of it
        await dial(server, "https://evil.example", answer.json()["ticket"])
    with pytest.raises(InvalidStatus):
        await dial(server, PAGE, "99999999.made-up")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://sub.tunnel.example", "sec-fetch-site": "same-site"},
        {"origin": "http://rebound.example"},  # plain HTTP: no verdict of the browser, the Host hidden by the proxy
        {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
        {"origin": "http://evil.example", "host": "evil.example"},
    ],
)
async def test_no_foreign_page_and_no_rebound_one_gets_a_ticket(
    http: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await http.post("/ticket", headers=headers)
    assert answer.status_code == 403
    assert "ticket" not in answer.json()


async def test_a_refused_page_is_told_what_to_set_and_the_log_says_it_once(
    server: Server, http: httpx.AsyncClient
) -> None:
    page = "http://masks.lan"
    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(InvalidStatus):
                await dial(server, page)
        answer = await http.post("/ticket", headers={"origin": page})
        assert (await http.get("/", headers={"host": "masks.lan"})).status_code == 403
    said = answer.json()["detail"]["message"]
    assert page in said
    assert "HOVERSAM_ALLOWED_ORIGINS" in said
    refused = [line for line in lines if line["event"] == "refused"]
    assert [line["cure"].split(",")[0] for line in refused] == ["HOVERSAM_ALLOWED_ORIGINS", "HOVERSAM_ALLOWED_HOSTS"]
    assert (refused[0]["origin"], refused[1]["host"]) == (page, "masks.lan")


async def test_a_proxy_that_passes_no_socket_on_is_named(http: httpx.AsyncClient) -> None:
    with capture_logs() as lines:
        answers = [await http.get("/ws") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {426}
    assert answers[0].json()["detail"]["code"] == "UPGRADE_REQUIRED"
    assert "Upgrade" in answers[0].json()["detail"]["message"]
    assert len([line for line in lines if line["event"] == "refused" and "Upgrade" in line["cure"]]) == 1


class TestFull:
    """In a class of its own, for the settings of its own."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(offline=True, max_sessions=1)

    async def test_a_full_server_names_its_setting_once(self, server: Server) -> None:
        async with connect(server.ws_url, proxy=None) as first:
            await Peer(first).hello()
            with capture_logs() as lines:
                for _ in range(3):
                    async with connect(server.ws_url, proxy=None) as socket:
                        await socket.send(encode(m.Hello(version=1)))
                        code, _ = await Peer(socket).closed()
                        assert code == m.CloseCode.FULL
        refused = [line for line in lines if line["event"] == "refused"]
        assert [(line["cure"], line["client"]) for line in refused] == [("HOVERSAM_MAX_SESSIONS", "127.0.0.1")]


@pytest.mark.parametrize(
    ("proxy", "words"),
    [({"host": "masks.lan"}, "HOVERSAM_ALLOWED_HOSTS"), ({"upgrades": False}, "Upgrade")],
    ids=["name", "no sockets"],
)
async def test_the_python_client_says_what_to_do(server: Server, proxy: dict[str, Any], words: str) -> None:
    with (
        reverse_proxy(ReverseProxy(server.url, **proxy)) as running,
        pytest.raises(ConnectionRefusedError, match=words),
    ):
        async with connect_client(running.url):
            pass


async def test_a_wrong_path_is_told_as_one(server: Server) -> None:
    with pytest.raises(ConnectionRefusedError, match="is the path '/docs' right"):
        async with connect_client(f"{server.url}/docs"):
            pass
