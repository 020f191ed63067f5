"""Prompt tokens by NumPy: what sam2's prompt encoder makes of points, as a small table and one matrix product.

Kept outside of compiled graphs: a position in pixels needs float32, whatever precision the graph has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.engine.sam2.stored_table import StoredTable

Table = NDArray[np.float32]
PADDING_SCORE: Final = -1e4
"""Added to the score of a token that is padding: its share is 0 in float32 and in bfloat16."""


@dataclass(frozen=True, eq=False)
class PromptTable(StoredTable):
    """The learned values behind prompt tokens, C channels each.

    Attributes:
        outputs: (6, C), the tokens of object presence, predicted IoU and four masks.
        labels: (4, C), the codes of labels 0 to 3: off, on, top-left and bottom-right corner of a box.
        no_point: (1, C), the code of the token that ends every prompt.
        frequencies: (2, C / 2), of the random Fourier code of positions (Tancik et al. 2020, arXiv:2006.10739).
        no_mask: (C,), what tokens of a picture have besides its own features, since no mask was given.
        input_size: (1,), side of the model's square input in pixels.
    """

    outputs: Table
    labels: Table
    no_point: Table
    frequencies: Table
    no_mask: Table
    input_size: Table

    @property
    def extra(self) -> int:
        """Tokens that every prompt has beside its points and corners."""
        return len(self.outputs) + len(self.no_point)

    def tokens(self, coords_xy: Table, labels: NDArray[np.int32]) -> Table:
        """Return the tokens of B prompts, (B, 6 + N + 1, C) float32.

        Args:
            coords_xy: (B, N, 2) in pixels of the model's input, origin top-left.
            labels: (B, N), 0 to 3.
        """
        batch = len(coords_xy)
        place = (coords_xy + np.float32(0.5)) / self.input_size * 2 - 1  # sam2 means the pixel's centre
        angle = np.float32(2 * np.pi) * (place @ self.frequencies)
        points = np.concatenate([np.sin(angle), np.cos(angle)], -1) + self.labels[labels]
        outputs, last = (np.broadcast_to(part, (batch, *part.shape)) for part in (self.outputs, self.no_point))
        result: Table = np.concatenate([outputs, points, last], 1).astype(np.float32)
        return result

    def nothing(self) -> Table:
        """Return the tokens of a frame on which nobody pointed at anything, (1, 8, C) float32."""
        return np.concatenate([self.outputs, self.no_point, self.no_point])[None].astype(np.float32)


def padded(tokens: Table, size: int) -> tuple[Table, Table]:
    """Return tokens (B, T, C) filled up to (B, size, C), and what tells padding apart, (B, 1, size).

    Raises:
        ValueError: there are more than `size` tokens.
    """
    batch, count, width = tokens.shape
    if count > size:
        raise ValueError(f"expected at most {size} tokens, got {count}")
    filled, score = np.zeros((batch, size, width), np.float32), np.zeros((batch, 1, size), np.float32)
    filled[:, :count] = tokens
    score[:, :, count:] = PADDING_SCORE
    return filled, score
