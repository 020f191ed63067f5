"""What a swarm saw: of each session while it runs, and of all together as a table and as JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

from app.cli.figures import Spread, spread_of, table_of


@dataclass
class Tally:
    """What one session counted.

    Attributes:
        hovers: sent; those without an answer are drops, since a newer one took their place or time ran out.
        hover_ms, click_ms: from the moment each was due to its answer.
        bytes: of all answers.
        errors: by their code; `timeout` and `connection` are the client's own.
        losses: connections that were lost and dialled again.
        encode_ms: what the server took to encode the picture; None where it was never opened.
    """

    hovers: int = 0
    hover_ms: list[float] = field(default_factory=list)
    click_ms: list[float] = field(default_factory=list)
    bytes: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    losses: int = 0
    encode_ms: float | None = None

    @property
    def replies(self) -> int:
        """Answers to hovers and clicks."""
        return len(self.hover_ms) + len(self.click_ms)


@dataclass(frozen=True)
class Report:
    """What all sessions saw. Rates are per second; a drop is a hover that got no answer."""

    sessions: int
    rate_hz: float
    duration_s: float
    hover: Spread
    click: Spread
    hovers: int
    drops: int
    drop_share: float
    replies_per_s: float
    replies_per_s_least: float
    """Of the session that got the fewest."""
    replies_per_s_most: float
    replies_per_s_median: float
    bytes_per_reply: float
    errors: dict[str, int]
    losses: int
    busy_share: float
    """How busy the swarm itself kept one core: near 1 it measures itself."""

    @property
    def clean(self) -> bool:
        """True where every session was served without an error."""
        return not self.errors

    def as_json(self) -> dict[str, object]:
        """Return the figures for a file."""
        return asdict(self)

    def table(self) -> str:
        """Return the figures as lines of text."""
        latency = [["", "answered", "p50", "p95", "p99", "max"]]
        latency += [["hover", *self.hover.row()], ["click", *self.click.row()]]
        errors = ", ".join(f"{code} {count}" for code, count in self.errors.items()) or "none"
        each = f"{self.replies_per_s_median:.1f} (least {self.replies_per_s_least:.1f})"
        facts = [
            ("sessions", f"{self.sessions}, {self.rate_hz:g} hovers per second each, for {self.duration_s:.1f} s"),
            ("replies per second", f"{self.replies_per_s:.1f}; per session {each}"),
            ("hovers dropped", f"{self.drops} of {self.hovers} ({self.drop_share:.1%})"),
            ("bytes per reply", f"{self.bytes_per_reply:.0f}"),
            ("errors", errors),
            ("connections lost", str(self.losses)),
            ("swarm's own load", f"{self.busy_share:.0%} of one core"),
        ]
        return "\n".join([table_of(latency), "", *(f"{name:<20}{value}" for name, value in facts)])


def report_of(tallies: Sequence[Tally], *, rate_hz: float, duration_s: float, cpu_s: float) -> Report:
    """Return what the sessions saw together.

    Args:
        tallies: one of each session.
        rate_hz: hovers per second of each.
        duration_s: how long they hovered.
        cpu_s: processor time that the swarm itself took.
    """
    hover_ms = [value for tally in tallies for value in tally.hover_ms]
    click_ms = [value for tally in tallies for value in tally.click_ms]
    hovers = sum(tally.hovers for tally in tallies)
    rates = [tally.replies / duration_s for tally in tallies]
    errors: Counter[str] = sum((tally.errors for tally in tallies), Counter())
    drops = hovers - len(hover_ms)
    return Report(
        sessions=len(tallies),
        rate_hz=rate_hz,
        duration_s=duration_s,
        hover=spread_of(hover_ms),
        click=spread_of(click_ms),
        hovers=hovers,
        drops=drops,
        drop_share=drops / hovers if hovers else 0.0,
        replies_per_s=sum(rates),
        replies_per_s_least=min(rates),
        replies_per_s_most=max(rates),
        replies_per_s_median=median(rates),
        bytes_per_reply=sum(tally.bytes for tally in tallies) / max(1, len(hover_ms) + len(click_ms)),
        errors=dict(sorted(errors.items())),
        losses=sum(tally.losses for tally in tallies),
        busy_share=cpu_s / duration_s,
    )
