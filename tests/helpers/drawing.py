"""Files whose masks are drawn when a test lets them."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from app.arrays import MaskArray
from app.exports.selection import ExportObject, Selection
from app.pictures import PictureLimits
from app.protocol.values import ExportOptions
from app.service.clip_exports import ClipDraft
from app.service.clip_store import ClipStore
from app.service.exporter import Exporter
from app.service.picture_store import PictureStore
from app.service.sources import Sources
from app.session.classes import ClassList
from app.session.objects import SessionObject
from app.session.values import OpenClip
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
    limits = shrunk(**changes)
    pictures = PictureStore(PictureLimits(2**20, 2**20), 2**20, limits.service)
    return Exporter(Sources(pictures, ClipStore(limits.clip, limits.service)), 2**20, 0.001, limits.service)


def clip_drawn_by(*draws: object) -> ClipDraft:
    """Return a clip of an object whose mask is drawn by another of these on each frame."""
    clip = OpenClip(f"clip-{'0' * 32}", 5, 4, tuple(index / 10 for index in range(len(draws))), len(draws) / 10)
    item = SessionObject(id=1, name="", color=0)
    shown = {index: (ExportObject(item, 1.0, draw),) for index, draw in enumerate(draws)}  # type: ignore[arg-type]
    return ClipDraft("mask", clip, "walk.mp4", "nano", (item,), shown, ClassList(), ExportOptions())


def drawn_by(*draws: object) -> Selection:
    chosen = selection(*[MASK] * len(draws))
    return replace(
        chosen,
        objects=tuple(
            ExportObject(shown.item, shown.score, draw)  # type: ignore[arg-type]
            for shown, draw in zip(chosen.objects, draws, strict=True)
        ),
    )
