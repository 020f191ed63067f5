"""Workers keep what every backend promises, whatever carries their calls: here threads and pickles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from app.fleet.backend import FleetBackend
from app.fleet.members import Members
from app.service.backend import Backend, Pixels
from app.service.limits import ServiceLimits
from app.service.model_pool import Source
from app.service.model_source import ModelSource
from app.settings import Settings
from app.weights.catalogue import known_models
from tests.helpers.backend_promises import SPECK_SHARE, BackendPromises, Make, Sources, trust_the_slow
from tests.helpers.clip_files import zipped
from tests.helpers.clip_screen import ClipScreen, uploaded_clip
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.loop_workers import LoopWorkers
from tests.helpers.peer import greeted
from tests.helpers.server import started
from tests.helpers.stand_in import Lent, stand_in_spec

pytestmark = pytest.mark.anyio


class TestWorkers(BackendPromises):
    @pytest.fixture
    def workers(self, tmp_path: Path) -> Iterator[LoopWorkers]:
        workers = LoopWorkers(2, stand_in_spec(tmp_path))
        yield workers
        workers.close()

    @pytest.fixture
    def make(self, workers: LoopWorkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
        trust_the_slow(monkeypatch)

        @asynccontextmanager
        async def fleet(sources: Sources) -> AsyncIterator[Backend]:
            spec, lent = stand_in_spec(tmp_path), Lent(workers)
            members = Members(lent)
            await asyncio.to_thread(members.begin, 30.0)
            source = ModelSource(spec.settings, known_models(spec.settings), spec.load)
            backend = FleetBackend(
                lent, members, source, sources, ServiceLimits(), model="tiny", speck_share=SPECK_SHARE
            )
            try:
                yield backend
            finally:
                backend.close()

        return fleet


async def test_a_clip_that_workers_followed_is_followed_the_same_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust_the_slow(monkeypatch)
    settings = Settings(offline=True, cache_dir=tmp_path / "cache")
    spec, data = stand_in_spec(tmp_path, settings), zipped(6)
    with closing(LoopWorkers(2, spec)) as workers:
        lent = Lent(workers)
        members = Members(lent)
        await asyncio.to_thread(members.begin, 30.0)

        def fleet(source: Source, pixels: Pixels) -> Backend:
            return FleetBackend(
                lent, members, source, pixels, ServiceLimits(), model="tiny", speck_share=settings.speck_share
            )

        with_workers = await started(settings, FakeEngine(), make_backend=fleet, load=spec.load)
        alone = await started(settings, FakeEngine())
        async with greeted(with_workers) as peer, greeted(alone) as other:
            screen, again = ClipScreen(peer), ClipScreen(other)
            await screen.open(await uploaded_clip(with_workers.url, data), 2)
            await screen.click(30, 40)
            await screen.track()
            await screen.show(4)
            await screen.click(90, 60, object=1)
            await screen.click(100, 100)
            await screen.track(direction="forward")
            await screen.undo()
            await screen.redo()
            await screen.settled()
            assert {frame for id_, frame in screen.masks if id_ == 1} == set(range(6))
            clip_id = await uploaded_clip(alone.url, data)
            await again.followed(await again.open(clip_id, 0, screen.recipe()))
            assert again.masks == screen.masks
        await with_workers.stop()
        await alone.stop()
