"""Objects that are followed: what is still to be found, and how their trails change with `track` and `stop`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from msgspec.structs import replace as replace_step

from app.errors import BadMessageError, Reason
from app.protocol.messages import Track
from app.protocol.recipe import Step, TrackStep
from app.protocol.values import Mask
from app.session.clip_objects import ClipObject
from app.session.passes import Pass, covered, pass_of, prompts_by_step
from app.session.tracked_masks import TrackedMasks


class FrameMask(NamedTuple):
    """An object's mask on a frame, and a name of what it was made from."""

    made_from: str
    mask: Mask


class Unfollowed(NamedTuple):
    """Frames of a pass that haven't their masks yet, in their order."""

    one: Pass
    frames: tuple[int, ...]


def frame_masks(item: ClipObject, tracked: TrackedMasks) -> dict[int, FrameMask]:
    """Return an object's masks by frame, as far as they are there: of the latest pass that has one."""
    found = {
        frame: FrameMask(one.key, mask)
        for one in item.passes
        for frame, mask in tracked.of(one.key).items()
        if frame in one.goes_through and frame not in item.prompted
    }
    for frame, made_from in item.prompt_keys.items():
        mask = item.on(frame).mask
        if mask is not None:
            found[frame] = FrameMask(made_from, mask)
    return found


def tracked_mask(item: ClipObject, frame: int, tracked: TrackedMasks) -> FrameMask | None:
    """Return the mask of the latest pass that has one on a frame."""
    for one in reversed(item.passes):
        mask = tracked.of(one.key).get(frame) if frame in one.goes_through else None
        if mask is not None:
            return FrameMask(one.key, mask)
    return None


def unfollowed(item: ClipObject, tracked: TrackedMasks) -> list[Unfollowed]:
    """Return the passes of an object that are to be gone through, the first one first."""
    longest: dict[str, Pass] = {}
    for one in item.passes:  # several steps may have a pass in common, some of which were stopped sooner
        if len(one.frames) >= len(longest.get(one.key, one).frames):
            longest[one.key] = one
    found = []
    for key, one in longest.items():
        kept = tracked.of(key)
        owned = (frame for frame in one.frames if frame in item.owned and item.owned[frame].key == key)
        if missing := tuple(frame for frame in owned if frame not in kept):
            found.append(Unfollowed(one, missing))
    return found


def track_steps(message: Track, frame: int, count: int) -> list[TrackStep]:
    """Return the steps that a message asks for.

    Args:
        message: says which way.
        frame: the number of the one that is shown.
        count: frames of the clip.

    Raises:
        BadMessageError: it leads nowhere.
    """
    both, end = message.direction == "both", message.last
    ahead, behind = (count - 1, 0) if end is None else (end, end)
    steps = []
    if message.direction != "backward" and frame < ahead < count:
        steps.append(TrackStep(frame=frame, direction="forward", last=ahead, fast=message.fast))
    if message.direction != "forward" and behind < frame:
        steps.append(TrackStep(frame=frame, direction="backward", last=behind, fast=message.fast))
    if not steps or (both and end is not None):
        raise BadMessageError(
            Reason(
                "track_last",
                "expected frames on the side that objects are to be followed to, and a last one with one direction "
                "alone; frame {frame} of 0 to {end} is shown",
                frame=frame,
                end=count - 1,
            )
        )
    return steps


def with_tracks(item: ClipObject, steps: Iterable[TrackStep], tracked: TrackedMasks) -> ClipObject:
    """Return an object that is to be followed further; what would be found again in its place is left out.

    Steps that others have gone over wholly have nothing to show and go.
    """
    news = []
    for step in steps:
        one = pass_of(step, item.prompted)
        owners = () if one is None else (item.owned.get(frame) for frame in one.frames)
        if one is not None and any(owner is None or owner.key != one.key for owner in owners):
            news.append(step)
    return replace(item, trail=(*uncovered(item, tracked), *news)) if news else item


def uncovered(item: ClipObject, tracked: TrackedMasks) -> tuple[Step, ...]:
    """Return an object's trail without the track steps that later ones have gone over wholly."""
    kept: list[Step] = []
    over: set[int] = set()
    unfinished = {each.one.key for each in unfollowed(item, tracked)}
    prompts = prompts_by_step(item.trail)
    for number in reversed(range(len(item.trail))):
        step = item.trail[number]
        if isinstance(step, TrackStep):
            frames = set(covered(step))
            if frames <= over:
                continue
            one = pass_of(step, prompts[number])
            if one is not None and one.key not in unfinished:
                over |= frames
        kept.append(step)
    return tuple(reversed(kept))


def cut(item: ClipObject, tracked: TrackedMasks, keys: frozenset[str]) -> ClipObject:
    """Return an object that is followed no further: its track steps end where they have come to.

    Args:
        item: the object.
        tracked: what was found.
        keys: of the passes that are to end.
    """
    ended = keys & {each.one.key for each in unfollowed(item, tracked)}
    if not ended:
        return item
    prompts = prompts_by_step(item.trail)
    trail: list[Step] = []
    for number, step in enumerate(item.trail):
        if isinstance(step, TrackStep):
            one = pass_of(step, prompts[number])
            if one is not None and one.key in ended:
                last = reached(one, tracked)
                since = takewhile(lambda other: isinstance(other, TrackStep), reversed(trail))
                if last is not None and (shorter := replace_step(step, last=last)) not in since:
                    trail.append(shorter)
                continue
        trail.append(step)
    return replace(item, trail=tuple(trail))


def reached(one: Pass, tracked: TrackedMasks) -> int | None:
    """Return the last frame up to which a pass has found every mask; None where that is none."""
    kept = tracked.of(one.key)
    found = [*takewhile(lambda frame: frame in kept, one.frames)]
    return found[-1] if found else None
