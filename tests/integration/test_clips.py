"""Clips by HTTP, as strangers send them: their frames come back, and whatever can't be read is one clear error."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image as Pil

from app.clips.decoding import CHILD, Children
from app.settings import Settings
from app.web.forms import FORM_BYTES
from tests.helpers.clip_decoders import jpeg_of, program, saying, short_clip
from tests.helpers.clip_files import animation, left_of_square, turned, video, zipped
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.limits import shrunk
from tests.helpers.peer import DEADLINE_S, post_picture
from tests.helpers.server import Server, started

pytestmark = pytest.mark.anyio
needs_av = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV isn't installed")
OTHER = animation() + b"not to be found among those that were read"
QUICK = program(saying(*short_clip()))
WITHOUT_AV = """import runpy, sys
sys.modules["av"] = None
runpy.run_module("app.clips.child", run_name="__main__")
"""
MAX_BYTES = 8 * 10**6


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    """One server for the whole file: none of its tests may break it."""
    running = await started(Settings(), FakeEngine(), limits=shrunk(max_clip_bytes=MAX_BYTES, shutdown_timeout_s=2.0))
    yield running
    await running.stop()


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False, timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
def quick(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a decoder that says three frames of whatever comes."""
    monkeypatch.setattr(server.predictor.clips, "_command", QUICK)


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The decoders that were started."""
    came: list[subprocess.Popen[bytes]] = []
    began = Children._began

    def noted(self: Children, child: subprocess.Popen[bytes]) -> None:
        came.append(child)
        began(self, child)

    monkeypatch.setattr(Children, "_began", noted)
    return came


async def sent(http: httpx.AsyncClient, data: bytes, query: str = "") -> httpx.Response:
    return await http.post(f"/api/clips{query}", files={"file": ("clip", data)})


def problem(response: httpx.Response) -> tuple[int, str, str]:
    """Return the status, the code and the reason of an error."""
    detail = response.json()["detail"]
    assert detail["message"]
    return response.status_code, detail["code"], detail.get("reason", "")


def files_open() -> int:
    """Return how many files and pipes this process, and so its server, has open."""
    gc.collect()
    kinds, count = ("pipe:", tempfile.gettempdir()), 0
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # of the listing itself
            count += str(link.readlink()).startswith(kinds)
    return count


async def test_a_clip_comes_back_frame_by_frame_as_the_model_sees_it(http: httpx.AsyncClient, server: Server) -> None:
    answer = (await sent(http, animation())).json()
    assert set(answer) == {"clip_id", "width", "height", "times", "duration"}
    assert (answer["width"], answer["height"], len(answer["times"])) == (160, 120, 6)
    for index in (0, 5):
        frame = await http.get(f"/api/clips/{answer['clip_id']}/frames/{index}")
        assert frame.headers["content-type"] == "image/jpeg"
        assert "immutable" in frame.headers["cache-control"]
        shown = np.asarray(Pil.open(BytesIO(frame.content)))
        assert left_of_square(shown) == 8 + 4 * index
        assert np.array_equal(await server.predictor.sources.pixels(f"{answer['clip_id']}#{index}"), shown)


@needs_av
async def test_a_phones_portrait_clip_is_upright(http: httpx.AsyncClient) -> None:
    answer = (await sent(http, turned(video()))).json()
    assert (answer["width"], answer["height"]) == (120, 160)
    frame = await http.get(f"/api/clips/{answer['clip_id']}/frames/0")
    assert Pil.open(BytesIO(frame.content)).size == (120, 160)


async def test_files_of_one_form_are_the_frames_of_a_clip_in_the_order_of_their_names(http: httpx.AsyncClient) -> None:
    frames = [("file", (f"shot{index}.jpg", jpeg_of(index), "image/jpeg")) for index in (10, 9, 8, 11)]
    other = ("file", (".DS_Store", b"what a folder has besides", "text/plain"))
    answer = (await http.post("/api/clips", files=[*frames, other])).json()
    assert len(answer["times"]) == 4
    first = await http.get(f"/api/clips/{answer['clip_id']}/frames/0")
    assert left_of_square(np.asarray(Pil.open(BytesIO(first.content)))) == 8 + 4 * 8
    again = (await http.post("/api/clips", files=frames[::-1])).json()
    assert len(again["times"]) == 4


async def test_a_long_clip_is_sent_once_and_a_part_of_it_chosen(http: httpx.AsyncClient) -> None:
    two = animation(count=2, durations_ms=40)
    last = two[two.rindex(b"\x21\xf9\x04") : -1]
    refused = await sent(http, two[:-1] + last * 9_999 + b";")
    assert problem(refused) == (413, "CLIP_TOO_LONG", "clip_long")
    values = refused.json()["detail"]["values"]
    assert (values["frames"], values["most"]) == (10_001, 300)
    part = await http.post(f"/api/clips/{values['file_id']}/parts?begin=1&end=3&rate=5")
    assert part.json()["times"] == pytest.approx([1 + index / 5 for index in range(10)])
    again = await http.post(f"/api/clips/{values['file_id']}/parts?begin=0&end=60&rate=25")
    assert problem(again)[:2] == (413, "CLIP_TOO_LONG")
    unknown = await http.post(f"/api/clips/clip-{'0' * 32}/parts?begin=1&end=3")
    assert problem(unknown)[:2] == (404, "IMAGE_NOT_FOUND")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "query", ["begin=3&end=2", "begin=-1", "end=nan", "rate=0", "rate=inf", "begin=x", "begin=90000", "rate=1e-9"]
)
async def test_a_part_that_is_none_is_refused(http: httpx.AsyncClient, query: str) -> None:
    assert problem(await sent(http, OTHER, f"?{query}"))[:2] == (400, "BAD_REQUEST")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("path", "status"),
    [("/frames/2", 200), ("/frames/3", 400), ("/frames/-1", 400), ("/frames/x", 404), ("-0-1-2/frames/9", 400)],
)
async def test_frames_that_there_are(http: httpx.AsyncClient, path: str, status: int) -> None:
    clip_id = (await sent(http, OTHER)).json()["clip_id"]
    assert (await http.get(f"/api/clips/{clip_id}{path}")).status_code == status


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("more", [0, 1, FORM_BYTES])
async def test_a_clip_is_taken_up_to_the_limit(http: httpx.AsyncClient, more: int) -> None:
    response = await sent(http, animation().ljust(MAX_BYTES + more, b"\0"))
    if more:
        assert problem(response) == (413, "FILE_TOO_LARGE", "clip_bytes")
    else:
        assert response.status_code == 200


@pytest.mark.usefixtures("quick")
async def test_a_form_without_a_clip_is_refused(http: httpx.AsyncClient) -> None:
    assert problem(await http.post("/api/clips", files={"other": b"x"}))[:2] == (400, "BAD_REQUEST")
    assert problem(await http.post("/api/clips", content=b"x"))[:2] == (400, "BAD_REQUEST")
    assert problem(await sent(http, b"")) == (415, "UNSUPPORTED_FORMAT", "kind_empty")


async def test_a_picture_and_a_clip_are_each_told_the_others_way_in(http: httpx.AsyncClient, server: Server) -> None:
    assert "/api/clips" in (await post_picture(server, zipped())).json()["detail"]["message"]
    refused = await sent(http, jpeg_of(0))
    assert problem(refused) == (415, "UNSUPPORTED_FORMAT", "clip_kind")


LYING = animation().replace(b"\xa0\0\x78\0", b"\x00\x1e\xe0\x10", 1)
"""A GIF whose head says that it has 7680 x 4320 pixels."""
BAD: dict[str, tuple[Callable[[], bytes], tuple[str, ...], str]] = {
    "cut": (lambda: video()[:-1500], CHILD, "clip_cut"),
    "a head that lies": (lambda: LYING, CHILD, "clip_pixels"),
    "one frame": (lambda: animation(count=1), CHILD, "clip_one"),
    "no frame": (lambda: zipped(0), CHILD, "clip_kind"),
    "sound alone": (lambda: video(times_ms=[], sound=True), CHILD, "clip_sound"),
    "a codec that isn't there": (lambda: video().replace(b"avc1", b"zzzz"), CHILD, "clip_codec"),
    "no PyAV": (video, (CHILD[0], "-I", "-c", WITHOUT_AV), "clip_no_video"),
    "a decoder that dies": (lambda: OTHER + b"1", program("import os; os.abort()"), "clip_died"),
    "a decoder that talks nonsense": (lambda: OTHER + b"2", program("print('x' * 99)"), "clip_died"),
    "a decoder that hangs": (lambda: OTHER + b"3", program("import signal; signal.pause()"), "clip_time"),
}


@needs_av
@pytest.mark.parametrize("what", BAD)
async def test_what_cant_be_read_is_one_clear_error_and_leaves_nothing(
    what: str,
    http: httpx.AsyncClient,
    server: Server,
    children: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, command, reason = BAD[what]
    clips, data = server.predictor.clips, make()
    monkeypatch.setattr(clips, "_command", command)
    if reason == "clip_time":
        monkeypatch.setattr("app.clips.decoding.GRACE_S", -clips._limits.clip_timeout_s + 0.1)
    kept, before = clips.nbytes, files_open()
    refused = await sent(http, data)
    assert problem(refused)[2] == reason, refused.text
    if reason == "clip_no_video":
        assert "./start.sh install video" in refused.json()["detail"]["message"]
    assert all(child.returncode is not None for child in children)
    assert (await http.get("/readyz")).status_code == 200  # with which its connection forgets the request before
    assert (clips.nbytes, files_open()) == (kept, before)
