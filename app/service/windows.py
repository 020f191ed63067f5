"""Trails that windows answer: a query in the pixels of one window, and its answer back on the picture. Pure.

Decision: a window is but another source. Context: backends know sources and pixels, and a worker has nothing but
those that it was sent. Choice: whoever asks says which steps one window answers, moves them into its pixels and the
answer back, with the logits before them on its grid; what was done by hand is laid over the mask on the picture. Price:
a trail over several windows is asked in as many parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from msgspec import structs

from app.masks.layers import finished
from app.masks.packing import pack_logits, unpack_logits
from app.masks.resampling import resampled
from app.masks.upsampling import area_px, grid_of
from app.protocol.counts import counts_of, mask_of
from app.protocol.fields import BoxXyxy, WindowXyxy
from app.protocol.frames import in_frame
from app.protocol.recipe import BoxStep, MaskStep, MorphStep, PointStep, Step, StrokeStep
from app.protocol.run_lengths import decode_mask, encode_mask
from app.protocol.values import Mask
from app.protocol.windows import hull, size_of, whole
from app.session.objects import Answer, HandStep, SessionObject, is_asked
from app.session.query import Query


def first_part(query: Query) -> Query | None:
    """Return the next steps of a query that one window answers, None where it answers all that are left."""
    trail = query.subject.trail
    asked = [number for number in range(query.known, len(trail)) if is_asked(trail[number])]
    windows = [window_of(trail[number]) for number in asked]
    if all(window == windows[0] for window in windows):
        return None
    last = next(number for number, window in zip(asked, windows, strict=True) if window != windows[0])
    return replace(query, subject=replace(query.subject, trail=trail[:last]), kept=None, gone=())


def gone_on(query: Query, part: Query, feedback: bytes) -> Query:
    """Return what is left of a query once a part of it is answered.

    Args:
        query: the whole of it.
        part: its first.
        feedback: packed logits that those steps led to.
    """
    return replace(query, known=len(part.subject.trail), feedback=feedback)


def window_of(step: Step) -> WindowXyxy | None:
    """Return the window that answers a step, None for the whole picture."""
    return step.window if is_asked(step) else None


def moved_into(query: Query, size_hw: tuple[int, int]) -> Query:
    """Return a query of steps that one window answers, in the pixels of that window; itself without windows.

    Args:
        query: in the pixels of the picture.
        size_hw: height and width of the picture.
    """
    if not query.subject.is_windowed:
        return query
    subject, before = query.subject, replace(query.subject, trail=query.subject.trail[: query.known])
    window = subject.window
    known = sum(not isinstance(step, HandStep) for step in before.trail)
    feedback = query.feedback
    if feedback is not None and before.window != window:
        own, wanted = before.window or whole(size_hw), window or whole(size_hw)
        feedback = pack_logits(resampled(unpack_logits(feedback), own, wanted))
    return replace(query, subject=item_in(subject, size_hw), known=known, feedback=feedback)


def item_in(item: SessionObject, size_hw: tuple[int, int]) -> SessionObject:
    """Return an object in the pixels of the window of its last prompt, without what was done by hand."""
    window = item.window or whole(size_hw)
    trail = tuple(step_in(step, window) for step in item.trail if not isinstance(step, HandStep))
    return replace(item, trail=trail)


def step_in(step: Step, window: WindowXyxy) -> Step:
    """Return a prompt or given mask in the pixels of a window."""
    x0, y0, x1, y1 = window
    if isinstance(step, PointStep):
        return structs.replace(step, x=step.x - x0, y=step.y - y0, window=None)
    if isinstance(step, BoxStep):
        left, top, right, bottom = step.box
        return structs.replace(step, box=(left - x0, top - y0, right - x0, bottom - y0), window=None)
    if isinstance(step, MaskStep):
        part = mask_of(step.counts, step.size)[y0:y1, x0:x1]
        return MaskStep(size=size_of(window), counts=counts_of(part))
    return structs.replace(step, window=None) if is_asked(step) else step


def on_picture(answer: Answer, window: WindowXyxy | None) -> Answer:
    """Return an answer whose masks say which window they are of; itself for the whole picture."""
    if window is None:
        return answer
    return changed(answer, lambda mask: structs.replace(mask, window=window))


def layered(answer: Answer, layers: Sequence[HandStep], size_hw: tuple[int, int]) -> Answer:
    """Return an answer with all that was done to its object by hand.

    Args:
        answer: as the model has it.
        layers: what was done, in pixels of the picture.
        size_hw: height and width of the picture.
    """
    return changed(answer, lambda mask: with_layers(mask, layers, size_hw))


def changed(answer: Answer, change: Callable[[Mask], Mask]) -> Answer:
    """Return an answer with each of its masks changed."""
    fine = tuple(None if mask is None else change(mask) for mask in answer.fine)
    return replace(answer, masks=tuple(map(change, answer.masks)), fine=fine)


def with_layers(mask: Mask, layers: Sequence[HandStep], size_hw: tuple[int, int]) -> Mask:
    """Return a mask with all that was done to its object by hand, over as much of the picture as that takes.

    Args:
        mask: as the model has it.
        layers: what was done, in pixels of the picture.
        size_hw: height and width of the picture.
    """
    own = mask.window or whole(size_hw)
    frame = reach(own, layers, size_hw)
    grid_hw = grid_like(mask.size, own, frame)
    done = finished(in_frame(decode_mask(mask), own, frame, grid_hw), layers_in(layers, frame), size_of(frame))
    drawn = encode_mask(done, score=mask.score, area=area_px(done, size_of(frame)))
    return structs.replace(drawn, window=None if frame == whole(size_hw) else frame)


def grid_like(grid_hw: tuple[int, int], own: WindowXyxy, frame: WindowXyxy) -> tuple[int, int]:
    """Return a grid over another window that is as fine as one over its own, as far as a mask may be."""
    sides = [
        max(1, round(cells * length / own_length))
        for cells, length, own_length in zip(grid_hw, size_of(frame), size_of(own), strict=True)
    ]
    return grid_of((sides[0], sides[1]))


def reach(window: WindowXyxy, layers: Sequence[HandStep], size_hw: tuple[int, int]) -> WindowXyxy:
    """Return the part of a picture that a window's mask and what was done to it may lie in."""
    boxes: list[BoxXyxy] = [(float(window[0]), float(window[1]), float(window[2]), float(window[3]))]
    out = 2.0
    for layer in layers:
        if isinstance(layer, StrokeStep):
            x0, y0, x1, y1 = hull([(x, y, x, y) for x, y in layer.path])
            boxes.append((x0 - layer.radius, y0 - layer.radius, x1 + layer.radius, y1 + layer.radius))
        elif layer.operation not in ("fill_holes", "remove_specks"):
            out += 2.0 + 2 * (layer.size or 2.0)
    x0, y0, x1, y1 = hull(boxes)
    height, width = size_hw
    return (
        max(0, int(x0 - out)),
        max(0, int(y0 - out)),
        min(width, int(x1 + out) + 1),
        min(height, int(y1 + out) + 1),
    )


def layers_in(layers: Sequence[HandStep], frame: WindowXyxy) -> list[StrokeStep | MorphStep]:
    """Return what was done by hand in the pixels of a part of the picture."""
    x0, y0, _, _ = frame

    def moved(layer: HandStep) -> HandStep:
        if isinstance(layer, MorphStep):
            return layer
        return structs.replace(layer, path=tuple((x - x0, y - y0) for x, y in layer.path))

    return [moved(layer) for layer in layers]
