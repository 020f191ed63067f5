"""The benchmark of the page, in short: it ends, and its figures are of what it says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from app.bench.browser import figures

pytestmark = pytest.mark.browser


def test_two_tabs_hover_and_the_decode_of_the_same_run_stands_beside(browser: Browser, live_server: str) -> None:
    found = figures(browser, live_server, 2, hovers=3)
    assert (found["tabs"], found["hovers"]) == (2, 6)
    assert 0 < found["decode_ms"] < found["p50_ms"] <= found["p95_ms"]
    assert found["ratio"] == found["p50_ms"] / found["decode_ms"]
