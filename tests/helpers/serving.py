"""A server with limits of a test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.limits import shrunk
from tests.helpers.server import Server, open_gates, started


@asynccontextmanager
async def serving(engine: FakeEngine, **bounds: float) -> AsyncIterator[Server]:
    """Give a server with bounds of the test's own; some of them are settings, the others limits."""
    own = {name: value for name, value in bounds.items() if name in Settings.__struct_fields__}
    limits = {name: value for name, value in bounds.items() if name not in own}
    server = await started(
        msgspec.convert(own, Settings), engine, limits=shrunk(**{"shutdown_timeout_s": 2.0, **limits})
    )
    try:
        yield server
    finally:
        open_gates(engine)
        await server.stop()
