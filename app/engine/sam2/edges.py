"""Rims that follow the picture's own edges, for a model whose logit grid is coarser than SAM 2.1's.

A cell of such a grid takes in several pixels, and a mask's rim runs through it in steps. Inside a small window, what is
on an object and what isn't mostly differ in colour. So the logits of a window are taken for a linear function of its
colours, and the cell in its middle gets what that function says of its own colour: the local model of the guided
filter (K. He, J. Sun, X. Tang: Guided Image Filtering, TPAMI 2013, section 3). A least squares fit is linear in what
is fitted, so whatever depends on the picture alone is worked out once. NumPy only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.arrays import Logits
from app.engine.contract import Candidates
from app.engine.sam2.selection import clipped

FINE_SIDE: Final = 256
"""SAM 2.1's logit grid: a model that has it is left as it is."""
REACH: Final = 3
"""Cells of a window on each side of its middle."""
WINDOW: Final = 2 * REACH + 1
LEAST_VARIANCE: Final = 0.002
"""Added to the variance of each channel, in the model's own units: it is that of some three grey levels of 255."""
SURE: Final = 1.0
"""Logits beyond it count as this one, so that a rim isn't drawn by how sure the model is far from it."""
LEAST: Final = np.float32(1e-6)
"""Nothing is divided by less."""

Maps = NDArray[np.float32]


class EdgeGuide(NamedTuple):
    """What the colours of a picture say of its logits, on the logit grid.

    Attributes:
        colours: (3, h, w) float32, as the model reads them.
        weights: (3, h, w) float32, of a window's means of logit times colour.
        rest: (h, w) float32, of a window's mean of the logits.
    """

    colours: Maps
    weights: Maps
    rest: Maps

    @property
    def nbytes(self) -> int:
        """Bytes that it holds in memory."""
        return self.colours.nbytes + self.weights.nbytes + self.rest.nbytes


def edge_guide(pixels: Maps, side: int) -> EdgeGuide | None:
    """Return the guide of a picture, or None where the model's own grid is fine enough.

    Args:
        pixels: (1, 3, S, S) float32, what the model reads.
        side: of its logit grid, a divisor of S.
    """
    if side >= FINE_SIDE:
        return None
    step = pixels.shape[2] // side
    colours: Maps = pixels[0].reshape(3, side, step, side, step).sum(2).sum(3) * np.float32(1 / step**2)
    mean = window_means(colours)
    rows = [window_means(colours * colours[channel]) - mean * mean[channel] for channel in range(3)]
    for channel, row in enumerate(rows):
        row[channel] += LEAST_VARIANCE
    weights = solved(rows, colours - mean)
    return EdgeGuide(colours, weights, 1 - (weights * mean).sum(0))


def solved(rows: list[Maps], right: Maps) -> Maps:
    """Return the solution of a symmetric system of three equations in each cell, by Cramer's rule.

    Args:
        rows: three of (3, h, w), those of the matrix.
        right: (3, h, w), the right side.
    """
    minors = [np.cross(rows[one - 2], rows[one - 1], axis=0) for one in range(3)]
    determinant = (rows[0] * minors[0]).sum(0)
    solution: Maps = sum(minor * part for minor, part in zip(minors, right, strict=True)) / determinant
    return solution


def along_edges(found: Candidates, guide: EdgeGuide | None) -> Candidates:
    """Return candidates whose rims follow the edges of the picture; as they are where there is no guide.

    Args:
        found: (K, h, w) logits, and scores, which stay.
        guide: the picture's.
    """
    if guide is None:
        return found
    return clipped(np.stack([guided(logits, guide) for logits in found.logits]), found.scores)


def guided(logits: Logits, guide: EdgeGuide) -> Logits:
    """Return logits (h, w) with the signs that the fit gives them, far from a rim no smaller than before.

    As many cells as before lie within `SURE` of 0, since that is what a mask's stability is told by.
    """
    kept = np.clip(logits, -SURE, SURE)
    means = window_means(np.concatenate([kept[None], kept * guide.colours]))
    fitted = guide.rest * means[0] + (guide.weights * means[1:]).sum(0)
    result: Logits = fitted * np.maximum(np.abs(logits), SURE)
    unsure = int(np.count_nonzero(np.abs(logits) < SURE))
    sizes = np.abs(result)
    small = sizes[sizes < SURE]
    if 0 < unsure < small.size:
        result *= np.float32(SURE) / max(np.partition(small, unsure - 1)[unsure - 1], LEAST)
    return result


def window_means(maps: Maps) -> Maps:
    """Return the mean of the window around every cell of maps (K, h, w); beyond the rim its cells go on."""
    height, width = maps.shape[1:]
    down = np.pad(maps, ((0, 0), (REACH, REACH), (0, 0)), "edge")
    summed = sum_of([down[:, first : first + height] for first in range(WINDOW)])
    across = np.pad(summed, ((0, 0), (0, 0), (REACH, REACH)), "edge")
    return sum_of([across[:, :, first : first + width] for first in range(WINDOW)]) * np.float32(1 / WINDOW**2)


def sum_of(parts: list[Maps]) -> Maps:
    """Return the sum of arrays of one shape, in the order in which they come."""
    total = parts[0] + parts[1]
    for part in parts[2:]:
        total += part
    return total
