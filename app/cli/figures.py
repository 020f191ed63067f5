"""What many measurements come down to, and how a table shows it. Pure, and without NumPy: a swarm has to be light."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """How some milliseconds are spread; None where there are none."""

    count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None

    def row(self) -> list[str]:
        """Return the figures as cells of a table."""
        return [str(self.count), *(with_unit(value) for value in (self.p50_ms, self.p95_ms, self.p99_ms, self.max_ms))]


def spread_of(values_ms: Sequence[float]) -> Spread:
    """Return how milliseconds are spread."""
    if not values_ms:
        return Spread(0, None, None, None, None)
    p50, p95, p99, most = (percentile(values_ms, share) for share in (0.5, 0.95, 0.99, 1.0))
    return Spread(len(values_ms), p50, p95, p99, most)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all is not above; `share` in (0, 1].

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("expected values to take a percentile of, got none")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def with_unit(value_ms: float | None) -> str:
    """Return milliseconds as text."""
    return "-" if value_ms is None else f"{value_ms:.1f} ms"


def table_of(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines whose columns are aligned: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        first, *others = (cell.ljust(width) if not i else cell.rjust(width) for i, (cell, width) in enumerate(
            zip(row, widths, strict=True)))  # fmt: skip
        lines.append("  ".join([first, *others]).rstrip())
    return "\n".join(lines)
