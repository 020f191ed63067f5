"""What is remembered while objects are followed has a bound, and a pass that made room says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from app.errors import MemoryLostError
from app.protocol.run_lengths import encode_mask
from app.service.track_memories import TrackMemories, kept_under
from app.service.tracking import FollowStep, PromptedFrame, steps_of


@dataclass(frozen=True)
class Note:
    nbytes: int = 10
    is_empty: bool = False


def step(frame: int, pass_id: str = "one", *, start: int = 0, backward: bool = False) -> FollowStep:
    return FollowStep(pass_id, frame, 300, start, backward, ())


def walked(memories: TrackMemories, frames: range, pass_id: str = "one", *, backward: bool = False) -> None:
    for frame in frames:
        memories.keep(step(frame, pass_id, start=frames.start - frames.step, backward=backward), Note())


def test_a_long_pass_keeps_no_more_than_later_frames_look_at() -> None:
    memories = TrackMemories()
    walked(memories, range(1, 301))
    assert memories.nbytes == 160
    assert sorted(memories.before(step(301))) == list(range(286, 301))


def test_backward_the_frames_after_are_those_before() -> None:
    memories = TrackMemories()
    walked(memories, range(9, 4, -1), backward=True)
    assert sorted(memories.before(step(4, start=10, backward=True))) == [5, 6, 7, 8, 9]


def test_a_pass_begins_beside_its_prompted_frame_and_nowhere_else() -> None:
    memories = TrackMemories()
    assert memories.before(step(1)) == {}
    with pytest.raises(MemoryLostError, match="track again from frame 0"):
        memories.before(step(5))


def test_a_pass_goes_past_frames_that_a_person_prompted_without_tracking_them() -> None:
    prompted = tuple(
        PromptedFrame(frame, "clip#0", encode_mask(np.ones((2, 2), np.bool_), score=1)) for frame in (0, 3, 4)
    )
    memories, steps = TrackMemories(), list(steps_of("one", 7, 0, prompted))
    assert [each.frame for each in steps] == [1, 2, 5, 6]
    for each in steps[:2]:
        memories.keep(each, Note())
    assert sorted(memories.before(steps[2])) == [1, 2]
    with pytest.raises(MemoryLostError, match="remembered of frame 2 on the way to frame 5"):
        TrackMemories().before(steps[2])
    back = list(steps_of("two", 7, 4, prompted, backward=True))
    assert [each.frame for each in back] == [2, 1]
    assert memories.before(back[0]) == {}


def test_the_pass_that_was_used_least_recently_makes_room_as_a_whole() -> None:
    memories = TrackMemories(budget_bytes=60)
    for pass_id in ("one", "two", "three"):
        walked(memories, range(1, 4), pass_id)
    assert memories.nbytes == 60
    with pytest.raises(MemoryLostError):
        memories.before(step(4, "one"))
    assert len(memories.before(step(4, "two"))) == 3


def test_what_another_load_of_a_model_cannot_read_goes_with_the_model() -> None:
    memories = TrackMemories()
    for model in ("nano", "tiny"):
        walked(memories, range(1, 3), kept_under(model, "pass"))
    memories.drop("nano")
    assert memories.of(kept_under("nano", "pass")) == {}
    assert len(memories.of(kept_under("tiny", "pass"))) == 2
