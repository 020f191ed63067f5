from __future__ import annotations

import asyncio
import gc
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from app.settings import Settings
from app.web.headers import HEADERS
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import file_of, noise, png, png_header
from tests.helpers.peer import DEADLINE_S, greeted, post_picture, uploaded
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio
SETTINGS = Settings(max_upload_bytes=100_000)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    """One server for the whole file: none of its tests may break it."""
    running = await started(SETTINGS, FakeEngine())
    yield running
    await running.stop()


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=DEADLINE_S) as client:
        yield client


def detail(response: httpx.Response) -> tuple[int, str]:
    """Return the status and code of an error, which must have the one shape of errors."""
    content = response.json()
    assert set(content) == {"detail"}
    assert {"code", "message"} <= set(content["detail"]) <= {"code", "message", "reason", "values"}
    assert content["detail"]["message"]
    return response.status_code, content["detail"]["code"]


async def test_an_upload_is_answered_with_id_and_size(server: Server) -> None:
    response = await post_picture(server, png(64, 48))
    assert response.status_code == 200
    answer = response.json()
    assert set(answer) == {"image_id", "width", "height"}
    assert (answer["width"], answer["height"]) == (64, 48)


async def test_the_same_picture_always_has_the_same_id(server: Server) -> None:
    first, again, other = [await uploaded(server, png(width)) for width in (10, 10, 11)]
    assert first == again != other


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"no picture, a text", (415, "UNSUPPORTED_FORMAT")),
        (b"", (415, "UNSUPPORTED_FORMAT")),
        (file_of(noise(64, 48), "JPEG")[:2000], (415, "UNSUPPORTED_FORMAT")),
        (png_header(30_000, 30_000), (413, "FILE_TOO_LARGE")),
        (png_header(5000, 1), (413, "FILE_TOO_LARGE")),
    ],
    ids=["text", "empty", "cut jpeg", "30000 x 30000", "5000 x 1"],
)
async def test_a_file_that_is_no_picture_for_us_is_refused(
    server: Server, data: bytes, answer: tuple[int, str]
) -> None:
    assert detail(await post_picture(server, data)) == answer
    assert (await post_picture(server, png())).status_code == 200


@pytest.mark.parametrize("more", [0, 1, 1_000_000])
async def test_an_upload_is_taken_up_to_the_limit(server: Server, more: int) -> None:
    limit = server.shared_state.settings.max_upload_bytes
    response = await post_picture(server, png().ljust(limit + more, b"\0"))
    if more:
        assert detail(response) == (413, "FILE_TOO_LARGE")
    else:
        assert response.status_code == 200


async def test_an_upload_without_a_stated_length_is_bounded_too(http: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(100):
            yield bytes(10_000)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert detail(await http.post("/api/upload", content=pieces(), headers=headers)) == (413, "FILE_TOO_LARGE")
    gc.collect()  # what was left open would warn


@pytest.mark.parametrize(
    "parts",
    [{"files": {"other": ("p", b"x")}}, {"data": {"file": "text"}}, {"content": b"{}"}, {"json": {"file": "x"}}],
    ids=["other field", "text field", "no form", "json"],
)
async def test_a_form_without_a_file_is_a_bad_request(http: httpx.AsyncClient, parts: dict[str, object]) -> None:
    assert detail(await http.post("/api/upload", **parts)) == (400, "BAD_REQUEST")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "named",
    [
        'filename="Screenshot 1.23.45\u202fPM.png"'.encode(),  # browsers, httpx, curl
        b'filename="caf\xe9.png"',  # curl, of a name in Latin-1
        b'filename="\xff\xfe\x80.png"',
        b'filename="a%22b%0D%0A.png"',  # browsers, of quotes and line breaks
        b'filename="a\\"b\\\\.png"',  # curl
        b'filename="a;b=c,d.png"',
        b"filename*=utf-8''Caf%C3%A9.png",  # RFC 5987, urllib3 of old
        b"filename=\"Caf_.png\"; filename*=iso-8859-1'en'Caf%E9.png",
        b"filename=cat.png",
        b'filename=""',
        b'filename="' + "\U0001f41e".encode() * 255 + b'"',
        b"",  # a field that isn't called a file
    ],
    ids=lambda named: ascii(named[:40]),
)
async def test_a_picture_is_taken_whatever_its_name_is_sent_as(http: httpx.AsyncClient, named: bytes) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"' + (b"; " if named else b"") + named
    body = head + b"\r\nContent-Type: image/png\r\n\r\n" + png() + b"\r\n--x--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert (await http.post("/api/upload", content=body, headers=headers)).status_code == 200


async def test_a_form_may_have_other_fields_and_one_picture(http: httpx.AsyncClient) -> None:
    picture = ("p", png())
    taken = await http.post("/api/upload", data={"note": "x"}, files=[("other", ("o", b"x")), ("file", picture)])
    refused = await http.post("/api/upload", files=[("file", picture), ("file", picture)])
    assert (taken.status_code, detail(refused)) == (200, (400, "BAD_REQUEST"))


async def test_a_form_that_is_cut_short_is_a_bad_request(http: httpx.AsyncClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + png()
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert detail(await http.post("/api/upload", content=body, headers=headers)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("name", ['"><img src=x onerror=alert(1)>.png', "../../etc/passwd", "x" * 500, "\u202egnp.exe"])
async def test_a_file_name_means_nothing(http: httpx.AsyncClient, name: str) -> None:
    response = await http.post("/api/upload", files={"file": (name, png(), "text/html")})
    assert response.status_code == 200
    assert name not in response.text


async def test_an_endless_file_name_is_a_bad_request(http: httpx.AsyncClient) -> None:
    response = await http.post("/api/upload", files={"file": ("x" * 10_000, png())})
    assert detail(response) == (400, "BAD_REQUEST")


async def test_too_many_uploads_at_once_are_told_to_come_again(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.predictor.pictures, "_max_waiting", 0)
    response = await post_picture(server, png())
    assert detail(response) == (503, "MODEL_NOT_READY")
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://[", "http://127.0.0.1:1"])
async def test_another_web_page_can_not_upload(server: Server, origin: str) -> None:
    before = server.predictor.pictures.nbytes
    response = await post_picture(server, png(77, 77), headers={"origin": origin})
    assert detail(response)[0] == 403
    assert server.predictor.pictures.nbytes == before


async def test_our_own_page_can_upload(server: Server) -> None:
    assert (await post_picture(server, png(), headers={"origin": server.url})).status_code == 200


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_what_was_uploaded_is_never_sent_out(http: httpx.AsyncClient, server: Server, kind: str) -> None:
    data = file_of(noise(20, 20), kind) + b"<script>alert(1)</script>"
    image_id = await uploaded(server, data)
    for path in (f"/api/upload/{image_id}", f"/api/images/{image_id}", f"/static/{image_id}", f"/{image_id}"):
        assert (await http.get(path)).status_code in (404, 405)


async def test_health_tells_model_and_device(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/health")).json() == {"status": "ok", "model": "tiny", "device": "cpu"}


@pytest.mark.parametrize(("path", "text"), [("/healthz", "ok"), ("/readyz", "ready")])
async def test_probes_are_answered(http: httpx.AsyncClient, path: str, text: str) -> None:
    response = await http.get(path)
    assert (response.status_code, response.text) == (200, text)


async def test_probes_are_answered_while_every_session_is_taken(
    server: Server, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.shared_state.registry, "_max_sessions", 1)
    async with greeted(server):
        assert (await http.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/api/health", 200),
        ("GET", "/static/js/main.js", 200),
        ("GET", "/static/favicon.svg", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/static/nowhere.js", 404),
        ("GET", "/api/upload", 405),
        ("POST", "/api/upload", 400),
        ("HEAD", "/static/favicon.svg", 200),
    ],
)
async def test_every_answer_has_the_headers(http: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    response = await http.request(method, path)
    assert response.status_code == status
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in response.headers


async def test_a_mistake_of_the_server_has_headers_and_shape_and_keeps_its_text(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(server.predictor.pictures, "add", broken)
    response = await post_picture(server, png())
    assert detail(response) == (500, "MODEL_ERROR")
    assert "secret" not in response.text
    assert response.headers["content-security-policy"] == HEADERS["content-security-policy"]


@pytest.mark.parametrize("path", ["/static/../app/asgi.py", "/static/%2e%2e/app/asgi.py", "/static/..%2fapp/asgi.py"])
async def test_nothing_but_static_files_is_served(server: Server, path: str) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))  # a client library would tidy the path
    writer.write(f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), DEADLINE_S)
    writer.close()
    assert answer.split()[1] in (b"404", b"400")
    assert b"create_app" not in answer


async def test_the_page_is_rendered(http: httpx.AsyncClient, server: Server) -> None:
    response = await http.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert 'data-model="tiny"' in response.text
    assert f'data-max-upload-bytes="{server.shared_state.settings.max_upload_bytes}"' in response.text
    scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", response.text)  # the policy forbids inline scripts
    assert [attributes for attributes in scripts if 'type="application/json"' not in attributes] == []
    assert "style=" not in response.text


async def test_everything_that_the_page_names_is_there(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    named = set(re.findall(r'(?:src|href|data-sample)="([^"#]+)"', page))
    assert any(path.endswith(".js") for path in named)
    assert any(path.endswith(".jpg") for path in named)
    for path in named:
        assert (await http.get(path)).status_code == 200, path


async def test_the_page_says_that_a_bundled_model_is_a_demonstration(
    server: Server, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = '<div class="model-note" id="model-note-demo" hidden>'
    assert hidden in (await http.get("/")).text
    monkeypatch.setattr(server.engine, "model", "nano")
    page = (await http.get("/")).text
    assert hidden not in page
    assert "demonstration model" in page


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/api/export", {"options": {"ground": "white"}}, "options.ground: expected a colour such as #ffffff"),
        ("/api/export", {"format": "psd"}, "format: expected coco, cutout, labelme, mask, overlay, recipe, svg"),
        ("/api/export", {"objects": [{"trail": [{"t": "dab"}]}]}, "objects[0].trail[0].t: expected point, box"),
        ("/api/segment", {}, "image_id is missing"),
        ("/api/segment", None, "expected JSON, got nothing"),
        ("/api/segment", [], "expected an object, got a list"),
        ("/api/clips?begin=now", None, "begin: expected a number, got text"),
    ],
    ids=str,
)
async def test_what_was_expected_is_said_in_words(http: httpx.AsyncClient, path: str, body: object, told: str) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    response = await http.post(path, content=content, headers={"content-type": "application/json"})
    assert detail(response) == (400, "BAD_REQUEST")
    assert response.json()["detail"]["message"].startswith(f"POST {path.partition('?')[0]} can't be read: {told}")
