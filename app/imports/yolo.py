"""YOLO: a line of numbers for each object, in shares of the picture; a polygon, or a box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from app.errors import BadMessageError, Reason
from app.imports.rings import filled_with_outline
from app.imports.values import LabelCollector
from app.session.class_files import LINE_END

BOX_NUMBERS: Final = (5, 6)
"""Numbers of a line that is a box: class, middle and size, and perhaps how sure a model was."""
LEAST_POLYGON: Final = 7
MAX_UNNAMED: Final = 1000
"""A higher number of a class without a name is a mistake."""


def read_yolo(text: str, found: LabelCollector, names: Sequence[str]) -> None:
    """Take in the lines of a label file.

    Args:
        text: the file.
        found: where they go.
        names: of the classes, in the order of their numbers; where there are none, a class is named by its number.
    """
    lines = [(f"line {number}", line.split()) for number, line in enumerate(LINE_END.split(text), 1) if line.strip()]
    if not names:
        numbers = [int(words[0]) for _, words in lines if words[0].isascii() and words[0].isdecimal()]
        highest = max((number for number in numbers if number < MAX_UNNAMED), default=-1)
        names = [f"class {number}" for number in range(highest + 1)]
    found.classes = tuple(names)
    for where, words in lines:
        try:
            read_line(words, found, where, names)
        except BadMessageError as error:
            found.problem(where, error.reason or error.message)


def read_line(words: Sequence[str], found: LabelCollector, where: str, names: Sequence[str]) -> None:
    """Take in one line; raises `BadMessageError` where it is none."""
    try:
        first, *shares = map(float, words)
    except ValueError:
        raise BadMessageError(
            Reason("yolo_numbers", "expected numbers, got {got!r}", got=" ".join(words)[:40])
        ) from None
    if not np.isfinite([first, *shares]).all() or first < 0 or first != int(first):
        raise BadMessageError(
            Reason(
                "yolo_line", "expected the number of a class and shares of the picture, got {got}", got=words[0][:20]
            )
        )
    name = names[int(first)] if first < len(names) else ""
    if not name:
        text = "there is no class {number} among {count}; it came in without one"
        found.problem(where, Reason("yolo_class", text, number=int(first), count=len(names)), lost=False)
    width, height = found.image.width, found.image.height
    if len(words) in BOX_NUMBERS:
        x, y, across, down = (share * side for share, side in zip(shares, (width, height) * 2, strict=False))
        found.box(where, (x - across / 2, y - down / 2, x + across / 2, y + down / 2), name)
    elif len(words) >= LEAST_POLYGON and len(words) % 2:
        if found.is_full:
            found.beyond()
            return
        ring = np.array(shares, np.float64).reshape(-1, 2) * (width, height)
        found.mask(where, filled_with_outline([ring], found.image.size_hw), name)
    else:
        raise BadMessageError(
            Reason(
                "yolo_count",
                "expected a class with a box (4 numbers) or a polygon (6 or more, two each), got {got} numbers",
                got=len(shares),
            )
        )
