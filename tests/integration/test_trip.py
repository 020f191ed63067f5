"""A click's trip is the one that the contributing guide tells, and short enough to be read at one sitting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.image_files import png
from tests.helpers.peer import opened
from tests.helpers.server import started
from tests.helpers.trip import THE_ENGINE, Trip

pytestmark = pytest.mark.anyio

GUIDE = Path(__file__).parents[2] / ".github" / "CONTRIBUTING.md"
MAX_MODULES = 8
"""Between the socket and the engine, the engine included."""
MAX_STOPS = 12


def told() -> list[str]:
    """Return the stops that the guide tells, as files of the repository."""
    [section] = re.findall(r"## A click's trip\n(.*?)\n## ", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return re.findall(r"^\d+\. `([\w/.]+)`", section, re.MULTILINE)


async def test_a_click_goes_the_way_that_the_guide_tells(settings: Settings, engine: FakeEngine) -> None:
    trip = Trip()
    with trip.followed():
        server = await started(settings, engine)
        async with opened(server, png(64, 48)) as peer:
            trip.begin()
            made = await peer.click(20, 20)
            stops = list(trip.stops)
        await server.stop()
    assert made.masks
    assert stops == told()


def test_the_way_is_short() -> None:
    stops = told()
    assert stops[0] == stops[-1] == "app/web/socket.py"
    assert THE_ENGINE in stops
    assert len(stops) <= MAX_STOPS
    assert len(set(stops[1:-1])) <= MAX_MODULES
