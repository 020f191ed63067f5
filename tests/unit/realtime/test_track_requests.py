"""Who waits for masks of a clip, and how far that has come."""

from __future__ import annotations

from app.protocol.messages import TrackProgress
from app.realtime.track_requests import TrackRequests

NEW = [("a", 1), ("a", 2)]


def told(seq: int, done: int, frames: int, *, last: bool = False) -> TrackProgress:
    return TrackProgress(seq=seq, done=done, frames=frames, last=last)


def test_each_mask_is_for_the_change_that_waited_first_and_the_last_one_says_so() -> None:
    requests = TrackRequests()
    requests.look(5, NEW, is_track=True)
    assert requests.progress() == []
    requests.look(6, [*NEW, ("b", 1)], is_track=False)
    assert [requests.found(one, 9) for one in (NEW[0], ("b", 1), ("c", 1))] == [5, 6, 9]
    assert requests.progress() == [told(5, 1, 2), told(6, 1, 1, last=True)]
    requests.found(NEW[1], 9)
    assert requests.progress() == [told(5, 2, 2, last=True)]
    assert requests.progress() == []


def test_a_track_that_finds_everything_there_is_answered_and_another_change_is_not() -> None:
    requests = TrackRequests()
    requests.look(5, [], is_track=True)
    requests.look(6, [], is_track=False)
    assert requests.progress() == [told(5, 0, 0, last=True)]


def test_what_an_undo_takes_away_is_waited_for_no_longer() -> None:
    requests = TrackRequests()
    requests.look(5, NEW, is_track=True)
    requests.found(NEW[0], 9)
    requests.look(6, [], is_track=False)
    assert requests.progress() == [told(5, 1, 2, last=True)]


def test_the_end_is_told_to_all_and_after_a_failure_nobody_waits() -> None:
    requests = TrackRequests()
    requests.look(5, NEW, is_track=True)
    assert requests.end() == [told(5, 0, 2, last=True)]
    requests.look(6, NEW, is_track=True)
    requests.look(7, [*NEW, ("b", 1)], is_track=False)
    assert requests.fail() == ([6, 7], frozenset("a"))
    assert requests.end() == []
