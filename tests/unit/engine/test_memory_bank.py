"""Which memories a frame is shown: SAM 2.1's choice, with a bound and without empty masks."""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.memory_bank import FAST, FULL, FrameMemory, Placed, attended


@dataclass(frozen=True)
class Note:
    frame: int
    is_empty: bool = False
    nbytes: int = 1


def kept(*frames: int, prompted: tuple[int, ...] = (), empty: tuple[int, ...] = ()) -> dict[int, FrameMemory]:
    return {
        frame: FrameMemory(Note(frame, frame in empty), frame in prompted) for frame in sorted({*frames, *prompted})
    }


def seen(placed: tuple[Placed, ...]) -> list[tuple[int, int, bool]]:
    """The frame, distance and kind of each memory."""
    return [(one.memory.frame, one.distance, one.conditioning) for one in placed if isinstance(one.memory, Note)]


def frames_of(placed: tuple[Placed, ...]) -> list[int]:
    return [frame for frame, _, _ in seen(placed)]


def test_the_prompted_frame_and_the_last_six_are_taken() -> None:
    bank = attended(kept(*range(20), prompted=(0,)), 20, frames=30)
    assert seen(bank.memories) == [(0, 20, True), *((20 - far, far, False) for far in range(1, 7))]
    assert frames_of(bank.pointers) == [0, *range(19, 4, -1)]


def test_backward_the_frames_after_are_those_before() -> None:
    bank = attended(kept(*range(10, 30), prompted=(29,)), 9, frames=30, backward=True)
    assert seen(bank.memories)[:3] == [(29, 20, True), (10, 1, False), (11, 2, False)]
    assert seen(bank.pointers)[0] == (29, 20, True)


def test_a_prompt_from_the_future_conditions_but_gives_no_pointer() -> None:
    bank = attended(kept(4, prompted=(3, 9)), 5, frames=30)
    assert seen(bank.memories) == [(3, 2, True), (9, -4, True), (4, 1, False)]
    assert frames_of(bank.pointers) == [3, 4]


def test_a_frame_on_which_the_object_was_not_seen_is_left_out() -> None:
    bank = attended(kept(1, 2, 3, prompted=(0,), empty=(2,)), 4, frames=30)
    assert frames_of(bank.memories) == frames_of(bank.pointers) == [0, 3, 1]


def test_many_prompted_frames_are_bounded_to_the_next_before_and_after_and_the_nearest() -> None:
    bank = attended(kept(prompted=(0, 2, 4, 6, 8, 29)), 9, frames=30)
    assert [frame for frame, _, conditioning in seen(bank.memories) if conditioning] == [8, 29, 6, 4]
    assert len(attended(kept(*range(29), prompted=(0, 3, 6, 9, 12)), 29, frames=30).memories) == sum(FULL)


def test_prompted_frames_that_were_not_chosen_count_as_tracked_ones() -> None:
    bank = attended(kept(prompted=(0, 2, 3)), 4, frames=30, reach=FAST)
    assert seen(bank.memories) == [(3, 1, True), (2, 2, False)]


def test_fast_takes_three() -> None:
    assert frames_of(attended(kept(*range(20), prompted=(0,)), 20, frames=30, reach=FAST).memories) == [0, 19, 18]


def test_distances_of_pointers_are_measured_by_a_short_clip() -> None:
    bank = attended(kept(*range(4), prompted=(0,)), 4, frames=5)
    assert bank.span == 4
    assert attended({}, 0, frames=1).span == 1
    assert attended({}, 20, frames=300).span == 15
