"""What one client has asked for and the workers haven't done yet: changes in order, and the newest hover."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Final

from app.errors import BusyError, HoverError
from app.protocol.messages import Export, Hover, Model, Open
from app.realtime.flag import Flag
from app.session.session import Change, HoverQuery, Session
from app.session.values import OpenImage

BUSY_RETRY_S: Final = 0.5
"""A few changes are made in it, so that there is room by then."""


class Inbox:
    """Filled by the reader, emptied by the workers.

    Attributes:
        hover_came: set when there is a hover to answer.
        opening: number of pictures that were asked for and aren't ready.
    """

    def __init__(self, max_changes: int) -> None:
        self._max_changes = max_changes
        self._changes: deque[Change | Open | Model | Export] = deque()
        self._change_came = Flag()
        self._hover: deque[HoverQuery] = deque(maxlen=1)  # put here by the loop, taken by the device's thread
        self._left_seq = -1
        self._at_work = self._draining = False
        self._at_rest: asyncio.Future[None] | None = None
        self.hover_came = Flag()
        self.opening = 0

    def put_change(self, message: Change | Open | Model | Export) -> None:
        """Queue a change.

        Raises:
            BusyError: as many wait as may.
        """
        if len(self._changes) >= self._max_changes:
            raise BusyError(
                f"{self._max_changes} changes of this session wait already; send it again", retry_after_s=BUSY_RETRY_S
            )
        self._changes.append(message)
        self._change_came.set()
        self.opening += isinstance(message, Open)

    async def next_change(self) -> Change | Open | Model | Export:
        """Return the oldest change, once there is one and unless no more are to be made; the one before is done."""
        self._at_work = False
        if self._at_rest is not None and not self._at_rest.done():
            self._at_rest.set_result(None)
        while self._draining or not self._changes:  # what waits is asked again of the next server
            self._change_came.clear()
            await self._change_came.wait()
        self._at_work = True
        return self._changes.popleft()

    async def drain(self) -> None:
        """Let no further change begin, and return once the one at hand is made."""
        self._draining = True
        if self._at_work:
            self._at_rest = asyncio.get_running_loop().create_future()
            await self._at_rest

    def put_hover(self, hover: HoverQuery) -> bool:
        """Keep a hover in the place of the one before; return whether there was one, which nobody will answer."""
        overtaken = bool(self._hover)
        self._hover.append(hover)
        self.hover_came.set()
        return overtaken

    def leave(self, seq: int) -> None:
        """Forget the hover: the pointer has left, and nothing asked before `seq` is to be shown."""
        self._left_seq = seq
        self.drop_hover()

    def drop_hover(self) -> None:
        """Forget the hover."""
        self._hover.clear()

    def ask_again(self, session: Session, hover: HoverQuery | None = None) -> None:
        """Ask the model that answers now what another was asked.

        Args:
            session: whose model is another.
            hover: what was asked; nothing happens where the pointer has asked or left since. None for the one that
                waits.
        """
        with contextlib.suppress(IndexError, HoverError):  # an object that is gone has nothing to show
            if hover is None:
                hover = self._hover.pop()
            elif self._hover or not self.still_wanted(hover):
                return
            *_, (_, _, label) = hover.query.subject.points
            again = Hover(seq=hover.query.seq, x=hover.x, y=hover.y, label=label, object=hover.object)
            self.put_hover(session.hover(again))

    def hover_seq(self) -> int | None:
        """Return the number of the hover that waits, or None."""
        return self._hover[0].query.seq if self._hover else None

    def take_hover(self, session: Session, image: OpenImage) -> HoverQuery | None:
        """Return the newest hover, at the moment of decoding and in the device's thread; None where it has gone.

        A hover on the next picture isn't for this one.
        """
        with contextlib.suppress(IndexError):
            return self._hover.pop() if session.image is image else None
        return None

    def still_wanted(self, hover: HoverQuery) -> bool:
        """Return whether the pointer hasn't left since."""
        return hover.query.seq > self._left_seq
