"""The benchmark of the page, in short: it ends, and its figures are of what it says."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from app.bench.browser import figures
from app.bench.close_up import close_up_table, measure_close_up
from app.bench.fluency import fluency_table, measure_fluency

pytestmark = pytest.mark.browser


def test_two_tabs_hover_and_the_decode_of_the_same_run_stands_beside(browser: Browser, fake_server: str) -> None:
    found = figures(browser, fake_server, 2, hovers=3)
    assert (found["tabs"], found["hovers"]) == (2, 6)
    assert 0 < found["decode_ms"] < found["p50_ms"] <= found["p95_ms"]
    assert found["ratio"] == found["p50_ms"] / found["decode_ms"]


def test_pan_and_zoom_are_measured_with_and_without_objects(
    browser: Browser, live_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bench.fluency.SIZE", (800, 600))
    bare, full = measure_fluency(browser, live_server, (0, 2), frames=6, hovers=2)
    assert (bare["objects"], full["objects"]) == (0, 2)
    for row in (bare, full):
        assert 0 < row["pan_p50_ms"] <= row["pan_p95_ms"]
        assert 0 < row["zoom_p50_ms"] <= row["zoom_p95_ms"]
        assert row["hover_p50_ms"] > 0
        assert row["open_longest_ms"] >= 0
    assert fluency_table([bare, full]).count("\n") == 3


def test_a_close_view_is_measured_with_windows_and_without(
    browser: Browser, fake_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("fluency", "close_up"):
        monkeypatch.setattr(f"app.bench.{module}.SIZE", (1600, 1200))
    bare, sharp = measure_close_up(browser, fake_server, rounds=1, frames=4, hovers=2)
    assert (bare["windows"], bare["encoded"], sharp["windows"]) == (False, 0, True)
    assert sharp["encoded"] > 0
    for row in (bare, sharp):
        assert 0 < row["hover_p50_ms"] <= row["hover_p95_ms"]
    assert close_up_table([bare, sharp]).count("\n") == 3
