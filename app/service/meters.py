"""What is counted while the server runs, for `/metrics`. One object for each application; no global registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.service.scheduler import Lane, Meter

DECODE_BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""From a GPU's two milliseconds to what the slowest CPU takes under load."""
ENCODE_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0)
"""From nano's tenth of a second to the longest that an encode may take."""
LAG_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""From unnoticed to a stop that everybody feels."""


class Meters:
    """Counters and histograms. No label carries anything that a client chose.

    Attributes:
        registry: what `/metrics` shows.
        messages: messages from clients, by type.
        errors: errors that clients were told over their sockets, by code.
        overtaken: hovers that a newer one replaced before they were decoded.
        closed: sockets that were closed, by code.
        responses: HTTP responses, by status.
        lag: how late the event loop was.
        decodes, encodes: the meters of the lanes.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.messages = Counter(
            "hoversam_messages", "Messages from clients, by type.", ["type"], registry=self.registry
        )
        self.errors = Counter("hoversam_errors", "Errors told over sockets, by code.", ["code"], registry=self.registry)
        self.overtaken = Counter(
            "hoversam_hovers_dropped", "Hovers that a newer one replaced undecoded.", registry=self.registry
        )
        self.closed = Counter("hoversam_sockets_closed", "Sockets closed, by code.", ["code"], registry=self.registry)
        self.responses = Counter("hoversam_responses", "HTTP responses, by status.", ["status"], registry=self.registry)
        self.lag = Histogram(
            "hoversam_event_loop_lag_seconds",
            "How late the event loop was.",
            registry=self.registry,
            buckets=LAG_BUCKETS_S,
        )

        self.decodes = self._timed("decode", DECODE_BUCKETS_S)
        self.encodes = self._timed("encode", ENCODE_BUCKETS_S)

    def attach(self, lanes: Mapping[str, Sequence[Lane]]) -> None:
        """Count the jobs of lanes by the kind of work from now on: decodes and encodes."""
        for kind, meter in (("decode", self.decodes), ("encode", self.encodes)):
            for lane in lanes[kind]:
                lane.meter = meter

    def _timed(self, kind: str, buckets_s: tuple[float, ...]) -> TimedMeter:
        waits, works = (
            Histogram(f"hoversam_{kind}_{part}seconds", text, registry=self.registry, buckets=buckets_s)
            for part, text in (
                ("wait_", f"Wait of each {kind} for the device."),
                ("", f"Time of each {kind} on the device."),
            )
        )
        return TimedMeter(waits, works)


class TimedMeter(Meter):
    """A lane's meter that also fills histograms."""

    def __init__(self, waits: Histogram, works: Histogram) -> None:
        super().__init__()
        self._waits, self._works = waits, works

    def add(self, queue_s: float, work_s: float) -> None:
        """Take the wait and the work of one job."""
        super().add(queue_s, work_s)
        self._waits.observe(queue_s)
        self._works.observe(work_s)
