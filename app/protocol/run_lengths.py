"""Masks to run lengths and back, in NumPy alone; nothing here loops over pixels or runs.

Scaling a mask to another grid and drawing it are not done here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray
from app.errors import BadMessageError
from app.protocol.messages import MAX_MASK_SIDE, Mask

_MAX_DIGITS: Final = 4
"""Bytes of the longest varint: four hold 2**28, a whole grid has 2**22 pixels."""
_SHIFTS: Final = tuple(range(0, 7 * _MAX_DIGITS, 7))
"""By how many bits each byte of a varint is shifted: it carries seven."""


def encode_mask(mask_hw: MaskArray, *, score: float, area: int | None = None) -> Mask:
    """Return the mask cropped to its own box, as run lengths.

    Args:
        mask_hw: (H, W) bool on the grid that is sent, each side at most `MAX_MASK_SIDE`.
        score: the model's own predicted IoU.
        area: foreground in pixels of the image; None counts the grid's own, right where it is the image's.

    Raises:
        ValueError: not a bool array of two dimensions, or a side too long; scale the mask down before.
    """
    if mask_hw.ndim != 2 or mask_hw.dtype != np.bool_ or max(mask_hw.shape) > MAX_MASK_SIDE:
        raise ValueError(
            f"expected an (H, W) bool mask, each side at most {MAX_MASK_SIDE}, got {mask_hw.dtype} {mask_hw.shape}"
        )
    x0, y0, x1, y1 = box = box_of(mask_hw)
    crop = mask_hw[y0:y1, x0:x1]
    height, width = mask_hw.shape
    count = int(np.count_nonzero(crop)) if area is None else int(area)
    return Mask((height, width), box, encode_runs(run_lengths(crop)), float(score), count)


def decode_mask(mask: Mask) -> MaskArray:
    """Return the mask as an (H, W) bool array on its own grid, H and W being `mask.size`.

    Raises:
        BadMessageError: the box leaves the grid, or the runs don't fill the box.
    """
    height, width = mask.size
    x0, y0, x1, y1 = mask.box
    if not (0 <= x0 <= x1 <= width <= MAX_MASK_SIDE and 0 <= y0 <= y1 <= height <= MAX_MASK_SIDE):
        raise BadMessageError(
            f"expected a mask's box inside its grid, each side at most {MAX_MASK_SIDE}, "
            f"got box {list(mask.box)} on {height} x {width}"
        )
    lengths = decode_runs(mask.runs)
    pixels, total = (x1 - x0) * (y1 - y0), int(lengths.sum())
    if total != pixels:
        raise BadMessageError(f"expected runs of {pixels} pixels for a box of {list(mask.box)}, got {total}")
    mask_hw = np.zeros((height, width), dtype=np.bool_)
    foreground = np.arange(len(lengths)) % 2 == 1
    mask_hw[y0:y1, x0:x1] = np.repeat(foreground, lengths).reshape(y1 - y0, x1 - x0)
    return mask_hw


def scale_mask(mask_hw: MaskArray, size_hw: tuple[int, int]) -> MaskArray:
    """Return the mask at another size, each pixel taking the grid's nearest.

    Args:
        mask_hw: (h, w) bool on any grid that spans the whole picture.
        size_hw: height and width wanted.
    """
    if mask_hw.shape == size_hw:
        return mask_hw
    rows, columns = (
        np.minimum((np.arange(size) + 0.5) * grid / size, grid - 1).astype(np.intp)
        for size, grid in zip(size_hw, mask_hw.shape, strict=True)
    )
    scaled: MaskArray = mask_hw[np.ix_(rows, columns)]
    return scaled


def run_lengths(mask_hw: MaskArray) -> NDArray[np.int64]:
    """Return (N,) int64 run lengths, row-major, alternating background and foreground, beginning with background.

    The first is 0 where the first pixel is foreground; an array without pixels has none.
    """
    flat = mask_hw.ravel()
    if flat.size == 0:
        return np.zeros(0, dtype=np.int64)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths = np.diff(changes, prepend=0, append=flat.size)
    return np.concatenate(([0], lengths)) if flat[0] else lengths


def encode_runs(lengths: NDArray[np.int64]) -> bytes:
    """Return (N,) run lengths, each in [0, 2**28), as LEB128 varints: seven bits a byte, low bits first."""
    longest = int(lengths.max(initial=0))
    if longest < 0x80:  # the common case of a small grid: each length is its own byte
        return lengths.astype(np.uint8).tobytes()
    shifts = np.array([shift for shift in _SHIFTS if longest >> shift], np.int32)
    rest = lengths.astype(np.int32)[:, None] >> shifts
    used = rest > 0
    used[:, 0] = True
    digits = (rest & 0x7F).astype(np.uint8)
    digits[:, :-1] |= used[:, 1:].astype(np.uint8) << np.uint8(7)  # the high bit says that another byte follows
    varints: NDArray[np.uint8] = digits[used]
    return varints.tobytes()


def decode_runs(runs: bytes) -> NDArray[np.int64]:
    """Return (N,) int64 run lengths, each in [0, 2**28).

    Raises:
        BadMessageError: the last varint is cut, or one is longer than any run can be.
    """
    digits = np.frombuffer(runs, dtype=np.uint8)
    if digits.size == 0:
        return np.zeros(0, dtype=np.int64)
    if digits[-1] & 0x80:
        raise BadMessageError(f"expected the last of {digits.size} bytes of runs to end a varint, it was cut")
    ends = np.flatnonzero(digits < 0x80)
    starts = np.concatenate(([0], ends[:-1] + 1))
    counts = ends - starts + 1
    if counts.max() > _MAX_DIGITS:
        raise BadMessageError(f"expected varints of at most {_MAX_DIGITS} bytes in runs, got one of {counts.max()}")
    places = np.arange(digits.size) - np.repeat(starts, counts)
    return np.add.reduceat((digits & 0x7F).astype(np.int64) << (7 * places), starts)


def iou(a: MaskArray, b: MaskArray) -> float:
    """Return the intersection over union of two (H, W) bool masks of one size; 1.0 where both are empty."""
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 1.0


def box_of(mask_hw: MaskArray) -> tuple[int, int, int, int]:
    """Return `(x0, y0, x1, y1)` around the foreground, end exclusive; four zeros where there is none."""
    rows = np.flatnonzero(mask_hw.any(axis=1))
    if rows.size == 0:
        return 0, 0, 0, 0
    columns = np.flatnonzero(mask_hw.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
