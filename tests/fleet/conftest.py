"""One Ray for all tests of this folder, with two workers that have no model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.engine.contract import Engine
from app.fleet.backend import FleetBackend
from app.fleet.cluster import RayWorkers, local_workers
from app.fleet.members import Members
from app.service.backend import Pixels
from app.service.limits import ServiceLimits
from app.service.model_pool import Source
from app.service.model_source import ModelSource
from app.settings import Settings
from app.weights.catalogue import known_models
from tests.helpers.backend_promises import SPECK_SHARE, Sources, trust_the_slow
from tests.helpers.ray_nodes import RayNodes
from tests.helpers.stand_in import Lent, stand_in_spec

BEGIN_S = 60.0
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def nodes() -> Iterator[RayNodes]:
    """A cluster of several nodes on this machine, for the long tests."""
    nodes = RayNodes()
    try:
        yield nodes
    finally:
        nodes.close()


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayWorkers]:
    """Two workers in processes of their own; a test that kills one waits until it is back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))  # a worker loads its stand-in from here
        started = local_workers(2, stand_in_spec(tmp_path_factory.mktemp("workers")))
        try:
            yield started
        finally:
            started.close()


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the dead are given up here, and nobody who is slow."""
    trust_the_slow(monkeypatch)


def no_other(*_: object) -> Engine:
    raise NotImplementedError("these tests load one model")


def begun(workers: RayWorkers) -> Members:
    """Return what a front end knows of the workers of all tests, once they are ready."""
    members = Members(Lent(workers))
    members.begin(BEGIN_S)
    return members


def backend_of(workers: RayWorkers, members: Members, source: Source, pictures: Pixels) -> FleetBackend:
    """Return a front end on the workers of all tests, who outlive it."""
    return FleetBackend(
        Lent(workers), members, source, pictures, ServiceLimits(), model="tiny", speck_share=SPECK_SHARE
    )


@asynccontextmanager
async def fleet_of(workers: RayWorkers, given: Sources) -> AsyncIterator[FleetBackend]:
    """Give a front end of its own on the workers of all tests."""
    settings = Settings(offline=True)
    members = await asyncio.to_thread(begun, workers)
    backend = backend_of(workers, members, ModelSource(settings, known_models(settings), no_other), given)
    try:
        yield backend
    finally:
        backend.close()
