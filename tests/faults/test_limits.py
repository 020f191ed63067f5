"""Every limit of the server's own: one below it, at it, and one beyond."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from app.limits import AppLimits, limit_table
from app.protocol import messages as m
from app.protocol.codec import encode
from app.protocol.messages import CloseCode
from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import Peer, greeted, happened, opened
from tests.helpers.raw_socket import Raw, frame, handshake
from tests.helpers.server import Server, started
from tests.helpers.serving import serving

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def from_address(server: Server, address: str) -> AsyncIterator[Peer]:
    """Give a socket as if a trusted proxy had passed it on for an address."""
    headers = {"x-forwarded-for": address}
    async with connect(server.ws_url, additional_headers=headers, proxy=None, compression=None) as socket:
        yield Peer(socket)


@pytest.mark.parametrize(("before", "enters"), [(1, True), (2, True), (3, False)])
async def test_sessions(engine: FakeEngine, before: int, enters: bool) -> None:
    async with serving(engine, max_sessions=3) as server, AsyncExitStack() as stack:
        for _ in range(before):
            await stack.enter_async_context(greeted(server))
        async with connect(server.ws_url, proxy=None) as socket:
            peer = Peer(socket)
            await peer.send(m.Hello(version=1))
            first = await peer.receive()
            assert isinstance(first, m.Welcome) is enters
            if isinstance(first, m.Error):
                assert (first.code, first.fatal) == ("busy", True)
                assert (await peer.closed())[0] == CloseCode.FULL
            async with httpx.AsyncClient(trust_env=False) as client:  # whoever is turned away, the rest is served
                assert (await client.get(f"{server.url}/healthz")).status_code == 200


@pytest.mark.parametrize(("before", "enters"), [(1, True), (2, True), (3, False)])
async def test_sessions_of_one_address(engine: FakeEngine, before: int, enters: bool) -> None:
    settings = Settings(max_sessions_per_address=3, trusted_proxies=("127.0.0.1",))
    server = await started(settings, engine)
    async with AsyncExitStack() as stack:
        for _ in range(before):
            await (await stack.enter_async_context(from_address(server, "192.0.2.1"))).hello()
        async with from_address(server, "192.0.2.1") as peer, from_address(server, "192.0.2.2") as other:
            await peer.send(m.Hello(version=1))
            assert isinstance(await peer.receive(), m.Welcome) is enters
            await other.hello()
    await server.stop()


async def test_an_address_that_is_only_claimed_counts_for_nothing(engine: FakeEngine) -> None:
    async with serving(engine, max_sessions_per_address=1) as server, AsyncExitStack() as stack:
        for number in range(3):  # all are this machine, which may have every session
            await (await stack.enter_async_context(from_address(server, f"192.0.2.{number}"))).hello()
        addresses = {entry.address for entry in server.shared_state.registry._entries.values()}
        assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize(("before", "served"), [(1, True), (2, True), (3, False)])
async def test_connections(engine: FakeEngine, before: int, served: bool) -> None:
    async with serving(engine, max_connections=3) as server, AsyncExitStack() as stack:
        for _ in range(before):
            await stack.enter_async_context(greeted(server))
        async with Raw(server) as raw:
            raw.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert (await raw.rest()).startswith(b"HTTP/1.1 200" if served else b"HTTP/1.1 503")


@pytest.mark.parametrize(("more", "refused"), [(-1, 0), (0, 0), (1, 1)])
async def test_messages_at_once(engine: FakeEngine, more: int, refused: int) -> None:
    async with (
        serving(engine, max_messages_per_s=1, max_messages_burst=50, rate_grace_s=60) as server,
        opened(server, png()) as peer,
    ):
        for _ in range(49 + more):
            await peer.send(m.Undo(seq=peer.seq()))
        said = [message for message in await peer.until_pong() if not isinstance(message, m.Gone)]
        assert [message.code for message in said if isinstance(message, m.Error)] in (
            ["busy"] * (len(said) - refused) + ["rate_limited"] * refused,
            ["rate_limited"] * refused,
        )


async def test_hovers_that_are_answered_cost_nothing(engine: FakeEngine) -> None:
    async with (
        serving(engine, max_messages_per_s=1, max_messages_burst=5, rate_grace_s=0.01) as server,
        opened(server, png()) as peer,
    ):
        for x in range(60):
            assert (await peer.hover(x, 1)).x == x


async def test_a_flood_of_hovers_closes_and_the_newest_is_kept_until_then(engine: FakeEngine) -> None:
    async with (
        serving(engine, max_messages_per_s=1, max_messages_burst=5, rate_grace_s=1) as server,
        opened(server, png()) as peer,
    ):
        engine.decode_gate = threading.Event()
        await peer.send(m.Hover(seq=peer.seq(), x=1, y=1))
        await happened(engine.decoding)
        for x in range(25):  # one waits, four more are allowed, sixteen are too many, then it isn't waited for
            await peer.send(m.Hover(seq=peer.seq(), x=x, y=1))
        code, said = await peer.closed()
        assert code == CloseCode.RATE
        assert [getattr(message, "code", None) for message in said] == ["rate_limited"]


@pytest.mark.parametrize(("more", "taken"), [(-1, True), (0, True), (1, False)])
async def test_bytes_of_a_prompt(engine: FakeEngine, more: int, taken: bool) -> None:
    data = encode(m.Export(seq=9, format="coco", objects=tuple(range(2**31, 2**31 + 100))))
    async with serving(engine, max_prompt_bytes=len(data) - more) as server, opened(server, png()) as peer:
        await peer.socket.send(data)
        error = await peer.expect(m.Error)
        assert ("bytes" in error.message) is not taken


@pytest.mark.parametrize(("fragments", "taken"), [(7, True), (8, True), (9, False)])
async def test_fragments_of_a_message(engine: FakeEngine, fragments: int, taken: bool) -> None:
    async with serving(engine, max_fragments=8) as server, Raw(server) as raw:
        await handshake(raw)
        hello = encode(m.Hello(version=1))
        raw.write(frame(hello, fin=False))
        for number in range(1, fragments):
            raw.write(frame(b"", opcode=0, fin=number == fragments - 1))
        kind, payload = await raw.frame()
        assert kind == (2 if taken else 8)
        if not taken:
            assert int.from_bytes(payload[:2], "big") == CloseCode.TOO_LARGE


@pytest.mark.parametrize(("pings", "cut"), [(9, False), (10, False), (11, True)])
async def test_pings_of_a_second(engine: FakeEngine, pings: int, cut: bool) -> None:
    async with serving(engine, max_pings_per_s=10) as server, Raw(server) as raw:
        await handshake(raw)
        raw.write(frame(b"", opcode=9) * pings)
        raw.write(frame(encode(m.Hello(version=1))))
        kinds = [kind async for kind, _ in raw.frames()] if cut else [(await raw.frame())[0] for _ in range(pings + 1)]
        assert (2 in kinds) is not cut


@pytest.mark.parametrize(("more", "status"), [(-1, 200), (0, 200), (1, 431)])
async def test_bytes_of_a_head(engine: FakeEngine, more: int, status: int) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: %b\r\n\r\n"
    async with serving(engine, max_head_bytes=1000) as server, Raw(server) as raw:
        whole = head % (b"x" * (1000 - len(head) + 2 + more))
        assert len(whole) == 1000 + more
        raw.write(whole[:-2])  # the end would make it a whole one
        if status == 200:
            raw.write(whole[-2:])
        else:
            raw.write(b"XX")
        assert (await raw.rest()).startswith(b"HTTP/1.1 %d" % status)


@pytest.mark.parametrize("wait_s", [0.05, 0.3])
async def test_the_head_has_its_time(engine: FakeEngine, wait_s: float) -> None:
    async with serving(engine, head_timeout_s=wait_s) as server, Raw(server) as silent, Raw(server) as half:
        half.write(b"GET / HTTP/1.1\r\nHo")
        assert (await half.rest()).startswith(b"HTTP/1.1 408")
        assert (await silent.rest()).startswith(b"HTTP/1.1 408")


async def test_a_further_request_on_a_connection_has_its_time_too(engine: FakeEngine) -> None:
    async with serving(engine, head_timeout_s=0.2) as server, Raw(server) as raw:
        raw.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await raw.until(b"ok")
        raw.write(b"GET /heal")
        assert (await raw.rest()).startswith(b"HTTP/1.1 408")


async def test_the_body_has_its_time(engine: FakeEngine) -> None:
    async with serving(engine, body_timeout_s=0.2) as server, Raw(server) as raw:
        raw.write(
            b"POST /api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
        )
        assert (await raw.rest()).startswith(b"HTTP/1.1 408")


async def test_a_body_that_trickles_is_refused(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.server.http_limits.BODY_CHECK_S", 0.1)
    async with serving(engine, min_body_bytes_per_s=10_000) as server, Raw(server) as raw:
        raw.write(
            b"POST /api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n"
        )
        assert b"too slowly" in await raw.rest()


async def test_a_socket_is_no_body_and_stays(engine: FakeEngine) -> None:
    async with serving(engine, body_timeout_s=0.05, head_timeout_s=5) as server, greeted(server) as peer:
        await asyncio.sleep(0.2)
        assert await peer.until_pong() == []


async def test_all_limits_are_listed_for_programs_and_for_people(engine: FakeEngine) -> None:
    async with serving(engine, max_objects=77) as server, httpx.AsyncClient(trust_env=False) as client:
        told = (await client.get(f"{server.url}/limits", headers={"accept": "application/json"})).json()
        assert {limit["name"]: limit["value"] for limit in told}["max_objects"] == 77
        names = [limit.name for limit in limit_table(Settings(), AppLimits())]
        assert [limit["name"] for limit in told] == names
        assert len(set(names)) == len(names)
        assert all(limit["what"] for limit in told)
        variables = {limit["name"]: limit["variable"] for limit in told}
        assert variables["max_sessions"] == "HOVERSAM_MAX_SESSIONS"
        assert variables["max_objects"] is None
        text = await client.get(f"{server.url}/limits", headers={"accept": "text/html,*/*"})
        assert text.headers["content-type"].startswith("text/plain")
        assert all(name in text.text for name in names)
        assert "(HOVERSAM_MAX_SESSIONS)" in text.text


@pytest.mark.parametrize(
    "headers",
    [
        b"Host: evil.example\r\n",
        b"Host: evil.example\r\nOrigin: http://evil.example\r\n",
        b"Host: localhost\r\nHost: evil.example\r\n",
        b"Host: localhost\r\nHost: localhost\r\n",
        b"",
        b"Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example\r\n",
        b"Host: localhost\r\nX-Forwarded-Host: evil.example\r\nOrigin: http://evil.example\r\n",
    ],
)
@pytest.mark.parametrize("path", [b"/ws"])
async def test_a_socket_under_another_name_is_refused_before_it_is_one(
    engine: FakeEngine, headers: bytes, path: bytes
) -> None:
    async with serving(engine) as server, Raw(server) as raw:
        raw.write(
            b"GET %b HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%b\r\n" % (path, headers)
        )
        assert (await raw.rest()).split(b"\r\n")[0].split()[1] in (b"403", b"400")


@pytest.mark.parametrize("path", ["/", "/static/js/main.js", "/metrics", "/limits", "/api/health", "/healthz"])
async def test_nothing_is_read_under_another_name(engine: FakeEngine, path: str) -> None:
    async with serving(engine) as server, httpx.AsyncClient(trust_env=False) as client:
        refused = await client.get(f"{server.url}{path}", headers={"host": "evil.example"})
        assert refused.status_code == 403
        assert "HOVERSAM_ALLOWED_HOSTS" in refused.json()["detail"]["message"]
        assert (await client.get(f"{server.url}{path}")).status_code == 200


async def test_a_listed_name_and_its_page_are_let_in(engine: FakeEngine) -> None:
    server = await started(Settings(allowed_hosts=("our.example",)), engine)
    port = urlsplit(server.url).port

    def dial(origin: str) -> connect:
        return connect("ws://our.example/ws", host="127.0.0.1", port=port, origin=Origin(origin), proxy=None)

    async with dial("https://our.example") as socket:
        await Peer(socket).hello()
    with pytest.raises(InvalidStatus):
        await dial("https://evil.example")
    await server.stop()
