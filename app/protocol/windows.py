"""Windows: parts of a picture that the model sees at its full input size. Where they lie, and when they are worth it.

Decision: windows are squares of power-of-two sides at steps of an eighth of a side. Context: the whole of a picture of
12 megapixels comes to logit cells of 16 pixels, in which small things vanish: clicks on things of 1 to 3 % of its side
have an IoU of 0.003, in a window of 256 pixels 0.85 (`nano windows`, 282 drawn things). Choice: what is seen fits into
the window with a margin, and who looks at about the same place gets the same window, encoded once. Price: a window is
up to two and a half times as wide as what is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Final

from app.errors import BadCoordError, BadMessageError
from app.protocol.fields import BoxXyxy, WindowXyxy
from app.protocol.values import Mask

MARGIN: Final = 0.25
"""Of what is seen, both sides together; a sixteenth of the window is needed for the step at each."""
STEPS: Final = 8
"""Places of a window along its own side."""
MIN_SIDE: Final = 128
"""Half a pixel for each cell of a published model; smaller ones show nothing that isn't in the picture."""
FINER: Final = 0.75
"""Of the picture's long side: a larger window isn't worth an encode."""
COARSE_PX: Final = 3.0
"""Pixels of the screen: where a logit cell is larger, outlines have steps that are seen."""


def cells_of(model: str) -> int:
    """Return how many cells to a side a model's logits have."""
    return 128 if model == "nano" else 256


def whole(size_hw: tuple[int, int]) -> WindowXyxy:
    """Return the window that is the whole picture."""
    return 0, 0, size_hw[1], size_hw[0]


def size_of(window: WindowXyxy) -> tuple[int, int]:
    """Return height and width of a window."""
    x0, y0, x1, y1 = window
    return y1 - y0, x1 - x0


def check_window(window: WindowXyxy, size_hw: tuple[int, int]) -> None:
    """Refuse a window off the picture, or of no area.

    Raises:
        BadCoordError: so it is.
    """
    x0, y0, x1, y1 = window
    if not (0 <= x0 < x1 <= size_hw[1] and 0 <= y0 < y1 <= size_hw[0]):
        raise BadCoordError(
            f"a window must lie within the picture, 0 to {size_hw[1]} and 0 to {size_hw[0]}, with x0 < x1 and y0 < y1, "
            f"got ({x0}, {y0}, {x1}, {y1})"
        )


def source_of(image_id: str, window: WindowXyxy | None) -> str:
    """Return the name of a part of a picture, as embeddings are kept under it; None is the whole."""
    return image_id if window is None else f"{image_id}@{','.join(map(str, window))}"


def part_of(source: str) -> tuple[str, WindowXyxy | None]:
    """Return the picture and the window that a source is of.

    Raises:
        BadMessageError: it is the name of none.
    """
    image_id, _, text = source.partition("@")
    if not text:
        return image_id, None
    try:
        x0, y0, x1, y1 = map(int, text.split(","))
    except ValueError as error:
        raise BadMessageError(f"expected a window as x0,y0,x1,y1, got {text[:40]!r}") from error
    return image_id, (x0, y0, x1, y1)


def seen(view: BoxXyxy, scale: float, size_hw: tuple[int, int], model: str) -> WindowXyxy | None:
    """Return the window in which a view is seen sharp; None where the whole picture does, or is as good.

    Args:
        view: the visible part of the picture, in its pixels.
        scale: pixels of the screen for one of the picture.
        size_hw: height and width of the picture.
        model: the model's name.
    """
    if max(size_hw) / cells_of(model) * scale <= COARSE_PX:
        return None
    return around(view, size_hw)


def around(box: BoxXyxy, size_hw: tuple[int, int], least: int = MIN_SIDE) -> WindowXyxy | None:
    """Return the smallest window that has a box with a margin; None where that is the whole picture, or nearly.

    Args:
        box: in pixels of the picture, on the picture.
        size_hw: height and width of the picture.
        least: side that it has at least.
    """
    x0, y0, x1, y1 = box
    side = power_of_two(max(least, MIN_SIDE, (1 + MARGIN) * max(x1 - x0, y1 - y0)))
    if side > FINER * max(size_hw):
        return None
    left, right = placed((x0 + x1) / 2, side, size_hw[1])
    top, bottom = placed((y0 + y1) / 2, side, size_hw[0])
    return left, top, right, bottom


def placed(middle: float, side: int, length: int) -> tuple[int, int]:
    """Return the first and last edge of a window on one axis of a picture of some length."""
    if side >= length:
        return 0, length
    step = side // STEPS
    start = min(max(0, round((middle - side / 2) / step) * step), length - side)
    return start, start + side


def power_of_two(least: float) -> int:
    """Return the smallest power of two that is no smaller."""
    return 1 << (ceil(least) - 1).bit_length()


def holding(window: WindowXyxy | None, box: BoxXyxy, size_hw: tuple[int, int]) -> WindowXyxy | None:
    """Return a window itself where it has a box, else one no smaller that has it; None for the whole picture."""
    if window is None:
        return None
    return window if has(window, box) else around(box, size_hw, max(size_of(window)))


def has(window: WindowXyxy, box: BoxXyxy) -> bool:
    """Return whether a box lies in a window."""
    return window[0] <= box[0] and window[1] <= box[1] and window[2] >= box[2] and window[3] >= box[3]


def larger(window: WindowXyxy, size_hw: tuple[int, int]) -> WindowXyxy | None:
    """Return the window of twice the side around another; None where that is the whole picture, or nearly."""
    x0, y0, x1, y1 = map(float, window)
    return around((x0, y0, x1, y1), size_hw, 2 * power_of_two(max(size_of(window))))


def finer(window: WindowXyxy | None, other: WindowXyxy | None) -> WindowXyxy | None:
    """Return the smaller of two windows; None is the whole picture."""
    if window is None or other is None:
        return window or other
    return min(window, other, key=lambda each: size_of(each)[0] * size_of(each)[1])


def hull(boxes: Iterable[BoxXyxy]) -> BoxXyxy:
    """Return the smallest box around at least one box."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def box_in_picture(mask: Mask, size_hw: tuple[int, int]) -> BoxXyxy | None:
    """Return the box around a mask in pixels of the picture; None where the mask is empty."""
    x0, y0, x1, y1 = mask.box
    if x0 == x1:
        return None
    left, top, right, bottom = mask.window or whole(size_hw)
    across, down = (right - left) / mask.size[1], (bottom - top) / mask.size[0]
    return left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down


def is_cut(mask: Mask, size_hw: tuple[int, int]) -> bool:
    """Return whether a mask reaches an edge of its window behind which the picture goes on."""
    if mask.window is None or mask.box[0] == mask.box[2]:
        return False
    height, width = mask.size
    x0, y0, x1, y1 = mask.box
    left, top, right, bottom = mask.window
    return (
        (x0 == 0 and left > 0)
        or (y0 == 0 and top > 0)
        or (x1 == width and right < size_hw[1])
        or (y1 == height and bottom < size_hw[0])
    )
