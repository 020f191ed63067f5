"""Servers in a test's own process leave nothing of theirs behind: a later test would be failed for it."""

from __future__ import annotations

import signal

import pytest

from app.settings import Settings
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.server import started

pytestmark = pytest.mark.anyio


async def test_two_that_end_in_the_order_in_which_they_began_leave_signals_as_they_were() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    first, second = [await started(Settings(offline=True), FakeEngine()) for _ in range(2)]
    await first.stop()
    await second.stop()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
