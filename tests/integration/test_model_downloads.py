"""A model that isn't there yet, fetched for the sessions that ask: once, with progress, and never in their way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.protocol import messages as m
from app.settings import Settings
from app.weights.manifest import Manifest
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.garage import Garage, all_objects, ask, small_models, switch
from tests.helpers.image_files import png
from tests.helpers.peer import opened, until
from tests.helpers.server import Server, open_gates, started
from tests.helpers.weights_site import CONTENT, Site, served

pytestmark = pytest.mark.anyio

PICTURE = png(64, 48)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with served(site):
        yield site


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "checkpoints"


@pytest.fixture
def manifest(folder: Path, site: Site) -> Manifest:
    return small_models(folder, site.url)


@pytest.fixture
def garage() -> Garage:
    return Garage()


@pytest.fixture
async def server(
    anyio_backend: str, folder: Path, engine: FakeEngine, manifest: Manifest, garage: Garage
) -> AsyncIterator[Server]:
    """A server that runs `tiny` and may fetch the others."""
    settings = Settings(checkpoints_dir=folder, cache_dir=folder.with_name("cache"))
    running = await started(settings, engine, manifest=manifest, load=garage.load)
    yield running
    garage.close()
    open_gates(engine)
    await running.stop()


def checkpoints_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.suffix == ".pt"]


async def test_a_model_that_is_not_there_is_fetched_with_progress(
    server: Server, manifest: Manifest, folder: Path, site: Site
) -> None:
    async with opened(server, PICTURE) as peer:
        seq = await ask(peer, "small")
        told: list[m.Progress] = []
        while isinstance(message := await peer.receive(), m.Progress):
            told.append(message)
        assert isinstance(message, m.Image)
        assert message.model == "small"
        assert {progress.seq for progress in told} == {seq}
        fractions = [progress.fraction for progress in told if progress.stage == "downloading"]
        assert fractions == sorted(fractions, key=lambda value: value or 0)
        assert fractions[-1] == 1.0
        assert told[-1].stage == "encoding"
        assert (folder / manifest.entry("small").file).read_bytes() == CONTENT


async def test_one_download_serves_all_who_ask(server: Server, site: Site) -> None:
    site.stall = threading.Event()
    async with opened(server, PICTURE) as one, opened(server, PICTURE) as two:
        for peer in (one, two):
            await ask(peer, "small")
            assert (await peer.expect(m.Progress)).stage == "downloading"
        release(site)
        images = await asyncio.gather(one.expect(m.Image), two.expect(m.Image))
        assert [image.model for image in images] == ["small", "small"]
        assert site.asked[0] is None
        assert all(wanted is not None for wanted in site.asked[1:])  # only what was cut off was asked for again


def release(site: Site) -> None:
    """Let a stalled answer break off, and later ones go through."""
    stall, site.stall = site.stall, None
    assert stall is not None
    stall.set()


async def test_a_download_that_fails_leaves_the_session_as_it_is(server: Server, site: Site, folder: Path) -> None:
    site.content = b"x" * len(CONTENT)
    async with opened(server, PICTURE) as peer:
        made = await peer.click(20, 20)
        await ask(peer, "small")
        error = await peer.expect(m.Error)
        assert error.code == "model_unavailable"
        assert "sent a file with another hash" in error.message
        assert (await all_objects(peer, 1))[1].masks == made.masks
    assert checkpoints_in(folder) == []


async def test_a_newer_choice_goes_before_one_that_is_still_fetched(server: Server, site: Site, garage: Garage) -> None:
    site.stall = threading.Event()
    async with opened(server, PICTURE) as peer:
        first = await ask(peer, "large")
        assert (await peer.expect(m.Progress)).stage == "downloading"
        second = await ask(peer, "nano")
        error = await peer.expect(m.Error)
        assert (error.seq, error.code) == (first, "model_unavailable")
        image = await peer.expect(m.Image)
        assert (image.seq, image.model) == (second, "nano")
        release(site)
        await until(lambda: not server.backend.models._loading)
        assert garage.names == ["nano"]


async def test_a_client_that_goes_takes_its_download_along_and_what_came_is_kept(
    server: Server, manifest: Manifest, folder: Path, site: Site
) -> None:
    site.stall = threading.Event()
    async with opened(server, PICTURE) as peer:
        await ask(peer, "small")
        assert (await peer.expect(m.Progress)).stage == "downloading"
    await until(lambda: not server.shared_state.registry.held)
    release(site)
    await until(lambda: not server.backend.models._loading)
    assert not (folder / manifest.entry("small").file).exists()
    async with opened(server, PICTURE) as peer:
        assert (await switch(peer, "small"))[0].model == "small"
    assert site.asked[-1] is not None
