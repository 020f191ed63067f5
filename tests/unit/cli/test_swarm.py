from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from app.cli.figures import percentile, spread_of, table_of
from app.cli.report import Tally, report_of
from app.cli.walk import eased, walk

WIDTH, HEIGHT = 640, 480


def walked(seed: int, seconds: int = 60, rate_hz: float = 30.0) -> list[tuple[float, float, bool]]:
    moments = walk(random.Random(seed), WIDTH, HEIGHT, rate_hz=rate_hz, click_every_s=3.0)
    return [(each.x, each.y, each.click) for each in islice(moments, int(seconds * rate_hz))]


def test_a_walk_stays_on_the_picture() -> None:
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y, _ in walked(0))


def test_the_same_seed_walks_the_same_way_and_another_does_not() -> None:
    assert walked(1) == walked(1)
    assert walked(1) != walked(2)


def test_a_walk_clicks_about_as_often_as_it_should() -> None:
    clicks = sum(click for *_, click in walked(0, seconds=600))
    assert 150 < clicks < 250


def test_a_walk_moves_smoothly() -> None:
    path = walked(3)
    jumps = [abs(x - before) for (x, *_), (before, *_) in zip(path[1:], path, strict=False)]
    assert max(jumps) < WIDTH / 5


def test_a_hand_starts_and_stops_gently() -> None:
    assert (eased(0.0), eased(0.5), eased(1.0)) == (0.0, 0.5, 1.0)
    assert eased(0.1) < 0.02


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.5) == 7.0
    with pytest.raises(ValueError, match="got none"):
        percentile([], 0.5)


def test_nothing_measured_is_shown_as_such() -> None:
    assert spread_of([]).row() == ["0", "-", "-", "-", "-"]


def test_columns_are_aligned() -> None:
    assert table_of([["", "p50"], ["hover", "1.0 ms"]]) == "          p50\nhover  1.0 ms"


def test_a_report_adds_the_sessions_up() -> None:
    quick = Tally(hovers=10, hover_ms=[1.0] * 8, click_ms=[4.0] * 2, bytes=1000)
    slow = Tally(hovers=10, hover_ms=[3.0] * 5, errors=Counter(busy=2), losses=1)
    report = report_of([quick, slow], rate_hz=5.0, duration_s=2.0, cpu_s=0.5)
    assert (report.hovers, report.drops, report.drop_share) == (20, 7, 0.35)
    assert (report.replies_per_s, report.replies_per_s_least) == (7.5, 2.5)
    assert (report.hover.count, report.hover.p50_ms, report.click.p99_ms) == (13, 1.0, 4.0)
    assert (report.errors, report.losses, report.clean, report.busy_share) == ({"busy": 2}, 1, False, 0.25)
    assert "busy 2" in report.table()
