"""Masks that no model is asked about: given ones, those changed by hand, and what several objects are together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from app.engine.contract import Candidates
from app.errors import BadMessageError, Reason, UnknownObjectError
from app.masks.given import heart_of, together
from app.masks.packing import unpack_logits
from app.masks.strokes import stroke_mask
from app.masks.upsampling import area_px, grid_of
from app.protocol.counts import counts_of
from app.protocol.fields import SetOperation
from app.protocol.frames import in_frame
from app.protocol.recipe import MaskStep, StrokeStep
from app.protocol.run_lengths import decode_mask, encode_mask, scale_mask
from app.protocol.values import Mask
from app.protocol.windows import size_of, whole
from app.service.answers import given_mask, native_mask, object_answer, touched
from app.service.windows import grid_like, reach
from app.session.objects import Answer, SessionObject
from app.session.query import Query

GIVEN_SCORE: Final = 1.0
"""Score of a mask that no model has judged."""
MOST_GROWN: Final = 3.0
"""Of an object with what was painted: a click that makes it larger than so many times took something else."""
MOST_GROWN_APART: Final = 1.75
"""The same where the stroke is further from the object than it is wide."""
LEAST_KEPT: Final = 0.4
"""Of an object with what was painted: so much of it a click about it leaves."""
LEAST_LEFT: Final = 0.05
"""Of an object without what was erased: a click about what is too much often takes most of it away, and rightly."""
COMPARED_SIDE: Final = 256
"""Cells of the grid on which an object is compared before and after."""


def by_hand(query: Query, size_hw: tuple[int, int], speck_share: float) -> Answer:
    """Return the answer to a query that the engine isn't asked about: a given mask, or one that was changed by hand.

    Args:
        query: one without a decode left.
        size_hw: height and width of the picture.
        speck_share: of the picture, up to which specks and holes of a model's mask are left out.

    Raises:
        UnknownObjectError: it is to show a candidate that there isn't.
    """
    subject, kept = query.subject, query.kept
    if kept is not None and subject.prompts:
        logits = np.stack([unpack_logits(packed) for packed in kept.memory])
        scores = np.array([mask.score for mask in kept.masks], np.float32)
        return object_answer(Candidates(logits, scores), size_hw, speck_share, subject)
    mask_hw = scale_mask(given_mask(subject, size_hw), grid_of(size_hw))
    mask = encode_mask(mask_hw, score=GIVEN_SCORE, area=area_px(mask_hw, size_hw))
    return Answer((touched(mask, subject, size_hw),), (b"",), 0)


def combined(
    items: Sequence[SessionObject], operation: SetOperation, size_hw: tuple[int, int], speck_share: float
) -> MaskStep:
    """Return the union, difference or intersection of objects at the picture's size, as a given mask.

    Raises:
        UnknownObjectError: an object has no mask.
        BadMessageError: nothing is left.
    """
    masks = []
    for item in items:
        if item.answer is None:
            raise UnknownObjectError(Reason("object_bare", "object {id} has no mask; click it again", id=item.id))
        masks.append(native_mask(item, item.answer, size_hw, speck_share))
    mask_hw = together(masks, operation)
    if not mask_hw.any():
        raise BadMessageError(
            Reason(
                f"{operation}_empty",
                "nothing is left of the {operation} of these objects; nothing was changed",
                operation=operation,
            )
        )
    return MaskStep(size=size_hw, counts=counts_of(mask_hw))


def click_of(item: SessionObject, stroke: StrokeStep, size_hw: tuple[int, int]) -> tuple[float, float] | None:
    """Return the place where a stroke is to click: the heart of what it changes; None where that is nothing.

    A click in the largest patch that a dab changes gains more than the dab's own pixels: from an IoU of 0.698 these
    lead to 0.751, both together to 0.802 (`python -m app nano dabs`, n 435, drawn scenes).

    Args:
        item: the object.
        stroke: in pixels of the picture.
        size_hw: height and width of the picture.
    """
    if item.answer is None:
        return None
    mask = item.shown[item.chosen]
    own = mask.window or whole(size_hw)
    frame = reach(own, [stroke], size_hw)
    grid_hw = grid_like(mask.size, own, frame)
    mask_hw = in_frame(decode_mask(mask), own, frame, grid_hw)
    path = tuple((x - frame[0], y - frame[1]) for x, y in stroke.path)
    under = stroke_mask(path, stroke.radius, size_of(frame), grid_hw)
    heart = heart_of(under & ~mask_hw if stroke.label else under & mask_hw)
    if heart is None:
        return None
    height, width = size_of(frame)
    return frame[0] + heart[0] * width / grid_hw[1], frame[1] + heart[1] * height / grid_hw[0]


def strays(item: SessionObject, after: Mask, stroke: StrokeStep, size_hw: tuple[int, int]) -> bool:
    """Return whether a stroke's click has made another thing of an object than the stroke was about.

    Far from a small thing a click takes the ground: it leaves an IoU of 0.261 where a dab leaves 0.786 (n 236). Where a
    mask is wrong, a dab as wide as the error gives 0.802 and a click there 0.794 (n 435); after a correction these are
    0.810 and 0.802 (n 384). `python -m app nano dabs` prints them.

    Args:
        item: the object before.
        after: its mask with the click and the stroke.
        stroke: in pixels of the picture.
        size_hw: height and width of the picture.
    """
    grid_hw = grid_of(size_hw, COMPARED_SIDE)
    before_hw, after_hw = (
        in_frame(decode_mask(mask), mask.window or whole(size_hw), whole(size_hw), grid_hw)
        for mask in (item.shown[item.chosen], after)
    )
    under = stroke_mask(stroke.path, stroke.radius, size_hw, grid_hw)
    near = stroke_mask(stroke.path, 2 * stroke.radius, size_hw, grid_hw)
    wanted = before_hw | under if stroke.label else before_hw & ~under
    most = MOST_GROWN if (near & before_hw).any() else MOST_GROWN_APART
    cells, kept, all_cells = (int(np.count_nonzero(mask)) for mask in (wanted, wanted & after_hw, after_hw))
    least = LEAST_KEPT if stroke.label else LEAST_LEFT
    return kept < least * cells or all_cells > most * max(1, cells)
