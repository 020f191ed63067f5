"""A whole mask as text: run lengths down its columns, as COCO compresses them.

Decision: COCO's form for masks that are given. Context: such a mask travels with its object's trail, into recipe files
and the page's own copy too, which are JSON; labels of other programs have it so already. Choice: text, some half the
bytes of the runs that masks are shown by. Price: two forms of run lengths in one protocol.

`pycocotools.mask` writes it. It is read here, because that reads and writes beyond its memory where a stranger's text
says so.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray
from app.errors import BadMessageError
from app.protocol.fields import BoxXyxy

FIRST: Final = 48
"""The character that stands for 0."""
MORE: Final = 0x20
"""The bit of a digit that another one follows."""
NEGATIVE: Final = 0x10
"""The bit of a last digit that the number is below 0."""
MAX_DIGITS: Final = 7
"""Of one number: five bits each, and no picture has 2**34 pixels."""


def mask_of(counts: str, size_hw: tuple[int, int]) -> MaskArray:
    """Return a mask from its run lengths, (H, W) bool; raises as `decode_counts`."""
    lengths = decode_counts(counts, size_hw)
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(size_hw[::-1]).T


def box_of_counts(counts: str, size_hw: tuple[int, int]) -> BoxXyxy | None:
    """Return the box `(x0, y0, x1, y1)` around a mask, None where it is empty; raises as `decode_counts`."""
    ends = np.cumsum(decode_counts(counts, size_hw))
    first, last = ends[:-1:2], ends[1::2] - 1
    inside = first <= last
    if not inside.any():
        return None
    (x0, y0), (x1, y1) = ((run // size_hw[0], run % size_hw[0]) for run in (first[inside], last[inside]))
    over = x0 < x1  # such a run goes down to the lower edge, and on from the upper one
    return (
        float(x0.min()),
        float(np.where(over, 0, y0).min()),
        float(x1.max() + 1),
        float(np.where(over, size_hw[0], y1 + 1).max()),
    )


def counts_of(mask_hw: MaskArray) -> str:
    """Return the run lengths of a mask, (H, W) bool."""
    from pycocotools import mask as coco_masks  # only for who gives a mask

    counts: bytes = coco_masks.encode(np.asfortranarray(mask_hw, np.uint8))["counts"]
    return counts.decode("ascii")


def decode_counts(counts: str, size_hw: tuple[int, int]) -> NDArray[np.int64]:
    """Return (N,) int64 run lengths down the columns, alternating background and foreground, background first.

    Args:
        counts: as COCO compresses them: from the fourth on, each is told by how much it differs from the second before.
        size_hw: height and width, which the run lengths fill.

    Raises:
        BadMessageError: they are damaged, or don't fill a mask of this size.
    """
    try:
        digits = np.frombuffer(counts.encode("latin-1"), np.uint8).astype(np.int64) - FIRST
    except UnicodeEncodeError:
        digits = np.full(1, -1)
    if digits.size == 0 or digits.min() < 0 or digits.max() >= 2 * MORE or digits[-1] & MORE:
        raise BadMessageError("expected COCO's compressed run lengths as counts of a mask; they are cut or damaged")
    ends = np.flatnonzero(digits < MORE)
    starts = np.concatenate(([0], ends[:-1] + 1))
    widths = ends - starts + 1
    if widths.max() > MAX_DIGITS:
        raise BadMessageError(f"expected numbers of at most {MAX_DIGITS} digits in counts of a mask")
    places = np.arange(digits.size) - np.repeat(starts, widths)
    values = np.add.reduceat((digits & (MORE - 1)) << (5 * places), starts)
    values -= np.where(digits[ends] & NEGATIVE, 1 << (5 * widths), 0)
    lengths = values.copy()
    lengths[1::2] = np.cumsum(values[1::2])
    lengths[2::2] = np.cumsum(values[2::2])
    pixels = size_hw[0] * size_hw[1]
    if lengths.min() < 0 or lengths.max() > pixels or int(lengths.sum()) != pixels:
        raise BadMessageError(f"expected counts of {pixels} pixels, {size_hw[0]} x {size_hw[1]}, got others")
    return lengths
