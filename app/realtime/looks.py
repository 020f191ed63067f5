"""Has the part of the picture that one session looks at encoded by itself, behind all that anybody waits for."""

from __future__ import annotations

from collections.abc import AsyncIterator

from app.protocol.messages import Look, Window
from app.protocol.windows import seen
from app.realtime.aside import Aside
from app.session.checks import check_box
from app.session.values import OpenImage


class LookOut(Aside[Look]):
    """Answers a look with the window in which it is seen sharp, once that is encoded."""

    def _check(self, question: Look, image: OpenImage) -> None:
        check_box(question.view, image.width, image.height)

    async def _answers(self, question: Look, image: OpenImage, model: str) -> AsyncIterator[Window]:
        window = seen(question.view, question.scale, image.size_hw, model)
        if window is not None:
            await self._predictor.backend.encode_behind(self._predictor.key(image.image_id, model, window))
        yield Window(seq=question.seq, window=window)
