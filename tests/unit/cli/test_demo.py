from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from app.cli.demo import add_arguments, main, run_demo
from app.errors import BusyError
from app.protocol import messages as m
from tests.helpers.protocol_server import (
    GRAY,
    HEIGHT,
    LEFT_HALF,
    PHOTO,
    WIDTH,
    FakeServer,
    refused,
    running,
    unused_url,
)

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


async def test_the_demo_clicks_where_the_preview_scored_best(server: FakeServer, photo: Path, tmp_path: Path) -> None:
    best = m.Mask(LEFT_HALF.size, LEFT_HALF.box, LEFT_HALF.runs, 0.99, LEFT_HALF.area)
    server.script[m.Hover] = lambda msg: [
        m.Preview(seq=msg.seq, x=msg.x, y=msg.y, best=0, masks=(best if 30 < msg.x < 31 else LEFT_HALF,))
    ]
    report = await run_demo(photo, url=server.url, out=tmp_path / "overlay.png")
    clicked = next(each for each in server.received if isinstance(each, m.Click))
    assert (clicked.x, clicked.y) == report.point_xy
    assert 30 < clicked.x < 31
    assert report.answered == report.hovers
    assert "of the picture" in report.table()
    with Image.open(tmp_path / "overlay.png") as overlay:
        assert overlay.size == (WIDTH, HEIGHT)
        assert overlay.getpixel((WIDTH - 1, HEIGHT - 1)) == GRAY
        assert overlay.getpixel((0, HEIGHT - 1)) != GRAY


def test_the_demo_without_a_server_says_how_to_start_one(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(demo_arguments(photo, unused_url())) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "start.sh" in printed.err


async def test_the_demo_without_its_photo_names_it(
    server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, demo_arguments(tmp_path / "missing.jpg", server.url)) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "missing.jpg" in printed.err


async def test_the_demo_stops_where_the_server_refuses(server: FakeServer, photo: Path, tmp_path: Path) -> None:
    server.script[m.Hover] = lambda msg: [refused(msg.seq, "busy")]
    with pytest.raises(BusyError):
        await run_demo(photo, url=server.url, out=tmp_path / "overlay.png")


def demo_arguments(photo: Path, url: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(photo), "--url", url])
