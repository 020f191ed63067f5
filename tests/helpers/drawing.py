"""Files whose masks are drawn when a test lets them."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from app.arrays import MaskArray
from app.exports.selection import ExportObject, Selection
from app.pictures import PictureLimits
from app.service.exporter import Exporter
from app.service.picture_store import PictureStore
from tests.helpers.export_readers import selection
from tests.helpers.limits import shrunk

MASK = np.ones((4, 5), np.bool_)


DEADLINE_S = 20.0


class DrawGate:
    """A mask that is drawn when the test lets it."""

    def __init__(self) -> None:
        self.begun, self.opened = threading.Event(), threading.Event()

    def draw(self) -> MaskArray:
        self.begun.set()
        assert self.opened.wait(DEADLINE_S)
        return MASK


def exporter(**changes: float) -> Exporter:
    limits = shrunk(**changes).service
    return Exporter(PictureStore(PictureLimits(2**20, 2**20), 2**20, limits), 2**20, 0.001, limits)


def drawn_by(*draws: object) -> Selection:
    chosen = selection(*[MASK] * len(draws))
    return replace(
        chosen,
        objects=tuple(
            ExportObject(shown.item, shown.score, draw)  # type: ignore[arg-type]
            for shown, draw in zip(chosen.objects, draws, strict=True)
        ),
    )
