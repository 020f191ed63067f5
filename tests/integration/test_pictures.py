"""Strangers' pictures over HTTP and the socket: same side up, same colours, and pixels for pages that have none."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import httpx
import numpy as np
import pytest
from PIL import Image as Pil

from app.protocol import messages as m
from app.settings import Settings
from tests.helpers.color_profiles import P3
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import file_of, png16
from tests.helpers.peer import greeted, uploaded
from tests.helpers.server import Server, started
from tests.helpers.turned_files import MARKED, turned_file

pytestmark = pytest.mark.anyio
LEVELS = np.where(np.hypot(*np.ogrid[-60:60, -80:80]) < 30, 3300, 1000).astype(np.uint16)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def server(anyio_backend: str) -> AsyncIterator[Server]:
    running = await started(Settings(), FakeEngine())
    yield running
    await running.stop()


@pytest.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client


async def test_upload_and_socket_say_how_a_picture_is_turned(server: Server, http: httpx.AsyncClient) -> None:
    reply = (await http.post("/api/upload", files={"file": turned_file(6, "webp")})).json()
    assert (reply["width"], reply["height"], reply["orientation"]) == (60, 40, 6)
    async with greeted(server) as peer:
        image = await peer.open(reply["image_id"])
        assert (image.orientation, image.rendered) == (6, False)


async def test_a_plain_picture_is_answered_as_ever(http: httpx.AsyncClient) -> None:
    reply = (await http.post("/api/upload", files={"file": file_of(Pil.new("RGB", (9, 9)), "PNG")})).json()
    assert reply.keys() == {"image_id", "width", "height"}


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "AVIF"])
async def test_every_format_opens_over_http(http: httpx.AsyncClient, kind: str) -> None:
    data = file_of(Pil.new("RGB", (40, 30), (250, 10, 10)), kind)
    reply = (await http.post("/api/upload", files={"file": data})).json()
    assert (reply["width"], reply["height"]) == (40, 30)
    assert reply.get("rendered", False) == (kind == "TIFF")


async def test_a_picture_that_pages_show_otherwise_is_rendered_for_them(
    server: Server, http: httpx.AsyncClient
) -> None:
    image_id = await uploaded(server, png16(LEVELS))
    answer = await http.get(f"/api/pictures/{image_id}")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    shown = np.asarray(Pil.open(io.BytesIO(answer.content)))
    assert (shown[60, 80].tolist(), shown[5, 5].tolist()) == ([255, 255, 255], [0, 0, 0])


async def test_a_rendition_is_upright(server: Server, http: httpx.AsyncClient) -> None:
    image_id = await uploaded(server, turned_file(5, "tiff"))
    answer = await http.get(f"/api/pictures/{image_id}")
    assert np.array_equal(np.asarray(Pil.open(io.BytesIO(answer.content))), MARKED)


async def test_a_picture_that_is_not_kept_has_no_rendition(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/api/pictures/{'0' * 32}")
    assert answer.status_code == 404
    assert answer.json()["detail"]["code"] == "IMAGE_NOT_FOUND"
    assert (await http.get(f"/api/pictures/{'0' * 300}")).status_code == 400


async def test_renditions_are_no_way_in_for_other_names(server: Server, http: httpx.AsyncClient) -> None:
    image_id = await uploaded(server, png16(LEVELS))
    answer = await http.get(f"/api/pictures/{image_id}", headers={"host": "evil.example"})
    assert answer.status_code == 403


async def test_a_cutout_has_the_colors_that_viewers_show(server: Server) -> None:
    data = file_of(Pil.new("RGBA", (120, 80), (30, 200, 60, 128)), "PNG", icc_profile=P3)
    async with greeted(server) as peer:
        await peer.open(await uploaded(server, data))
        await peer.click(60, 40)
        await peer.send(m.Export(seq=peer.seq(), format="cutout"))
        rgba = np.asarray(Pil.open(io.BytesIO((await peer.expect(m.File)).data)))
        await peer.send(m.Export(seq=peer.seq(), format="overlay", objects=()))
        rgb = np.asarray(Pil.open(io.BytesIO((await peer.expect(m.File)).data)))
    assert np.abs(rgba[40, 60].astype(int) - (0, 205, 0, 128)).max() <= 4
    assert np.abs(rgb[40, 60].astype(int) - (127, 230, 127)).max() <= 4
