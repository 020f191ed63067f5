"""A server in a thread of its own, whose engine, models and downloads a test holds in its hands."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.garage import GRIDS, Garage, small_models
from tests.helpers.loop_workers import cancel_others
from tests.helpers.server import Server, open_gates, started
from tests.helpers.studio import WAIT_MS
from tests.helpers.weights_site import CONTENT, Site, served


@dataclass
class Shop:
    """A server that runs `tiny`, has `small` and may fetch the others."""

    server: Server
    engine: FakeEngine
    garage: Garage
    site: Site


@contextmanager
def open_shop(folder: Path, first_responder: str | None = None) -> Iterator[Shop]:
    engine, garage, site = FakeEngine(grid=GRIDS["tiny"]), Garage(), Site()
    with served(site):
        manifest = small_models(folder, site.url)
        (folder / manifest.entry("small").file).write_bytes(CONTENT)
        settings = Settings(checkpoints_dir=folder, cache_dir=folder.with_name("cache"))
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        async def start() -> Server:
            return await started(settings, engine, manifest=manifest, load=garage.load, first_responder=first_responder)

        server = asyncio.run_coroutine_threadsafe(start(), loop).result(WAIT_MS / 1000)
        try:
            yield Shop(server, engine, garage, site)
        finally:
            release(site)
            garage.close()
            open_gates(engine)
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(WAIT_MS / 1000)
            asyncio.run_coroutine_threadsafe(cancel_others(), loop).result(WAIT_MS / 1000)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(WAIT_MS / 1000)
            loop.close()


def release(site: Site) -> None:
    """Let a stalled answer break off, and later ones go through."""
    stall, site.stall = site.stall, None
    if stall is not None:
        stall.set()
