"""A reader of pictures that a test holds up."""

from __future__ import annotations

import threading

from app.pictures import Picture, PictureLimits, read_picture

LONG_S = 20.0


class SlowReading:
    """Stands in for `read_picture`: begins, and ends when it may."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self, data: bytes, limits: PictureLimits) -> Picture:
        self.begun.set()
        assert self.open.wait(LONG_S)
        return read_picture(data, limits)
