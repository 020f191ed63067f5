from __future__ import annotations

import pytest

from app.server.http_limits import times_as_long


@pytest.mark.parametrize(
    ("stated", "times"),
    [("0", 1), ("1000", 1), (str(64 * 2**20), 2), (str(2**60), 16), ("9" * 40, 1), ("-5", 1), ("x", 1), ("", 1)],
)
def test_a_long_body_may_take_as_much_longer_within_bounds(stated: str, times: float) -> None:
    assert times_as_long([(b"host", b"x"), (b"content-length", stated.encode())]) == times
    assert times_as_long([]) == 1
