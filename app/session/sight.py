"""Which part of the picture answers a prompt. Pure.

Decision: what is asked decides, never what is encoded by chance. Context: a mask depends on the window that it was made
in, and embeddings come and go. Choice: each step of a trail says its window, chosen from the message and the object
alone; a window that hasn't all that the step goes on from is left for a larger one. Price: a click may wait for an
encode.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as replace_step

from app.protocol.fields import BoxXyxy, WindowXyxy
from app.protocol.recipe import Step
from app.protocol.windows import box_in_picture, finer, holding, hull, whole
from app.session.objects import SessionObject, in_window, is_asked, prompted


def aimed(
    base: SessionObject, subject: SessionObject, window: WindowXyxy | None, size_hw: tuple[int, int]
) -> SessionObject:
    """Return an object whose new prompt is asked in the smallest window that has all of it.

    Args:
        base: the object before.
        subject: the object with its new prompt: the last one, or a box, with which all of them are asked again.
        window: the one that the client looks through; None for the whole picture.
        size_hw: height and width of the picture.
    """
    window = finer(window, base.window)
    if window is None:
        return subject
    boxes = [*shown_in(base, size_hw), *prompted(subject.trail)]
    window = holding(window, hull(boxes), size_hw) if boxes else window
    if subject.box != base.box:
        return replace(subject, trail=in_window(subject.trail, window))
    return subject.seen_in(window)


def shown_in(item: SessionObject, size_hw: tuple[int, int]) -> list[BoxXyxy]:
    """Return the box around what the model has made of an object, or around more; none where that is nothing."""
    if item.answer is None:
        return []
    if item.layers:  # what is shown isn't the model's
        x0, y0, x1, y1 = item.window or whole(size_hw)
        return [(float(x0), float(y0), float(x1), float(y1))] if item.prompts else []
    box = box_in_picture(item.shown[item.chosen], size_hw)
    return [] if box is None else [box]


def seen_whole(item: SessionObject, size_hw: tuple[int, int]) -> SessionObject:
    """Return an object each of whose prompts is asked in a window that has all prompts before it.

    Args:
        item: one whose point or box has changed.
        size_hw: height and width of the picture.
    """
    trail: list[Step] = []
    for step in item.trail:
        trail.append(step)
        if is_asked(step) and step.window is not None and (boxes := prompted(trail)):
            trail[-1] = replace_step(step, window=holding(step.window, hull(boxes), size_hw))
    return replace(item, trail=tuple(trail))
