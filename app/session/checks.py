"""Whether a prompt lies on the picture, and a trail is one that a session could have taken. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import BadCoordError, BadMessageError, Reason, TooManyPointsError
from app.protocol.counts import decode_counts
from app.protocol.fields import BoxXyxy
from app.protocol.recipe import MAX_STEPS, BoxStep, MaskStep, RefineStep, StrokeStep, TrackStep
from app.protocol.windows import check_window, has, hull
from app.session.clip_objects import ClipObject
from app.session.limits import SessionLimits
from app.session.objects import SessionObject, is_asked, prompted
from app.session.passes import covered, standing
from app.session.values import OpenClip, OpenImage


def check_point(x: float, y: float, width: int, height: int) -> None:
    """Refuse a point off the picture; its right and lower edge still count.

    Raises:
        BadCoordError: the point is outside, or not finite.
    """
    if not (0 <= x <= width and 0 <= y <= height):
        raise BadCoordError(f"a point must lie within 0 to {width} and 0 to {height}, got ({x:g}, {y:g})")


def check_box(box: BoxXyxy, width: int, height: int) -> None:
    """Refuse a box off the picture or inside out.

    Raises:
        BadCoordError: a corner is outside, or x0 < x1 and y0 < y1 do not hold.
    """
    x0, y0, x1, y1 = box
    check_point(x0, y0, width, height)
    check_point(x1, y1, width, height)
    if not (x0 < x1 and y0 < y1):
        raise BadCoordError(f"a box must have x0 < x1 and y0 < y1, got ({x0:g}, {y0:g}, {x1:g}, {y1:g})")


def check_path(step: StrokeStep, image: OpenImage | OpenClip, limits: SessionLimits) -> None:
    """Refuse a stroke that is too long or has a place off the picture.

    Raises:
        TooManyPointsError: it has more points than a stroke may.
        BadCoordError: so it has.
    """
    got, most = len(step.path), limits.max_path_points
    if got > most:
        text = "a stroke takes at most {most} points, got {got}; paint it in parts"
        raise TooManyPointsError(Reason("stroke", text, most=most, got=got))
    for x, y in step.path:
        check_point(x, y, image.width, image.height)


def check_given(step: MaskStep, image: OpenImage | OpenClip) -> None:
    """Refuse a given mask that isn't one of this picture, or is of nothing.

    Raises:
        BadMessageError: so it is.
    """
    if step.size != image.size_hw:
        height, width = step.size
        raise BadMessageError(
            Reason(
                "mask_size",
                "expected a mask of the picture's size, {width} x {height}, got {got_width} x {got_height}; scale it",
                width=image.width,
                height=image.height,
                got_width=width,
                got_height=height,
            )
        )
    if not decode_counts(step.counts, step.size)[1::2].sum():
        raise BadMessageError(Reason("mask_empty", "expected a mask with at least one pixel, got one of nothing"))


def check_windows(item: SessionObject, size_hw: tuple[int, int]) -> None:
    """Refuse windows off the picture, and those that haven't got all that the model is asked about.

    Raises:
        BadCoordError: so it is.
    """
    for number, step in enumerate(item.trail):
        if not is_asked(step) or step.window is None:
            continue
        check_window(step.window, size_hw)
        boxes = prompted(item.trail[: number + 1])
        if boxes and not has(step.window, hull(boxes)):
            raise BadCoordError(
                f"expected the window of each step of object {item.id} to have all prompts before it, "
                f"got ({', '.join(map(str, step.window))}); take a larger one"
            )


def check_trail(item: SessionObject, image: OpenImage | OpenClip, limits: SessionLimits) -> None:
    """Refuse an object that no session could have made.

    Raises:
        BadMessageError: no step makes a mask, a given mask isn't the first step or isn't of this picture, a box isn't
            the first prompt, or there is nothing to refine.
        BadCoordError: a step leaves the picture, or its window.
        TooManyPointsError: it has more points or strokes than an object may.
    """
    if any(step.frame is not None for step in item.trail):
        raise BadMessageError(
            f"expected steps of object {item.id} without a frame: they are of the picture that is shown"
        )
    if item.is_empty or any(isinstance(step, MaskStep) for step in item.trail[1:]):
        raise BadMessageError(f"expected object {item.id} to have a point, a box, a stroke or a given mask, that first")
    if any(isinstance(step, BoxStep) for step in item.prompts[1:]):
        raise BadMessageError(f"expected the box of object {item.id} before its points")
    if item.given is None and any(isinstance(step, RefineStep) for step in item.prompts):
        raise BadMessageError(f"expected object {item.id} to begin with a given mask, which it refines")
    got, most = len(item.points), limits.max_points
    if got > most:
        raise TooManyPointsError(
            Reason("points", "an object takes at most {most} points, got {got}", most=most, got=got)
        )
    got, most = len(item.layers), limits.max_strokes
    if got > most:
        text = "an object takes at most {most} strokes and changes of shape, got {got}"
        raise TooManyPointsError(Reason("strokes", text, most=most, got=got))
    strokes = [step for step in item.layers if isinstance(step, StrokeStep)]
    if sum(len(step.path) * step.radius for step in strokes) > limits.max_paint:
        text = "an object takes no more strokes of such length and width; begin another object"
        raise TooManyPointsError(Reason("paint", text))
    for x, y, _ in item.points:
        check_point(x, y, image.width, image.height)
    if item.box is not None:
        check_box(item.box, image.width, image.height)
    if item.given is not None:
        check_given(item.given, image)
    for step in strokes:
        check_path(step, image, limits)
    check_windows(item, image.size_hw)


def check_clip_trail(item: ClipObject, clip: OpenClip, limits: SessionLimits) -> None:
    """Refuse an object of a clip that no session could have made; raises as `check_trail`, on each of its frames."""
    frames = range(clip.count)
    if len(item.trail) > MAX_STEPS:
        raise TooManyPointsError(f"an object takes at most {MAX_STEPS} steps, got {len(item.trail)}; begin another one")
    if any(step.frame not in frames for step in item.trail) or not item.prompted:
        raise BadMessageError(
            f"expected each step of object {item.id} to say its frame, 0 to {clip.count - 1}, and one that makes a mask"
        )
    if standing(item.trail) != item.trail or {step.frame for step in item.trail} - item.prompted.keys():
        raise BadMessageError(
            f"expected object {item.id} to be prompted on each frame that is changed or followed from"
        )
    for step in item.trail:
        if isinstance(step, TrackStep) and not (step.last in frames and covered(step)):
            raise BadMessageError(
                f"expected the last frame that object {item.id} is followed to ahead of its first one, on the clip; "
                f"got {step.last} from {step.frame} {step.direction}"
            )
    for frame in item.prompted:
        check_trail(item.on(frame), clip, limits)


def check_room(items: Iterable[SessionObject], limits: SessionLimits) -> None:
    """Refuse more than a lost session could be made again from.

    Raises:
        TooManyPointsError: given masks, strokes and prompts take too many bytes.
    """
    got, most = sum(item.trail_bytes for item in items), limits.max_trail_bytes
    if got > most:
        text = (
            "given masks, strokes and prompts of a picture take at most {most} bytes, these take {got}; "
            "delete an object, or give simpler masks"
        )
        raise TooManyPointsError(Reason("trail", text, most=most, got=got))
