"""From a mask to the exact outlines of its parts, along the edges between pixels.

Parts hang together by the sides of their pixels; pixels that touch by a corner alone are parts of their own, so that no
outline ever touches itself. Making outlines simpler is not done here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray
from app.masks.patches import labelled

INSET_PX: Final = 0.05
"""How far inside the edge outlines run.

Decision: a twentieth of a pixel. Context: COCO's tools and SVG take 0 to be the edge of the first pixel, while YOLO's
and LabelMe's readers cut coordinates down to whole numbers and fill up to and including those pixels, which makes an
outline on the edge a pixel too wide. Choice: a corner that lies a little inside is cut down to a pixel of the
object, and rounded to the very edge. Price: none that an area could show.
"""

Ring = NDArray[np.float64]
"""(N, 2) float64 corners `(x, y)` in pixels, origin top-left, not closed; the mask lies to the right of the walk."""


@dataclass(frozen=True)
class Part:
    """One piece of a mask: its outer outline and those of its holes, `INSET_PX` inside its pixels."""

    outer: Ring
    holes: tuple[Ring, ...]


class Corners(NamedTuple):
    """Where the edge of a mask turns; a point where two parts touch by their corners counts twice.

    Attributes:
        xy: (N, 2) on the grid between the pixels.
        inward: (N, 2) each -1 or 1, the direction of the mask's own pixel.
        side: (N, 2) each 0 or 1: whether the edge goes on to the right rather than the left, below rather than above.
        first: (N,) bool, where whoever walks with the mask to his right leaves along a row.
    """

    xy: NDArray[np.int64]
    inward: NDArray[np.int64]
    side: NDArray[np.int64]
    first: NDArray[np.bool_]


class Turn(NamedTuple):
    """One way in which the edge turns.

    Attributes:
        right, below: the sides on which it leaves, 0 or 1.
        convex: 1 for a corner of the mask, -1 for a notch in it.
        code: the four pixels around it, a bit each in the order of `QUARTERS`.
    """

    right: int
    below: int
    convex: int
    code: int


QUARTERS: Final = ((0, 0), (1, 0), (0, 1), (1, 1))
"""The pixels around a point: whether to the right of it, whether below."""


def turns() -> tuple[Turn, ...]:
    """Return all ways in which the edge turns."""
    found = []
    for right, below in QUARTERS:
        own, opposite = right + 2 * below, 3 - right - 2 * below
        found += [Turn(right, below, 1, 1 << own), Turn(right, below, 1, 1 << own | 1 << opposite)]
        found.append(Turn(right, below, -1, 15 - (1 << own)))
    return tuple(found)


TURNS: Final = turns()
"""Every way in which an outline turns at a corner between four pixels; made once, since it depends on nothing."""


def parts_of(mask_hw: MaskArray) -> list[Part]:
    """Return the parts of a mask, (H, W) bool; none of an empty mask."""
    corners = corners_of(mask_hw)
    numbers, count = labelled(mask_hw)
    inside = corners.xy - (corners.inward < 0)  # the mask's own pixel at each corner
    number_at = numbers[inside[:, 1], inside[:, 0]]
    outlines = corners.xy + INSET_PX * corners.inward
    outer: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {number: [] for number in range(1, count + 1)}
    for indices in cycles(corners):
        ring, number = outlines[indices], int(number_at[indices[0]])
        if area_of(ring) > 0:
            outer[number] = ring
        else:
            holes[number].append(ring)
    return [Part(outer[number], tuple(holes[number])) for number in sorted(outer)]


def corners_of(mask_hw: MaskArray) -> Corners:
    """Return the corners of a mask's edge."""
    padded = np.pad(mask_hw, 1).view(np.uint8)
    code = padded[:-1, :-1].copy()  # the four pixels around each point of the grid, a bit each, as in `QUARTERS`
    for bit, (right, below) in enumerate(QUARTERS[1:], 1):
        code |= padded[below : padded.shape[0] - 1 + below, right : padded.shape[1] - 1 + right] << np.uint8(bit)
    yx = np.argwhere(np.isin(np.arange(16), [code for *_, code in TURNS])[code])
    codes = code[yx[:, 0], yx[:, 1]]
    which = [(np.flatnonzero(codes == turn.code), turn) for turn in TURNS]
    at = np.concatenate([found for found, _ in which])
    counts = [len(found) for found, _ in which]
    side = np.repeat([(turn.right, turn.below) for _, turn in which], counts, axis=0)
    convex = np.repeat([turn.convex for _, turn in which], counts)
    return Corners(
        xy=yx[at, ::-1],
        inward=(2 * side - 1) * convex[:, None],
        side=side,
        first=(side[:, 0] == side[:, 1]) == (convex > 0),
    )


def cycles(corners: Corners) -> list[list[int]]:
    """Return the corners of each outline in the order of the walk, as indices."""
    x, y = corners.xy.T
    right, below = corners.side.T
    along_row = partners(np.lexsort((right, x, y))).tolist()
    along_column = partners(np.lexsort((below, y, x))).tolist()
    seen = bytearray(len(x))
    found = []
    for start in np.flatnonzero(corners.first).tolist():
        indices: list[int] = []
        at = start
        while not seen[at]:
            seen[at] = 1
            indices += (at, along_row[at])
            at = along_column[along_row[at]]
        if indices:
            found.append(indices)
    return found


def partners(order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return at which corner the edge that begins at each corner ends; in `order` they lie side by side."""
    other = np.empty_like(order)
    other[order[0::2]], other[order[1::2]] = order[1::2], order[0::2]
    return other


def area_of(ring: Ring) -> float:
    """Return the area inside an outline, negative for that of a hole."""
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
