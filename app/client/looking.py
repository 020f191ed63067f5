"""What the server sees of a picture without a prompt: a part of it by itself, and the things in it."""

from __future__ import annotations

from typing import Final, cast

from app.client.by_hand import ByHand, finite
from app.client.pending_requests import UNNUMBERED
from app.client.reconnecting import ReconnectingSession
from app.client.record import Recorder
from app.protocol import messages as m
from app.protocol.fields import BoxXyxy, WindowXyxy
from app.protocol.messages import Region, Regions, Window

CLOSE_UP: Final = 1e3
"""Pixels of a screen for one of the picture: at this scale nothing but a window is sharp."""


class Looking(ByHand):
    """The part of a session that looks."""

    _reconnecting: ReconnectingSession
    _recorder: Recorder

    async def look(self, view: BoxXyxy | None = None, *, scale: float = CLOSE_UP) -> WindowXyxy | None:
        """Have the model see a part of the picture by itself, at its full input size, and return that part.

        From now on prompts are answered in it, or in a larger one where it hasn't all of an object: small things come
        out sharp. Each object's masks and trail say which.

        Args:
            view: `(x0, y0, x1, y1)` that is looked at, in pixels of the picture; None looks at all of it again.
            scale: pixels of a screen for one of the picture; where all of it is sharp enough for that, it stays so.

        Returns:
            The window `(x0, y0, x1, y1)`, somewhat larger than the view; None for the whole picture.
        """
        self._window = None
        if view is None:
            self._recorder.note_whole()
        else:
            asked = m.Look(seq=UNNUMBERED, view=cast("BoxXyxy", tuple(map(finite, view))), scale=finite(scale))
            self._window = (await self._ask(asked, Window, timeout_s=self._reconnecting.timeouts.open_s)).window
        return self._window

    async def regions(self) -> tuple[Region, ...]:
        """Return the things of the picture, the best first, each with its click: point, candidate and `mask.window`.

        The server looks while nobody needs its model, so that takes seconds, and longer where others are at work.
        """
        asked = m.FindRegions(seq=UNNUMBERED)
        return (await self._ask(asked, Regions, timeout_s=self._reconnecting.timeouts.open_s)).regions
