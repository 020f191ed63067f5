from __future__ import annotations

import random
from itertools import islice

from app.client.errors import LostError, RestoreError, comes_back, error_of
from app.client.patience import Reconnect, pauses, wait_s
from app.protocol.messages import Error


def test_pauses_begin_at_once_grow_and_stay_bounded() -> None:
    policy = Reconnect(first_s=1.0, longest_s=4.0)
    assert list(islice(pauses(policy, lambda: 0.0), 6)) == [0.0, 1.0, 2.0, 4.0, 4.0, 4.0]


def test_pauses_are_cut_short_by_chance_and_never_by_more_than_half() -> None:
    policy, rng = Reconnect(first_s=1.0, longest_s=1.0), random.Random(0)
    drawn = list(islice(pauses(policy, rng.random), 1, 50))
    assert len(set(drawn)) == len(drawn)
    assert all(0.5 < pause <= 1.0 for pause in drawn)


def test_a_busy_server_is_left_alone_for_as_long_as_it_said() -> None:
    assert wait_s(2.0, lambda: 0.0) == 2.0
    assert wait_s(2.0, lambda: 1.0) == 3.0
    assert wait_s(None, lambda: 0.0) == 0.5


def test_what_another_socket_would_not_help_against_is_for_good() -> None:
    def refusal(code: str) -> Exception:
        return error_of(Error(code=code, message="", fatal=True))

    again: list[Exception] = [
        LostError(""),
        *(LostError("", code) for code in (1001, 1006, 1011, 1012, 1013, 4401, 4408, 4429)),
    ]
    again += [refusal("busy"), refusal("rate_limited"), refusal("internal"), ConnectionRefusedError(), TimeoutError()]
    for_good: list[Exception] = [
        *(LostError("", code) for code in (1003, 1009, 4400, 4409, 4426)),
        refusal("bad_version"),
    ]
    for_good += [RestoreError(""), FileNotFoundError(), refusal("bad_message")]
    assert [comes_back(each) for each in again] == [True] * len(again)
    assert [comes_back(each) for each in for_good] == [False] * len(for_good)
