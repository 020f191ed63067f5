"""Workers keep what every backend promises, whatever carries their calls: here threads and pickles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.fleet.backend import FleetBackend
from app.fleet.members import Members
from app.service.backend import Backend
from app.service.limits import ServiceLimits
from app.service.model_source import ModelSource
from app.weights.catalogue import known_models
from tests.helpers.backend_promises import SPECK_SHARE, BackendPromises, Make, Sources
from tests.helpers.loop_workers import LoopWorkers
from tests.helpers.stand_in import Lent, stand_in_spec

pytestmark = pytest.mark.anyio


class TestWorkers(BackendPromises):
    @pytest.fixture
    def workers(self, tmp_path: Path) -> Iterator[LoopWorkers]:
        workers = LoopWorkers(2, stand_in_spec(tmp_path))
        yield workers
        workers.close()

    @pytest.fixture
    def make(self, workers: LoopWorkers, tmp_path: Path) -> Make:
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
