"""The watchdog: notices an event loop that stands still and a model that hangs, and forgets sessions left for good."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from app.service.limits import ServiceLimits
from app.service.meters import Meters
from app.service.registry import Registry
from app.service.scheduler import Lane

INTERVAL_S: Final = 0.25
"""How often it looks around."""
PATIENCE: Final = 2
"""So many times as long as a click may take the model may hang before it is given up."""

log = structlog.get_logger(__name__)


class Watchdog:
    """Looks around a few times a second.

    Attributes:
        hung: the kind of work at which the model hangs so often that nothing more is tried; empty while all is well.
        lost: whether it has hung for so long that only a new process helps, since a computation can't be interrupted.
    """

    def __init__(
        self, registry: Registry, meters: Meters, lanes: Mapping[str, Sequence[Lane]], limits: ServiceLimits
    ) -> None:
        """Look at nothing yet.

        Args:
            registry: whose sessions expire.
            meters: what is told how late the event loop is.
            lanes: what may hang, by the kind of work.
            limits: how long a loop may stand still, and a click take.
        """
        self._registry, self._meters, self._blocked_s = registry, meters, limits.blocked_loop_s
        self._lanes = lanes
        self._patience_s = PATIENCE * limits.click_timeout_s
        self._hung_at = 0.0
        self.hung, self.lost = "", False

    async def run(self) -> None:
        """Go on until the task is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + INTERVAL_S
            await asyncio.sleep(INTERVAL_S)
            self._look(loop.time(), max(0.0, loop.time() - due))

    def _look(self, now: float, lag_s: float) -> None:
        self._meters.lag.observe(lag_s)
        if lag_s >= self._blocked_s:
            log.warning("event_loop_blocked", lag_s=round(lag_s, 3))
        self._registry.forget_expired()
        self._look_at_lanes(now)

    def _look_at_lanes(self, now: float) -> None:
        for lane in (lane for lanes in self._lanes.values() for lane in lanes):
            lane.replace_hung_thread()
        hung = next((kind for kind, lanes in self._lanes.items() if not all(lane.healthy for lane in lanes)), "")
        if hung != self.hung:
            self.hung, self._hung_at = hung, now
            log.error("model_hung", work=hung) if hung else log.warning("model_back")
        if hung and not self.lost and now - self._hung_at > self._patience_s:
            self.lost = True
            log.error("model_lost", work=hung)
