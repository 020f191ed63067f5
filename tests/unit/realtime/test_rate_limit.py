from __future__ import annotations

import pytest

from app.realtime.rate_limit import FLOOD, RateLimit


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rate(clock: Clock) -> RateLimit:
    return RateLimit(10, 20, 5.0, clock)


@pytest.mark.parametrize(("messages", "refused"), [(19, 0), (20, 0), (21, 1)])
def test_a_burst_is_taken_up_to_its_size(rate: RateLimit, messages: int, refused: int) -> None:
    assert [rate.spend() for _ in range(messages)].count(False) == refused


@pytest.mark.parametrize(("per_s", "refused"), [(9, False), (10, False), (11, True)])
def test_a_steady_stream_is_taken_up_to_the_rate(rate: RateLimit, clock: Clock, per_s: int, refused: bool) -> None:
    came = []
    for _ in range(30 * per_s):
        clock.now += 1 / per_s + 1e-9
        came.append(rate.spend())
    assert (False in came) is refused


@pytest.mark.parametrize(("messages", "throttled"), [(0, False), (1, False), (2, True), (25, True)])
def test_who_sends_more_at_once_than_an_eighth_of_a_second_gives_is_throttled(
    rate: RateLimit, clock: Clock, messages: int, throttled: bool
) -> None:
    for _ in range(messages):
        rate.spend()
    assert rate.throttled is throttled
    clock.now += 2
    assert not rate.throttled


@pytest.mark.parametrize(("per_s", "throttled"), [(9, False), (10, False), (20, True)])
def test_a_steady_stream_is_ahead_of_others_beyond_the_rate(
    rate: RateLimit, clock: Clock, per_s: int, throttled: bool
) -> None:
    for _ in range(per_s):
        clock.now += 1 / per_s + 1e-9
        rate.spend()
    assert rate.throttled is throttled


@pytest.mark.parametrize(("seconds", "exhausted"), [(4, False), (6, True)])
def test_who_goes_on_for_the_grace_is_not_heard_any_more(
    rate: RateLimit, clock: Clock, seconds: int, exhausted: bool
) -> None:
    for _ in range(20):
        rate.spend()
    for _ in range(seconds * 20 + 2):
        rate.spend()
        clock.now += 0.05
    assert rate.exhausted is exhausted


def test_who_slows_down_in_time_has_the_whole_grace_again(rate: RateLimit, clock: Clock) -> None:
    for _ in range(3):
        for _ in range(25):
            rate.spend()
        clock.now += 2
    assert not rate.exhausted


@pytest.mark.parametrize(("more", "exhausted"), [(-1, False), (0, False), (1, True)])
def test_a_flood_is_not_waited_for(rate: RateLimit, more: int, exhausted: bool) -> None:
    for _ in range(20 + FLOOD * 10 * 5 + more):
        rate.spend()
    assert rate.exhausted is exhausted


def test_it_tells_when_to_come_back(rate: RateLimit, clock: Clock) -> None:
    while rate.spend():
        pass
    assert 0 < rate.retry_after_s <= 0.1
    clock.now += rate.retry_after_s + 1e-6
    assert rate.spend()
