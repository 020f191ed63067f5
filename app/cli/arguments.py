"""Values of options: points, boxes, parts and colours, from the command line."""

from __future__ import annotations

import argparse
import math
import re
from typing import TYPE_CHECKING

import msgspec

from app.wording import in_words

if TYPE_CHECKING:
    from app.protocol.clips import ClipPart


def color_of(text: str) -> str:
    """Return a colour from the command line."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise argparse.ArgumentTypeError(f"expected a colour as '#RRGGBB', such as '#ffffff' for white, got {text!r}")
    return text


def point_of(text: str) -> tuple[float, float, int]:
    """Return a point from the command line."""
    numbers = numbers_of(text)
    if len(numbers) not in (2, 3) or (len(numbers) == 3 and numbers[2] not in (0, 1)):
        raise argparse.ArgumentTypeError(f"expected X,Y or X,Y,LABEL with the label 0 or 1, got {text!r}")
    return numbers[0], numbers[1], int(numbers[2]) if len(numbers) == 3 else 1


def box_of(text: str) -> tuple[float, float, float, float]:
    """Return a box from the command line."""
    numbers = numbers_of(text)
    if len(numbers) != 4:
        raise argparse.ArgumentTypeError(f"expected X0,Y0,X1,Y1, got {text!r}")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def window_of(text: str) -> tuple[int, int, int, int]:
    """Return a window from the command line."""
    numbers = numbers_of(text)
    if len(numbers) != 4 or not all(number >= 0 and number.is_integer() for number in numbers):
        raise argparse.ArgumentTypeError(f"expected X0,Y0,X1,Y1 in whole pixels, got {text!r}")
    x0, y0, x1, y1 = map(int, numbers)
    return x0, y0, x1, y1


def part_of(text: str) -> ClipPart:
    """Return a part of a clip from the command line."""
    from app.protocol.clips import ClipPart

    numbers = numbers_of(text)
    if len(numbers) != 3:
        raise argparse.ArgumentTypeError(f"expected BEGIN,END,RATE, got {text!r}")
    try:
        return msgspec.convert(dict(zip(("begin", "end", "rate"), numbers, strict=True)), ClipPart)
    except msgspec.ValidationError as error:
        raise argparse.ArgumentTypeError(
            f"expected BEGIN,END,RATE in seconds, got {text!r}: {in_words(str(error), ClipPart)}"
        ) from error


def numbers_of(text: str) -> list[float]:
    """Return finite numbers that commas separate."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise argparse.ArgumentTypeError(f"expected numbers with commas between, got {text!r}")
    return numbers
