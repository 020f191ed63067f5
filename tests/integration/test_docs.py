"""`/docs` and the schema, as a browser without a network sees them, and the commands in them, run."""

from __future__ import annotations

import asyncio
import html
import json
import re
import shlex
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.protocol import examples
from app.protocol.codec import encode
from app.settings import Settings
from app.web.examples import CAT, CLIP, UPLOADED
from app.web.socket_docs import FRAME_BYTES_SHOWN
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.peer import DEADLINE_S, uploaded
from tests.helpers.server import Server, started
from tests.helpers.tags import tag_of

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


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


@pytest.fixture
async def page(http: httpx.AsyncClient) -> str:
    response = await http.get("/docs")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text


@pytest.fixture
async def schema(http: httpx.AsyncClient) -> dict[str, Any]:
    document: dict[str, Any] = (await http.get("/schema/openapi.json")).json()
    return document


async def test_the_page_asks_no_other_host_for_anything(server: Server, page: str) -> None:
    loaded = re.findall(r"""<(?:script|link|img|iframe|use)[^>]*?(?:src|href)=["']([^"']+)""", page)
    assert loaded
    assert [url for url in loaded if not url.startswith(("static/", server.url))] == []


async def test_the_page_needs_nothing_that_its_policy_forbids(page: str) -> None:
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "style=" not in page
    assert "<style" not in page
    assert not re.search(r"\son[a-z]+=", page)


async def test_every_link_of_the_page_leads_somewhere(http: httpx.AsyncClient, page: str) -> None:
    ids = set(re.findall(r'id="([^"]+)"', page))
    for target in set(re.findall(r'href="([^"]+)"', page)):
        if target.startswith("#"):
            assert target[1:] in ids
        else:
            assert (await http.get(target)).status_code == 200, target


async def test_a_host_is_shown_and_never_written_as_markup(http: httpx.AsyncClient) -> None:
    response = await http.get("/docs", headers={"host": "a<b>c"})
    assert response.status_code < 500
    assert "<b>c" not in response.text


async def test_every_message_is_shown_with_its_bytes(page: str) -> None:
    client, server = examples.from_client(), examples.from_server()
    for side, message in (*(("client", each) for each in client), *(("server", each) for each in server)):
        data = encode(message)
        article = page.split(f'id="{side}-{tag_of(type(message))}"')[1].partition("</article>")[0]
        assert data[:FRAME_BYTES_SHOWN].hex(" ") in article
        assert f"{len(data)} bytes" in article


async def test_every_route_of_the_schema_is_on_the_page(page: str, schema: dict[str, Any]) -> None:
    assert {"/api/upload", "/api/segment", "/api/health", "/healthz", "/readyz"} <= set(schema["paths"])
    for path in schema["paths"]:
        assert f"<code>{path}</code>" in page


async def test_every_reference_of_the_schema_leads_somewhere(schema: dict[str, Any]) -> None:
    for target in set(re.findall(r'"\$ref": ?"#/components/schemas/([^"]+)"', json.dumps(schema))):
        assert target in schema["components"]["schemas"]


async def test_the_schema_has_an_example_for_each_json_of_the_api(schema: dict[str, Any]) -> None:
    for part in json_parts({path: item for path, item in schema["paths"].items() if path.startswith("/api/")}):
        inside = part["schema"].get("examples") or part.get("examples")
        assert inside, part


def json_parts(node: Any) -> Iterator[dict[str, Any]]:
    """Yield what the schema says of each JSON body."""
    if isinstance(node, dict):
        yield from (part for kind, part in node.items() if kind == "application/json" and isinstance(part, dict))
        for each in node.values():
            yield from json_parts(each)


async def test_no_example_carries_what_openapi_does_not_know(schema: dict[str, Any]) -> None:
    known = {"summary", "description", "value", "externalValue"}
    for part in json_parts(schema["paths"]):
        for example in part.get("examples", {}).values():
            assert set(example) <= known


async def test_what_is_documented_has_the_documented_id(server: Server, http: httpx.AsyncClient) -> None:
    cat = ("cat.jpg", (ROOT / CAT).read_bytes())
    response = await http.post("/api/upload", files={"file": cat})
    assert response.json() == UPLOADED
    response = await http.post("/api/clips", files=[("file", cat), ("file", cat)])
    assert response.json() == CLIP


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_every_command_on_the_page_runs_as_it_stands(server: Server, page: str) -> None:
    await uploaded(server, (ROOT / CAT).read_bytes())
    shown = [html.unescape(each) for each in re.findall(r'<code class="command">(.*?)</code>', page, re.DOTALL)]
    assert len(shown) >= 4
    for command in shown:
        assert await curl(command) == 200, command


PEERS_COMMANDS = (
    "curl {url}/api/health",
    'curl -X POST {url}/api/upload -F "file=@static/samples/cat.jpg"',
    'curl -X POST {url}/api/segment -H "Content-Type: application/json" '
    '-d \'{{"image_id": "' + str(UPLOADED["image_id"]) + '", "points": [{{"x": 210, "y": 120, "label": 1}}]}}\'',
    "curl -X POST {url}/api/segment -H 'Content-Type: application/json' "
    '-d \'{{"image_id": "' + str(UPLOADED["image_id"]) + '", "points": [\n{{ "x": 210, "y": 120, "label": 1 }},\n'
    '{{ "x": 220, "y": 130 }},\n{{ "x": 10, "y": 10, "label": 0 }}\n]}}\'',
)
"""As FastSAM-Demo documents them, with a picture and a point of ours."""


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_the_peers_documented_commands_run(server: Server) -> None:
    for command in PEERS_COMMANDS:
        assert await curl(command.format(url=server.url)) == 200


async def curl(command: str) -> int:
    """Return the status that a command got; it is run without a shell, and with no proxy."""
    process = await asyncio.create_subprocess_exec(
        *shlex.split(command),
        *("--silent", "--noproxy", "*", "--max-time", str(DEADLINE_S), "--write-out", "\n%{http_code}"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return int(out.split(b"\n")[-1])
