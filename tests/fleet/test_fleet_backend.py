"""Workers of a real Ray keep what every backend promises."""

from __future__ import annotations

from functools import partial

import pytest

from app.fleet.cluster import RayWorkers
from tests.fleet.conftest import fleet_of
from tests.helpers.backend_promises import BackendPromises, Make

pytestmark = pytest.mark.anyio


@pytest.mark.usefixtures("trusting")
class TestFleet(BackendPromises):
    @pytest.fixture
    def make(self, workers: RayWorkers) -> Make:
        return partial(fleet_of, workers)
