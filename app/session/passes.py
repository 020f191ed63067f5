"""How an object is followed through a clip: which frames each pass goes through, and what its masks depend on. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
from msgspec.structs import replace as replace_step

from app.protocol.recipe import MaskStep, PromptStep, Step, StrokeStep, TrackStep

Prompts = Mapping[int, tuple[Step, ...]]
"""The steps of each prompted frame, as of a picture of its own."""
KEY_CHARS = 32
"""128 bits."""


@dataclass(frozen=True)
class Pass:
    """Frames through which an object is followed, from a prompted one on, past those that were prompted by then.

    Attributes:
        key: names all that its masks depend on but the model and the clip.
        start: number of the prompted frame.
        frames: numbers of the frames in their order.
        prompts: all that the object was prompted with before.
        is_backward: whether it goes to the clip's beginning.
        is_fast: whether less is remembered.
    """

    key: str
    start: int
    frames: tuple[int, ...]
    prompts: Prompts
    is_backward: bool
    is_fast: bool

    @cached_property
    def goes_through(self) -> frozenset[int]:
        """Its frames, for those who ask whether it has one."""
        return frozenset(self.frames)


def passes_of(trail: Sequence[Step]) -> Iterator[Pass]:
    """Yield the passes of an object's trail in their order; of two on one frame the later one counts."""
    for place, prompts in prompts_by_step(trail).items():
        step = trail[place]
        one = pass_of(step, prompts) if isinstance(step, TrackStep) else None
        if one is not None:
            yield one


def prompts_by_step(trail: Sequence[Step]) -> Mapping[int, Prompts]:
    """Return what was prompted before each track step, by its place in the trail."""
    found: dict[int, Prompts] = {}
    prompts: dict[int, tuple[Step, ...]] = {}
    for place, step in enumerate(trail):
        if isinstance(step, TrackStep):
            found[place] = {frame: steps for frame, steps in prompts.items() if makes_mask(steps)}
        elif step.frame is not None:
            prompts[step.frame] = (*prompts.get(step.frame, ()), unframed(step))
    return found


def pass_of(step: TrackStep, prompts: Prompts) -> Pass | None:
    """Return the pass of a step; None where it goes nowhere.

    Args:
        step: says from where to where.
        prompts: of the object, by then.
    """
    start, backward = step.frame, step.direction == "backward"
    frames = tuple(frame for frame in covered(step) if frame not in prompts)
    if start is None or start not in prompts or not frames:
        return None
    said = msgspec.msgpack.encode((start, backward, step.fast, sorted(prompts.items())))
    key = hashlib.sha256(said).hexdigest()[:KEY_CHARS]
    return Pass(key, start, frames, prompts, backward, step.fast)


def covered(step: TrackStep) -> range:
    """Return the frames that a step comes through, in their order, prompted ones too."""
    sign = -1 if step.direction == "backward" else 1
    start = step.frame or 0
    return range(start + sign, step.last + sign, sign)


def makes_mask(steps: Iterable[Step]) -> bool:
    """Return whether steps make a mask, and don't only change one."""
    return any(isinstance(step, (PromptStep, MaskStep, StrokeStep)) for step in steps)


def unframed(step: Step) -> Step:
    """Return a step as of a picture."""
    return replace_step(step, frame=None)


def merged(trail: tuple[Step, ...], frame: int, steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return an object's trail with other steps on one of its frames.

    New steps come to the end, after what was followed before them; one that has changed stays in its place, so that
    what was followed after it is followed again.

    Args:
        trail: over all frames.
        frame: number of the frame.
        steps: all those of that frame, as of a picture.
    """
    own = [replace_step(step, frame=frame) for step in steps]
    places = [place for place, step in enumerate(trail) if step.frame == frame and not isinstance(step, TrackStep)]
    if len(places) == len(own):
        changed = dict(zip(places, own, strict=True))
        return standing(changed.get(place, step) for place, step in enumerate(trail))
    alike = zip(places, own, strict=False)
    same = next((n for n, (place, step) in enumerate(alike) if trail[place] != step), min(len(places), len(own)))
    if same == len(places):
        return (*trail, *own[same:])
    first, *gone = places[same:]
    after = [step for place, step in enumerate(trail) if place > first and place not in gone]
    return standing([*trail[:first], *own[same:], *after])


def standing(trail: Iterable[Step]) -> tuple[Step, ...]:
    """Return a trail without what can't be followed any more, since nothing is prompted where it began."""
    kept: list[Step] = []
    prompted: set[int | None] = set()
    for step in trail:
        if isinstance(step, TrackStep):
            if step.frame in prompted:
                kept.append(step)
            continue
        kept.append(step)
        if makes_mask([step]):
            prompted.add(step.frame)
    return tuple(kept)
