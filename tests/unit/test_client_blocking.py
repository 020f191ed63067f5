from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.client import Preview, connect_blocking
from tests.protocol_server import HEIGHT, PHOTO, WIDTH, FakeServer, running, unused_url

pytestmark = pytest.mark.anyio


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[FakeServer]:
    async with running() as fake:
        yield fake


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    return path


async def test_the_blocking_session_does_the_same(server: FakeServer, photo: Path) -> None:
    def work() -> tuple[int, list[float], set[int], float]:
        with connect_blocking(server.url) as session:
            session.open(photo)
            clicked = session.click(1, 1)
            previews: list[Preview] = list(session.hover([(x, 1) for x in range(4)]))
            session.label(clicked.id, "cat")
            known = set(session.objects)
            session.clear()
            return int(clicked.mask.sum()), [each.x for each in previews], known, session.ping().decode_ms

    area, path, known, decode_ms = await asyncio.to_thread(work)
    assert (area, path, known, decode_ms) == (HEIGHT * WIDTH // 2, [0, 1, 2, 3], {7}, 2.0)


def test_where_no_server_is_the_blocking_session_says_so_too() -> None:
    with pytest.raises(ConnectionRefusedError), connect_blocking(unused_url()):
        pass
