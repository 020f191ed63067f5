"""HEAD wherever GET is, and 304 for whoever has the file, as HTTP has it: to a real client, from a real uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.peer import DEADLINE_S
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio
FILE = "/static/js/main.js"
API = ("upload", "segment", "regions", "import", "export", "export/masks", "classes", "clips")
"""What takes POST alone."""
PHOTO = "/static/samples/cat.jpg"
NOT_MODIFIED = 304
VARYING = {"date", "x-request-id"}
LONG_AGO, FAR_OFF = "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    """One server for the whole file: none of its tests may break it."""
    running = await started(Settings(), FakeEngine())
    yield running
    await running.stop()


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=DEADLINE_S) as client:
        yield client


def paths_of(server: Server, method: str) -> list[str]:
    """Return every path without parameters whose route takes a method."""
    app = server.uvicorn.config.app
    assert isinstance(app, Litestar)
    routes = [route for route in app.routes if isinstance(route, HTTPRoute) and "{" not in route.path]
    return sorted({route.path for route in routes if method in route.methods})


def lasting(response: httpx.Response) -> dict[str, str]:
    """Return the headers that are the same in every answer of a route; figures at `/metrics` may get longer."""
    without = VARYING | ({"content-length"} if response.url.path == "/metrics" else set())
    return {name: value for name, value in response.headers.items() if name not in without}


async def test_head_is_answered_as_get_is_wherever_that_is(server: Server, http: httpx.AsyncClient) -> None:
    paths = paths_of(server, "GET")
    assert {"/", "/healthz", "/readyz", "/limits", "/docs", "/metrics", "/schema/openapi.json"} <= set(paths)
    for path in [*paths, FILE, PHOTO, "/nowhere", "/static/nowhere.js"]:
        head, get = await http.head(path), await http.get(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        assert lasting(head) == lasting(get), path
        assert int(head.headers["content-length"]) > 0, path
        assert head.headers["content-type"].count("charset") <= 1, path  # of two, Prometheus takes neither


async def test_no_body_follows_the_headers_of_head(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for path in (FILE, "/docs", "/healthz"):  # on one connection: a body would be taken for the next answer
        writer.write(f"HEAD {path} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), DEADLINE_S)
        assert head.startswith(b"HTTP/1.1 200 "), path
    writer.write(f"HEAD / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
    assert (await asyncio.wait_for(reader.read(), DEADLINE_S)).endswith(b"\r\n\r\n")
    writer.close()


async def test_head_where_only_post_is_says_so(server: Server, http: httpx.AsyncClient) -> None:
    posts = set(paths_of(server, "POST")) - set(paths_of(server, "GET"))
    assert posts == {"/ticket", *(f"/api/{name}" for name in API)}
    for path in posts:
        response = await http.head(path)
        assert response.status_code == 405
        assert set(response.headers["allow"].split(", ")) == {"POST", "OPTIONS"}
    refused = await http.delete("/healthz")
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("host", ["localhost.", "LOCALHOST:8000", "localhost.:8000", "sam.localhost"])
async def test_names_of_this_machine_are_answered(http: httpx.AsyncClient, host: str) -> None:
    assert (await http.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [FILE, PHOTO, "/studio.css", "/docs", "/schema/openapi.json"])
async def test_a_file_that_the_client_has_is_not_sent_again(http: httpx.AsyncClient, method: str, path: str) -> None:
    first = await http.get(path)
    again = await http.request(method, path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (NOT_MODIFIED, b"")
    for name in ("etag", "cache-control", "vary", "content-security-policy"):
        assert again.headers.get(name) == first.headers.get(name), name
    assert not {"content-length", "content-type", "content-encoding"} & set(again.headers)
    other = await http.request(method, path, headers={"if-none-match": '"another"'})
    assert (other.status_code, other.headers["etag"]) == (200, first.headers["etag"])


async def test_the_same_file_uncompressed_is_the_same_version(http: httpx.AsyncClient) -> None:
    plain = await http.get(FILE, headers={"accept-encoding": "identity"})
    packed = await http.get(FILE, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"  # a strong version would promise the same bytes
    for etag in (plain.headers["etag"], packed.headers["etag"]):
        assert (await http.get(FILE, headers={"if-none-match": etag})).status_code == NOT_MODIFIED


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("*", NOT_MODIFIED),
        ("{etag}", NOT_MODIFIED),
        ("W/{etag}", NOT_MODIFIED),
        ('"other", W/{etag} , "third"', NOT_MODIFIED),
        ('"a, b",{etag}', NOT_MODIFIED),
        ('"other", W/"third"', 200),
        ('"{bare}-more"', 200),
        ("{bare}", 200),
        ("", 200),
        ('"', 200),
    ],
)
async def test_versions_come_weak_and_in_lists(http: httpx.AsyncClient, value: str, status: int) -> None:
    etag = (await http.get(PHOTO)).headers["etag"]
    value = value.format(etag=etag, bare=etag.strip('"'))
    assert (await http.get(PHOTO, headers={"if-none-match": value})).status_code == status


async def test_a_version_in_the_second_of_two_headers_counts(http: httpx.AsyncClient) -> None:
    etag = (await http.get(PHOTO)).headers["etag"]
    headers = [("if-none-match", '"other"'), ("if-none-match", etag)]
    assert (await http.get(PHOTO, headers=headers)).status_code == NOT_MODIFIED


@pytest.mark.parametrize(
    ("since", "status"),
    [(FAR_OFF, NOT_MODIFIED), ("{same}", NOT_MODIFIED), (LONG_AGO, 200), ("yesterday", 200), ("", 200)],
)
async def test_a_date_alone_decides(http: httpx.AsyncClient, since: str, status: int) -> None:
    since = since.format(same=(await http.get(PHOTO)).headers["last-modified"])
    assert (await http.get(PHOTO, headers={"if-modified-since": since})).status_code == status


async def test_beside_versions_a_date_does_not_count(http: httpx.AsyncClient) -> None:
    headers = {"if-none-match": '"other"', "if-modified-since": FAR_OFF}
    assert (await http.get(PHOTO, headers=headers)).status_code == 200


async def test_what_is_not_there_is_not_unmodified_and_what_changes_is_not_kept(http: httpx.AsyncClient) -> None:
    assert (await http.get("/static/nowhere.js", headers={"if-none-match": "*"})).status_code == 404
    for path in ("/", "/healthz", "/limits", "/metrics"):
        answer = await http.get(path, headers={"if-none-match": "*"})
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path


async def test_an_answer_without_a_body_is_counted_as_what_it_was(http: httpx.AsyncClient) -> None:
    etag = (await http.get(PHOTO)).headers["etag"]

    async def counted() -> float:
        lines = (await http.get("/metrics")).text.splitlines()
        name = 'hoversam_responses_total{status="304"}'
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)

    before = await counted()
    await http.get(PHOTO, headers={"if-none-match": etag})
    assert await counted() == before + 1
