"""What is remembered of an object on the frames of a clip, and which of it a frame is shown. Pure; opaque memories.

As in SAM 2.1: frames that a person prompted condition all others, wherever they are; of the frames that were tracked
the last few count, and of each of the last 15 a small pointer. Two things differ. Only the nearest conditioning frames
are taken, so that a frame's cost has a bound; sam2 has that as `max_cond_frames_in_attn`. And frames on which the
object wasn't to be seen are left out, since remembering them makes a model forget the object (DAM4SAM, Videnovic et al.
2025, arXiv:2411.17576).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol, TypeVar

M = TypeVar("M")

POINTERS: Final = 15
"""Frames before the current one whose pointers are taken: sam2's `max_obj_ptrs_in_encoder` less one."""


class Memory(Protocol):
    """What a model remembers of one object on one frame. Opaque to everyone but the engines of the model that made it.

    Never changed; it may be shown to any number of frames, and to several at once.
    """

    @property
    def nbytes(self) -> int:
        """Bytes that it holds in memory."""
        ...

    @property
    def is_empty(self) -> bool:
        """Whether the object wasn't to be seen on that frame."""
        ...


class FrameMemory(NamedTuple):
    """A memory of a frame.

    Attributes:
        memory: of an object on it.
        conditioning: whether a person prompted the object there.
    """

    memory: Memory
    conditioning: bool


class Placed(NamedTuple):
    """A memory as another frame sees it.

    Attributes:
        memory: of the object.
        distance: frames from it to the one that looks, in the direction of tracking; below 0 where it lies ahead.
        conditioning: whether it is taken as one that a person prompted.
    """

    memory: Memory
    distance: int
    conditioning: bool


def memory_of_kind(kind: type[M], placed: Placed) -> M:
    """Return a memory of the kind that a model makes.

    Raises:
        TypeError: another model made it.
    """
    if not isinstance(placed.memory, kind):
        raise TypeError(f"this model remembers a {kind.__name__}, got {type(placed.memory).__name__}")
    return placed.memory


class Reach(NamedTuple):
    """How much is remembered at once.

    Attributes:
        conditioning: frames that a person prompted, at most.
        others: frames before the current one, at most 6.
    """

    conditioning: int
    others: int


FULL: Final = Reach(conditioning=4, others=6)
"""SAM 2.1's own: seven memories where one frame was prompted."""
FAST: Final = Reach(conditioning=1, others=2)
"""Three memories: attention to them takes about half as long."""


class MemoryBank(NamedTuple):
    """What a frame is shown.

    Attributes:
        memories: looked at cell by cell.
        pointers: of which one small vector each is looked at.
        span: frames that the distance of a pointer is measured by.
    """

    memories: tuple[Placed, ...] = ()
    pointers: tuple[Placed, ...] = ()
    span: int = POINTERS


EMPTY_BANK: Final = MemoryBank()


def attended(
    remembered: Mapping[int, FrameMemory], frame: int, *, frames: int, backward: bool = False, reach: Reach = FULL
) -> MemoryBank:
    """Return what a frame is shown of what is remembered of an object.

    Args:
        remembered: by the number of its frame, from 0.
        frame: the number of the frame that looks.
        frames: of the clip.
        backward: whether frames are tracked from the last to the first.
        reach: how much is shown.
    """
    sign = -1 if backward else 1
    conditioning = {number: kept.memory for number, kept in remembered.items() if kept.conditioning}
    chosen = nearest(conditioning, frame, reach.conditioning)
    before = {
        distance: kept.memory
        for distance in range(1, max(reach.others, POINTERS) + 1)
        for number in [frame - sign * distance]
        for kept in [remembered.get(number)]
        if kept is not None and number not in chosen and (kept.conditioning or not kept.memory.is_empty)
    }
    own = [Placed(conditioning[number], sign * (frame - number), conditioning=True) for number in chosen]
    others = [Placed(memory, distance, conditioning=False) for distance, memory in before.items()]
    span = max(1, min(frames - 1, POINTERS))
    return MemoryBank(
        memories=(*own, *(placed for placed in others if placed.distance <= reach.others)),
        pointers=(
            *(placed for placed in own if placed.distance >= 0),  # those ahead would mislead
            *(placed for placed in others if placed.distance <= span),
        ),
        span=span,
    )


def nearest(numbers: Mapping[int, object], frame: int, count: int) -> list[int]:
    """Return so many of some frames: the next before and the next after before all others, then the nearest.

    Args:
        numbers: of the frames.
        frame: the number of the frame that looks.
        count: how many at most.
    """
    ahead = min((number for number in numbers if number >= frame), default=None)
    behind = max((number for number in numbers if number < frame), default=None)
    by_distance = sorted(numbers, key=lambda number: abs(number - frame))
    first = [number for number in by_distance if number in (ahead, behind)]
    return [*first, *(number for number in by_distance if number not in first)][:count]
