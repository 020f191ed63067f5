"""Colours that stand out from what they cover: an orange object on an orange suit isn't seen. Pure.

Decision: the server chooses, when an object is made. Context: a colour is told to every client and written into files,
and stays the object's own. Choice: colours go in the palette's order, and one that is near what the object covers is
passed over; both are compared in OKLab, where distances are as eyes see them. Price: a picture's colours are kept as a
small grid beside its size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.protocol.fields import WindowXyxy
from app.protocol.run_lengths import decode_mask
from app.protocol.values import Mask
from app.protocol.windows import whole
from app.session.palette import PALETTE, color_rgb
from app.session.values import OpenImage

GRID: Final = 32
"""Cells of the picture's colours, across and down: what is smaller than a cell is seen by its outline alone."""
DISTINCT: Final = 0.2
"""Distance in OKLab from which on a colour stands out; orange and yellow are 0.13 apart, black and white 1."""
LMS: Final = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
"""Linear sRGB to the cones' answers, by Ottosson (2020), as the next."""
OKLAB: Final = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def grid_colors(pixels: NDArray[np.uint8]) -> bytes:
    """Return the colours of a picture on a small grid, row by row, for `OpenImage.colors`.

    Args:
        pixels: (h, w, 3) uint8 RGB, upright.
    """
    rows, columns = (((np.arange(GRID) + 0.5) * side / GRID).astype(np.intp) for side in pixels.shape[:2])
    return pixels[rows[:, None], columns[None, :], :3].tobytes()


def visible_color(first: int, image: OpenImage, mask: Mask, used: Iterable[int] = ()) -> int:
    """Return a colour, an index into the palette, that stands out from what a mask covers.

    Args:
        first: the one to begin with; the palette's others follow.
        image: the picture; where its colours aren't known, the first one is as good as another.
        mask: on any grid over the picture.
        used: the colours that others have; of those that stand out, the one that the fewest have is taken.
    """
    if len(image.colors) != GRID * GRID * 3:
        return first
    covered = covered_cells(decode_mask(mask), mask.window or whole(image.size_hw), image.size_hw)
    if not covered.any():
        return first
    below = oklab(np.frombuffer(image.colors, np.uint8).reshape(GRID, GRID, 3)[covered])
    choices = [first + step for step in range(len(PALETTE))]
    colors = oklab(np.array([color_rgb(choice) for choice in choices], np.uint8))
    apart = np.linalg.norm(colors[:, None] - below[None], axis=2).mean(axis=1)
    counts = Counter(color % len(PALETTE) for color in used)
    visible = [choice for choice, distance in zip(choices, apart, strict=True) if distance >= DISTINCT]
    return min(visible, key=lambda choice: counts[choice % len(PALETTE)], default=choices[int(np.argmax(apart))])


def covered_cells(mask_hw: NDArray[np.bool_], window: WindowXyxy, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which cells of the grid a mask touches, (GRID, GRID) bool.

    Args:
        mask_hw: (h, w) bool on a grid over the window.
        window: the part of the picture that it is of.
        size_hw: height and width of the picture.
    """
    height, width = mask_hw.shape
    # The cell of each row and column, in whole numbers: pixels of the picture times the sides of the mask.
    y = window[1] * height + np.arange(height) * (window[3] - window[1])
    x = window[0] * width + np.arange(width) * (window[2] - window[0])
    cell_of_row, cell_of_column = y * GRID // (height * size_hw[0]), x * GRID // (width * size_hw[1])
    # Those of one cell lie side by side, so that each cell's are put together at once.
    rows, first_rows = np.unique(cell_of_row, return_index=True)
    columns, first_columns = np.unique(cell_of_column, return_index=True)
    touched = np.logical_or.reduceat(np.logical_or.reduceat(mask_hw, first_rows, axis=0), first_columns, axis=1)
    cells: NDArray[np.bool_] = np.zeros((GRID, GRID), np.bool_)
    cells[np.ix_(rows, columns)] = touched
    return cells


def oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return colours in OKLab, (n, 3) of lightness 0 to 1 and two of hue, from (n, 3) sRGB."""
    share = rgb / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ np.array(LMS).T) @ np.array(OKLAB).T, np.float64)
