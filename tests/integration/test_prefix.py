"""The Python client where the server lies under a path of another host."""

from __future__ import annotations

import pytest

from app.client import connect
from tests.helpers.image_files import png
from tests.helpers.reverse_proxy import ReverseProxy, reverse_proxy
from tests.helpers.server import Server

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_session_opens_clicks_and_exports_under_a_prefix(server: Server, slash: str) -> None:
    with reverse_proxy(ReverseProxy(server.url, prefix="/user/me/proxy/8000")) as proxy:
        async with connect(proxy.url.rstrip("/") + slash) as session:
            await session.open(png(600, 400))
            assert (await session.click(30, 20)).mask.shape == (400, 600)
            assert (await session.export("coco")).data.startswith(b"{")
        assert proxy.lost == []
