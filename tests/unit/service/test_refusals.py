"""The log names what would have to change, and isn't flooded."""

from __future__ import annotations

from structlog.testing import capture_logs

from app.service.refusals import EVERY_S, MAX_FACT_CHARS, RefusalLog


def test_each_cure_is_named_once_a_minute_with_how_many_came_in_between() -> None:
    now = 0.0
    refusals = RefusalLog(clock=lambda: now)
    with capture_logs() as lines:
        for number in range(100):
            refusals.note("HOVERSAM_ALLOWED_ORIGINS", origin=f"https://{number}.example")
        refusals.note("HOVERSAM_MAX_SESSIONS", client="x" * 5000)
        now = EVERY_S
        refusals.note("HOVERSAM_ALLOWED_ORIGINS", origin="https://again.example")
    assert [(line["cure"], line["unlogged_before"]) for line in lines] == [
        ("HOVERSAM_ALLOWED_ORIGINS", 0),
        ("HOVERSAM_MAX_SESSIONS", 0),
        ("HOVERSAM_ALLOWED_ORIGINS", 99),
    ]
    assert lines[0]["origin"] == "https://0.example"
    assert len(lines[1]["client"]) == MAX_FACT_CHARS
