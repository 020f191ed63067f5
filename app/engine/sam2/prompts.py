"""From prompts to what SAM 2.1 reads: tokens in the frame of its input, in batches of equal shape. NumPy only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.contract import Prompt

BOX_LABELS = (2, 3)
"""SAM 2.1's labels of a box's top-left and bottom-right corner."""


class Tokens(NamedTuple):
    """The points of B prompts of equal shape.

    Attributes:
        coords_xy: (B, N, 2) float32, in pixels of the model's square input.
        labels: (B, N) int32: 1 on the object, 0 off it, 2 and 3 the corners of a box.
    """

    coords_xy: NDArray[np.float32]
    labels: NDArray[np.int32]


class Shape(NamedTuple):
    """What two prompts must share to be decoded in one batch."""

    tokens: int
    refines: bool
    multimask: bool


def shape_of(prompt: Prompt) -> Shape:
    """Return the shape of a prompt.

    Raises:
        ValueError: the prompt has neither point nor box, or not one label for each point.
    """
    if len(prompt.points_xy) != len(prompt.labels):
        raise ValueError(
            f"a prompt needs one label for each point, got {len(prompt.points_xy)} points and "
            f"{len(prompt.labels)} labels"
        )
    count = len(prompt.points_xy) + (0 if prompt.box_xyxy is None else len(BOX_LABELS))
    if count == 0:
        raise ValueError("a prompt needs a point or a box, got neither")
    return Shape(count, prompt.mask_logits is not None, prompt.multimask)


def batches(prompts: list[Prompt], limit: int) -> list[list[int]]:
    """Return the indices of the prompts in batches of equal shape, at most `limit` in each.

    Raises:
        ValueError: there is no prompt, or one is malformed.
    """
    if not prompts:
        raise ValueError("decode needs at least one prompt, got none")
    groups: dict[Shape, list[int]] = {}
    for index, prompt in enumerate(prompts):
        groups.setdefault(shape_of(prompt), []).append(index)
    return [group[start : start + limit] for group in groups.values() for start in range(0, len(group), limit)]


def tokens(prompts: list[Prompt], size_hw: tuple[int, int], input_size: int) -> Tokens:
    """Return the tokens of prompts of equal shape.

    Args:
        prompts: B prompts of equal `Shape`, in pixels of the image.
        size_hw: height and width of the image.
        input_size: side of the model's square input in pixels.
    """
    height, width = size_hw
    corners = [_corners(prompt) + prompt.points_xy for prompt in prompts]
    labels = [(() if prompt.box_xyxy is None else BOX_LABELS) + prompt.labels for prompt in prompts]
    coords_xy = np.array(corners, np.float32) / np.array([width, height], np.float32) * np.float32(input_size)
    return Tokens(coords_xy.astype(np.float32, copy=False), np.array(labels, np.int32))


def stacked_mask_logits(prompts: list[Prompt], size_hw: tuple[int, int]) -> NDArray[np.float32] | None:
    """Return the logits to refine, (B, 1, h, w) float32, or None where prompts of this shape have none.

    Args:
        prompts: B prompts of equal `Shape`.
        size_hw: the logit grid of the model.

    Raises:
        ValueError: logits of another grid, such as those of another model.
    """
    grids = [prompt.mask_logits for prompt in prompts if prompt.mask_logits is not None]
    if not grids:
        return None
    for grid in grids:
        if grid.shape != size_hw:
            raise ValueError(
                f"mask_logits must be {size_hw[0]} x {size_hw[1]}, the logit grid of this model, got {grid.shape}"
            )
    return np.stack(grids)[:, None].astype(np.float32)


def _corners(prompt: Prompt) -> tuple[tuple[float, float], ...]:
    if prompt.box_xyxy is None:
        return ()
    x0, y0, x1, y1 = prompt.box_xyxy
    return ((x0, y0), (x1, y1))
