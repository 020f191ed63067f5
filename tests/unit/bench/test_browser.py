from __future__ import annotations

from app.bench.browser import table
from app.bench.outlines import outlines_line


def test_each_number_of_tabs_is_a_row_with_its_own_decode_time() -> None:
    row = {"hovers": 60, "p50_ms": 31.24, "p95_ms": 48.0, "decode_ms": 10.0, "ratio": 3.124}
    text = table({"tabs_1": {"tabs": 1, **row}, "tabs_4": {"tabs": 4, **row, "hovers": 240}})
    assert text.splitlines()[2] == "| 1 | 31.2 | 48.0 | 10.0 | 3.12 | 60 |"
    assert text.splitlines()[3].startswith("| 4 |")


def test_a_slow_link_is_told_with_how_many_things_were_outlined_before_their_masks() -> None:
    found = {"link_ms": 300, "moves": 60, "outlined": 58, "p50_ms": 31.26, "p95_ms": 48.0, "mask_p50_ms": 655.4}
    assert outlines_line(found) == (
        "with the socket 300 ms slower each way: pointer to outline p50 31.3 ms, p95 48.0 ms over 58 of 60 things; "
        "pointer to painted mask p50 655 ms"
    )
