"""What one dab of the brush gains beside one click, where a mask is wrong, and what a dab far from a thing does to it.

A smart dab paints or erases and clicks besides, unless that makes another thing of the object (`app/service/by_hand`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from app.arrays import MaskArray
from app.engine.contract import Embedding, Engine
from app.masks.strokes import stroke_mask
from app.nano.prompts import deepest, inner_point, iou
from app.nano.scenes import Scene
from app.protocol.recipe import PointStep, StrokeStep
from app.protocol.run_lengths import decode_mask
from app.service.answers import Replay, decodes_left, object_answer
from app.service.by_hand import by_hand, click_of, strays
from app.session.objects import SessionObject
from app.session.query import Query

SPECK_SHARE: Final = 0.001
"""Specks and holes up to this share of a picture are left out, as a server does that nobody has told otherwise."""
LEAST_PX: Final = 2.0
"""Depth of an error, in pixels, from which on a person corrects it."""
SMALL_SHARE: Final = 0.03
"""A small thing has at most this share of its picture."""
FAR_SHARE: Final = 0.15
"""Of the picture's longer side: so far from a small thing a dab is tried."""
DAB_SHARE: Final = 0.02
"""The radius of that dab, as a share of the picture's longer side."""
SITUATIONS: Final = ("the first mask", "after a correction", "far from a small thing")
Array = NDArray[Any]


@dataclass
class Dabs:
    """IoU with the truth by situation: before, with one click, with one smart dab, and with its pixels alone."""

    rows: defaultdict[str, list[tuple[float, float, float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, engine: Engine, scene: Scene, rng: np.random.Generator) -> None:
        """Correct each thing of a scene once by a click and once by a dab."""
        embedding = engine.encode(scene.image)
        for truth in scene.masks:
            picture = Dabbed(engine, embedding, truth.shape[:2])
            x, y = inner_point(truth)
            item = picture.answered(SessionObject(1, "", 0, (PointStep(x=x, y=y, label=1),)))
            for situation in SITUATIONS[:2]:
                wrong = deepest_error(picture.mask(item), truth)
                if wrong is None:
                    break
                item = self._tried(situation, picture, item, wrong, truth)
            place = far_place(rng, truth)
            if place is not None:
                self._tried(SITUATIONS[2], picture, item, place, truth | picture.under(place))

    def _tried(
        self, situation: str, picture: Dabbed, item: SessionObject, stroke: StrokeStep, truth: MaskArray
    ) -> SessionObject:
        """Note what a click and a dab at one place give; return the object with the click."""
        clicked = picture.answered(item.with_step(click_like(stroke)))
        masks = (item, clicked, picture.dabbed(item, stroke), picture.answered(item.with_step(stroke)))
        before, click, dab, pixels = (iou(picture.mask(each), truth) for each in masks)
        self.rows[situation].append((before, click, dab, pixels))
        return clicked

    def table(self) -> str:
        """Return the figures as a Markdown table, with the half width of the 95 % interval of the paired difference."""
        head = [
            "|  | before | one click | one smart dab | its pixels alone | dab less click | n |",
            "|---|" + "---|" * 6,
        ]
        return "\n".join([*head, *(line_of(name, np.array(self.rows[name])) for name in SITUATIONS if self.rows[name])])


def line_of(name: str, rows: Array) -> str:
    """Return a line of the table; `rows` is (n, 4): before, click, dab, pixels alone."""
    means, paired = rows.mean(0), rows[:, 2] - rows[:, 1]
    half = 1.96 * float(paired.std()) / len(rows) ** 0.5
    figures = " | ".join(f"{mean:.3f}" for mean in means)
    return f"| {name} | {figures} | {paired.mean():+.3f} ± {half:.3f} | {len(rows)} |"


@dataclass(frozen=True)
class Dabbed:
    """A picture on which objects are corrected, as a session does it.

    Attributes:
        engine: what answers.
        embedding: of the picture.
        size_hw: its height and width.
    """

    engine: Engine
    embedding: Embedding
    size_hw: tuple[int, int]

    def answered(self, item: SessionObject) -> SessionObject:
        """Return an object with the answer to all of its trail."""
        query = Query(0, item)
        if not decodes_left(query):
            return item.answered(by_hand(query, self.size_hw, SPECK_SHARE))
        found = Replay(query, self.size_hw, self.engine, self.embedding).all()
        return item.answered(object_answer(found, self.size_hw, SPECK_SHARE, item))

    def dabbed(self, item: SessionObject, stroke: StrokeStep) -> SessionObject:
        """Return an object after a smart dab."""
        place = click_of(item, stroke, self.size_hw)
        if place is not None:
            x, y = place
            smart = self.answered(item.with_step(PointStep(x=x, y=y, label=stroke.label)).with_step(stroke))
            if not strays(item, smart.shown[smart.chosen], stroke, self.size_hw):
                return smart
        return self.answered(item.with_step(stroke))

    def mask(self, item: SessionObject) -> MaskArray:
        """Return the mask that is shown, (height, width) bool."""
        return decode_mask(item.shown[item.chosen])

    def under(self, stroke: StrokeStep) -> MaskArray:
        """Return what a stroke covers, (height, width) bool."""
        return stroke_mask(stroke.path, stroke.radius, self.size_hw, self.size_hw)


def click_like(stroke: StrokeStep) -> PointStep:
    """Return the click where a dab is."""
    [(x, y)] = stroke.path
    return PointStep(x=x, y=y, label=stroke.label)


def deepest_error(mask: MaskArray, truth: MaskArray) -> StrokeStep | None:
    """Return a dab as wide as the deepest error of a mask, at its heart; None where nobody would correct it."""
    return max(errors(mask, truth), key=lambda dab: dab.radius, default=None)


def errors(mask: MaskArray, truth: MaskArray) -> Iterator[StrokeStep]:
    """Yield a dab in what is missing and one in what is too much, where these are deep enough."""
    for label, wrong in ((1, truth & ~mask), (0, mask & ~truth)):
        heart, depth_px = deepest(wrong)
        if depth_px >= LEAST_PX:
            yield StrokeStep(path=(heart,), radius=depth_px, label=label)


def far_place(rng: np.random.Generator, truth: MaskArray) -> StrokeStep | None:
    """Return a dab of the brush anywhere far from a small thing; None where the thing is large or fills the picture."""
    side = max(truth.shape)
    away = cv2.distanceTransform((~truth).astype(np.uint8), cv2.DIST_L2, 5) > FAR_SHARE * side
    places = np.flatnonzero(away)
    if truth.mean() > SMALL_SHARE or not len(places):
        return None
    y, x = divmod(int(rng.choice(places)), truth.shape[1])
    return StrokeStep(path=((x + 0.5, y + 0.5),), radius=DAB_SHARE * side, label=1)
