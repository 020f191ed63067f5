"""A server with limits of a test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.server import Server, open_gates, started


@asynccontextmanager
async def serving(engine: FakeEngine, **limits: float) -> AsyncIterator[Server]:
    """Give a server with limits of the test's own."""
    server = await started(msgspec.convert({"shutdown_timeout_s": 2.0, **limits}, Settings), engine)
    try:
        yield server
    finally:
        open_gates(engine)
        await server.stop()
