"""Has the part of the picture that one session looks at encoded by itself, behind all that anybody waits for."""

from __future__ import annotations

from collections.abc import AsyncIterator

from app.protocol.fields import WindowXyxy
from app.protocol.messages import Look, Window
from app.protocol.windows import seen
from app.realtime.aside import Aside
from app.session.checks import check_box
from app.session.values import OpenImage


class LookOut(Aside[Look]):
    """Answers a look with the window in which it is seen sharp, once that is encoded, and as often as that is lost."""

    _told: tuple[Look, WindowXyxy] | None = None
    """The look whose window is there, as far as the client knows."""

    def drop(self) -> None:
        """Give up a question, since another picture or model comes, and forget the one that was answered."""
        self._told = None
        super().drop()

    def lost(self, window: WindowXyxy) -> None:
        """Say that a window which a hover named isn't encoded any more, and have it encoded again."""
        if self._told is None or self._told[1] != window or self.preparation.request is not None:
            return  # the client has asked for another since, or knows
        question = self._told[0]
        self._outbox.put(Window(seq=question.seq, window=None))
        self.preparation.begin(question)

    def _check(self, question: Look, image: OpenImage) -> None:
        check_box(question.view, image.width, image.height)

    async def _answers(self, question: Look, image: OpenImage, model: str) -> AsyncIterator[Window]:
        window, self._told = seen(question.view, question.scale, image.size_hw, model), None
        if window is not None:
            await self._predictor.backend.encode_behind(self._predictor.key(image.image_id, model, window))
            self._told = question, window
        yield Window(seq=question.seq, window=window)
