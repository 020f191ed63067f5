"""Looks for the things of one session's picture, while its hovers and clicks go on before it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from app.protocol.codec import fitting
from app.protocol.messages import FindRegions, Regions
from app.realtime.aside import Aside
from app.service.region_finder import level_ends
from app.session.values import OpenImage


class RegionSearch(Aside[FindRegions]):
    """Answers a search first with large things, then with smaller ones too."""

    async def _answers(self, question: FindRegions, image: OpenImage, model: str) -> AsyncIterator[Regions]:
        key = self._predictor.key(image.image_id, model)
        ends = level_ends(model, image.size_hw)
        for count in ends:
            await self._outbox.sent()  # a client that reads slowly isn't told of what is out of date when it comes
            found = fitting(await self._predictor.backend.regions(key, image.size_hw, count))
            yield Regions(seq=question.seq, regions=found, last=count == ends[-1])
