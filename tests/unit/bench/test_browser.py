from __future__ import annotations

from app.bench.browser import table


def test_each_number_of_tabs_is_a_row_with_its_own_decode_time() -> None:
    row = {"hovers": 60, "p50_ms": 31.24, "p95_ms": 48.0, "decode_ms": 10.0, "ratio": 3.124}
    text = table({"tabs_1": {"tabs": 1, **row}, "tabs_4": {"tabs": 4, **row, "hovers": 240}})
    assert text.splitlines()[2] == "| 1 | 31.2 | 48.0 | 10.0 | 3.12 | 60 |"
    assert text.splitlines()[3].startswith("| 4 |")
