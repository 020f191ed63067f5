"""The newest hover of one session: put there by the event loop, taken by the device's thread once it is free.

So a hover that was overtaken while it waited for the device is never decoded, and the thread looks at nothing else of
the session.
"""

from __future__ import annotations

import threading

from app.protocol.fields import WindowXyxy
from app.session.query import HoverQuery
from app.session.values import OpenImage


class HoverSlot:
    """Room for one hover. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hover: HoverQuery | None = None

    @property
    def seq(self) -> int | None:
        """Number of the hover that waits, None where none does."""
        hover = self._hover
        return None if hover is None else hover.query.seq

    def put(self, hover: HoverQuery) -> bool:
        """Keep a hover in the place of the one before; return whether there was one, which nobody will answer."""
        with self._lock:
            overtaken, self._hover = self._hover is not None, hover
            return overtaken

    def peek(self, image: OpenImage, model: str) -> HoverQuery | None:
        """Return the hover, if it asks this model about this picture."""
        hover = self._hover
        return hover if hover is not None and hover.image is image and hover.model == model else None

    def take(self, image: OpenImage, model: str, window: WindowXyxy | None = None) -> HoverQuery | None:
        """Take the hover out, if it asks this model about this part of this picture; another stays for its turn."""
        with self._lock:
            hover = self.peek(image, model)
            if hover is None or hover.window != window:
                return None
            self._hover = None
            return hover

    def drop(self) -> HoverQuery | None:
        """Take the hover out, whatever it asks."""
        with self._lock:
            hover, self._hover = self._hover, None
            return hover
