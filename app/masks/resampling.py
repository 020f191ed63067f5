"""Logits of one part of a picture as those of another: what a step goes on from where another window answers it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.arrays import Logits
from app.protocol.fields import WindowXyxy

OUTSIDE: Final = -8.0
"""Logit of what the model hasn't seen: background, as sure as a given mask is of its own."""


def resampled(logits: Logits, own: WindowXyxy, other: WindowXyxy) -> Logits:
    """Return logits over one window as logits over another, (h, w) float32 like they were.

    Each cell takes the mean of those that it covers, or lies between; what the first window hasn't is `OUTSIDE`.

    Args:
        logits: (h, w) float32 over `own`.
        own: in pixels of the picture.
        other: the same.
    """
    height, width = logits.shape
    down = weights(height, (own[1], own[3]), (other[1], other[3]))
    across = weights(width, (own[0], own[2]), (other[0], other[2]))
    above = logits.astype(np.float64) - OUTSIDE
    return (down @ above @ across.T + OUTSIDE).astype(np.float32)


def weights(cells: int, own: tuple[int, int], other: tuple[int, int]) -> NDArray[np.float64]:
    """Return what each cell of one stretch has of each of another, (cells, cells) float64: 1 in sum, 0 outside of it.

    Args:
        cells: of both.
        own: first and last edge of the stretch whose values are known.
        other: those of the stretch whose values are wanted.
    """
    own_cell, other_cell = (own[1] - own[0]) / cells, (other[1] - other[0]) / cells
    middles = own[0] + (np.arange(cells) + 0.5) * own_cell
    wanted = other[0] + (np.arange(cells) + 0.5) * other_cell
    inside = (wanted >= own[0]) & (wanted <= own[1])
    places = wanted.clip(middles[0], middles[-1])
    near = 1 - np.abs(places[:, None] - middles[None]) / max(own_cell, other_cell)
    shares: NDArray[np.float64] = near.clip(0, None)
    shares /= shares.sum(axis=1, keepdims=True)
    shares[~inside] = 0
    return shares
