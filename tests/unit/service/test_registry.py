from __future__ import annotations

import pytest

from app.errors import BusyError
from app.service.registry import Registry, WrongTokenError
from app.session.session import Session
from tests.helpers.assertions import LIMITS, MODEL


class Holder:
    def __init__(self) -> None:
        self.takeovers = 0

    def taken_over(self) -> None:
        self.takeovers += 1

    async def drain(self) -> None:
        pass


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(clock: Clock) -> Registry:
    return Registry(2, 60.0, lambda: Session(LIMITS, MODEL), clock)


def test_every_session_has_an_id_and_a_token_of_128_bit(registry: Registry) -> None:
    (first, _), (second, _) = (registry.enter(Holder(), None, None) for _ in range(2))
    assert len({first.id, first.token, second.id, second.token}) == 4
    assert {len(bytes.fromhex(secret)) for secret in (first.id, first.token)} == {16}


def test_the_owner_comes_back_to_the_session(registry: Registry) -> None:
    holder = Holder()
    entry, resumed = registry.enter(holder, None, None)
    assert not resumed
    registry.leave(entry, holder)
    again, resumed = registry.enter(Holder(), entry.id, entry.token)
    assert resumed
    assert again.session is entry.session


def test_the_token_is_another_after_each_return(registry: Registry) -> None:
    entry, _ = registry.enter(Holder(), None, None)
    tokens = [entry.token]
    for _ in range(3):
        registry.enter(Holder(), entry.id, entry.token)
        tokens.append(entry.token)
    assert len(set(tokens)) == 4


def test_an_owner_who_never_saw_the_new_token_comes_back_with_the_old_one(registry: Registry) -> None:
    entry, _ = registry.enter(Holder(), None, None)
    old = entry.token
    for _ in range(3):  # each welcome is lost
        assert registry.enter(Holder(), entry.id, old) == (entry, True)


def test_the_old_token_is_worth_nothing_once_the_new_one_was_used(registry: Registry) -> None:
    entry, _ = registry.enter(Holder(), None, None)
    old = entry.token
    registry.enter(Holder(), entry.id, old)
    registry.enter(Holder(), entry.id, entry.token)
    with pytest.raises(WrongTokenError):
        registry.enter(Holder(), entry.id, old)


@pytest.mark.parametrize("token", [None, "", "0" * 32, "Zähler"])
def test_nobody_else_enters_a_session(registry: Registry, token: str | None) -> None:
    holder = Holder()
    entry, _ = registry.enter(holder, None, None)
    with pytest.raises(WrongTokenError):
        registry.enter(Holder(), entry.id, token)
    assert (entry.holder, holder.takeovers) == (holder, 0)


def test_a_session_that_is_not_known_is_a_new_one(registry: Registry) -> None:
    entry, resumed = registry.enter(Holder(), "0" * 32, "0" * 32)
    assert not resumed
    assert entry.id != "0" * 32


def test_a_newer_socket_of_the_owner_takes_over(registry: Registry) -> None:
    old, new = Holder(), Holder()
    entry, _ = registry.enter(old, None, None)
    registry.enter(new, entry.id, entry.token)
    assert (old.takeovers, new.takeovers) == (1, 0)
    registry.leave(entry, old)  # too late: it isn't the holder any more
    assert entry.holder is new
    assert registry.held == 1


@pytest.mark.parametrize(("after_s", "resumed"), [(59.0, True), (60.0, True), (61.0, False)])
def test_a_dropped_session_is_kept_for_a_while(registry: Registry, clock: Clock, after_s: float, resumed: bool) -> None:
    holder = Holder()
    entry, _ = registry.enter(holder, None, None)
    registry.leave(entry, holder)
    clock.now += after_s
    assert registry.enter(Holder(), entry.id, entry.token)[1] is resumed
    assert len(registry) == 1


def test_a_session_that_is_held_is_never_forgotten(registry: Registry, clock: Clock) -> None:
    registry.enter(Holder(), None, None)
    clock.now += 1e6
    registry.forget_expired()
    assert len(registry) == 1


def test_as_many_sessions_are_taken_as_allowed_and_one_more_is_busy(registry: Registry) -> None:
    for _ in range(2):
        registry.enter(Holder(), None, None)
    with pytest.raises(BusyError) as raised:
        registry.enter(Holder(), None, None)
    assert raised.value.retry_after_s
    assert registry.held == 2


def test_the_session_that_was_dropped_first_makes_room(registry: Registry, clock: Clock) -> None:
    holders = [Holder(), Holder()]
    entries = [registry.enter(holder, None, None)[0] for holder in holders]
    for holder, entry in zip(reversed(holders), reversed(entries), strict=True):
        clock.now += 1
        registry.leave(entry, holder)
    registry.enter(Holder(), None, None)
    assert registry.enter(Holder(), entries[0].id, entries[0].token)[1]


@pytest.fixture
def shared(clock: Clock) -> Registry:
    """A registry with much room, of which each address may have three places."""
    return Registry(100, 60.0, lambda: Session(LIMITS, "tiny"), clock, max_per_address=3)


@pytest.mark.parametrize(("before", "enters"), [(1, True), (2, True), (3, False)])
def test_one_address_has_as_many_sessions_as_allowed(shared: Registry, before: int, enters: bool) -> None:
    for _ in range(before):
        shared.enter(Holder(), None, None, "192.0.2.1")
    if enters:
        shared.enter(Holder(), None, None, "192.0.2.1")
    else:
        with pytest.raises(BusyError, match="of your address"):
            shared.enter(Holder(), None, None, "192.0.2.1")
    shared.enter(Holder(), None, None, "192.0.2.2")


def test_a_dropped_session_makes_room_for_another_of_its_address(shared: Registry) -> None:
    holder = Holder()
    entry, _ = shared.enter(holder, None, None, "192.0.2.1")
    for _ in range(2):
        shared.enter(Holder(), None, None, "192.0.2.1")
    shared.leave(entry, holder)
    shared.enter(Holder(), None, None, "192.0.2.1")
    assert not shared.enter(Holder(), entry.id, entry.token, "192.0.2.9")[1]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_this_machine_itself_may_have_all_sessions(shared: Registry, address: str) -> None:
    for _ in range(10):
        shared.enter(Holder(), None, None, address)
    assert shared.held == 10


def test_a_session_is_resumed_though_its_address_has_all_it_may_have(shared: Registry) -> None:
    entries = [shared.enter(Holder(), None, None, "192.0.2.1")[0] for _ in range(3)]
    assert shared.enter(Holder(), entries[0].id, entries[0].token, "192.0.2.1") == (entries[0], True)
