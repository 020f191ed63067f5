"""When a connection counts as stalled: on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from app.realtime.limits import ConnectionLimits
from app.server.websocket_limits import StallClock

STALL_S = 8.0
PACE = 100
LIMITS = ConnectionLimits(send_timeout_s=STALL_S, min_body_bytes_per_s=PACE)
"""Bytes a second."""


class Loop:
    """An event loop's clock and timers, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay_s: float, work: Callable[..., None], *args: Any) -> Any:
        timer = (self.now + delay_s, work, args)
        self.timers.append(timer)
        return Handle(self, timer)

    def until(self, then: float) -> None:
        while due := sorted((timer for timer in self.timers if timer[0] <= then), key=lambda timer: timer[0]):
            self.timers.remove(due[0])
            self.now = due[0][0]
            due[0][1](*due[0][2])
        self.now = then


class Handle:
    def __init__(self, loop: Loop, timer: Any) -> None:
        self.loop, self.timer = loop, timer

    def cancel(self) -> None:
        if self.timer in self.loop.timers:
            self.loop.timers.remove(self.timer)


class Transport:
    """Bytes that wait for a peer."""

    def __init__(self, waiting: int) -> None:
        self.waiting, self.aborted = waiting, False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def get_extra_info(self, _: str) -> None:
        return None

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.aborted = True


def waited_for(waiting: int) -> tuple[Loop, Transport, StallClock]:
    loop, transport = Loop(), Transport(waiting)
    clock = StallClock(cast("asyncio.AbstractEventLoop", loop), LIMITS)
    clock.start(cast("asyncio.Transport", transport))
    return loop, transport, clock


def test_who_takes_nothing_is_cut_off_in_time() -> None:
    loop, transport, _ = waited_for(10_000)
    loop.until(STALL_S - 0.1)
    before = transport.aborted
    loop.until(1.25 * STALL_S)
    assert (before, transport.aborted) == (False, True)


def test_who_takes_steadily_is_waited_for() -> None:
    loop, transport, clock = waited_for(1_000_000)
    for second in range(1, 100):
        transport.waiting -= 2 * PACE
        loop.until(float(second))
    assert not transport.aborted
    assert clock.runs


def test_who_stops_is_cut_off_as_soon_as_who_never_began() -> None:
    loop, transport, _ = waited_for(1_000_000)
    for second in range(1, 41):
        transport.waiting -= 2 * PACE
        loop.until(float(second))
    loop.until(40 + 1.5 * STALL_S)
    assert transport.aborted


def test_who_trickles_is_cut_off() -> None:
    loop, transport, _ = waited_for(1_000_000)
    for second in range(1, 20):
        transport.waiting -= PACE // 2
        loop.until(float(second))
    assert transport.aborted


def test_who_has_taken_all_is_left_alone() -> None:
    loop, transport, clock = waited_for(10_000)
    clock.stop()
    loop.until(100.0)
    assert not transport.aborted
    assert not clock.runs
