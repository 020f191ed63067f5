"""The models of this process keep what every backend promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.engine.contract import Engine
from app.service.backend import Backend
from app.service.limits import ServiceLimits
from app.service.local_backend import LocalBackend
from app.service.model_pool import ModelPool
from app.service.model_source import ModelSource
from app.settings import Settings
from app.weights.catalogue import known_models
from tests.helpers.backend_promises import BackendPromises, Make, Sources
from tests.helpers.fake_engine import FakeEngine

pytestmark = pytest.mark.anyio


def no_other(*_: object) -> Engine:
    raise NotImplementedError("these tests load one model")


@asynccontextmanager
async def local(sources: Sources) -> AsyncIterator[Backend]:
    settings, limits = Settings(offline=True), ServiceLimits()
    source = ModelSource(settings, known_models(settings), no_other)
    models = ModelPool(FakeEngine(), source, settings.model_budget_bytes, limits.load_timeout_s)
    backend = LocalBackend.of(settings, limits, models, sources, lambda _: None)
    try:
        yield backend
    finally:
        backend.close()


class TestLocal(BackendPromises):
    @pytest.fixture
    def make(self) -> Make:
        return local
