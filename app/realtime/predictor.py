"""Joins pictures, embeddings, scheduler and engine: from an image id and a query to masks.

Shared by every session; holds no session's state. An embedding that had to make room is made again by itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.engine.cleaning import cleaned
from app.engine.contract import Candidates, Embedding, Engine, Logits, Prompt
from app.engine.embeddings import EmbeddingKey, EmbeddingStore
from app.engine.memory import pack_logits, unpack_logits
from app.engine.postprocess import object_mask, preview_mask
from app.engine.scheduler import Priority, Scheduler
from app.realtime.pictures import PictureStore
from app.session.objects import Answer
from app.session.session import HoverQuery, OpenImage, Query


@dataclass(frozen=True)
class Timeouts:
    """How long an answer may take, in seconds."""

    hover_s: float
    click_s: float
    encode_s: float


@dataclass(frozen=True)
class Embedded:
    """An embedding and what it cost."""

    embedding: Embedding
    cached: bool
    encode_ms: float


class Predictor:
    """The one door to the model.

    Attributes:
        engine: the model that answers.
        scheduler: the owner of its device.
        pictures: what was uploaded.
    """

    def __init__(
        self,
        engine: Engine,
        scheduler: Scheduler,
        pictures: PictureStore,
        store: EmbeddingStore,
        timeouts: Timeouts,
        *,
        speck_share: float,
    ) -> None:
        """Args: what it joins, and the share of the picture up to which specks and holes of a mask are left out."""
        self._speck_share = speck_share
        self.engine, self.scheduler, self.pictures = engine, scheduler, pictures
        self.store = store
        self._timeouts = timeouts
        self._encoding: dict[EmbeddingKey, asyncio.Task[Embedded]] = {}

    def key(self, image_id: str) -> EmbeddingKey:
        """Return the name of a picture's embedding."""
        return EmbeddingKey(self.engine.model, image_id)

    async def embed(self, image_id: str) -> Embedded:
        """Return a picture's embedding, encoded now if need be; once, however many ask together.

        Raises:
            UnknownImageError: the picture isn't kept.
            BusyError, EngineFailedError: the model can't take it now.
        """
        key = self.key(image_id)
        kept = self.store.get(key)
        if kept is not None:
            return Embedded(kept, cached=True, encode_ms=0.0)
        task = self._encoding.get(key)
        if task is None:
            task = asyncio.create_task(self._encode(key))
            self._encoding[key] = task
            task.add_done_callback(lambda done: self._encoded(key, done))
        return await asyncio.shield(task)  # one who leaves doesn't take the picture from the others

    async def hover(
        self, image: OpenImage, newest: Callable[[], HoverQuery | None]
    ) -> tuple[HoverQuery, Answer] | None:
        """Return the newest hover and its answer, or None where none is wanted any more.

        Args:
            image: the picture.
            newest: called in the device's thread at the moment of decoding, so that a hover that was overtaken
                while it waited is never decoded.
        """
        embedding = (await self.embed(image.image_id)).embedding
        size_hw = image.size_hw

        def work() -> tuple[HoverQuery, Answer] | None:
            hover = newest()
            if hover is None:
                return None
            found = self._decode(embedding, hover.query, size_hw)
            return hover, preview_answer(found, size_hw, self._speck_share)

        return await self.scheduler.decodes.run(Priority.HOVER, work, self._timeouts.hover_s)

    async def answer(self, image: OpenImage, query: Query) -> Answer:
        """Return the answer to a click or box, with masks at the size of the picture.

        Raises:
            BusyError, EngineFailedError, UnknownImageError: nothing has changed; the prompt may be sent again.
        """
        embedding = (await self.embed(image.image_id)).embedding
        size_hw = image.size_hw

        def work() -> Answer:
            return object_answer(self._decode(embedding, query, size_hw), size_hw, self._speck_share)

        return await self.scheduler.decodes.run(Priority.CLICK, work, self._timeouts.click_s)

    def close(self) -> None:
        """Stop the device's threads and the picture worker."""
        self.scheduler.close()
        self.pictures.close()

    async def _encode(self, key: EmbeddingKey) -> Embedded:
        image = await self.pictures.pixels(key.image_id)
        began = time.perf_counter()
        embedding = await self.scheduler.encodes.run(
            Priority.ENCODE, lambda: self.engine.encode(image), self._timeouts.encode_s
        )
        self.store.put(key, embedding)
        return Embedded(embedding, cached=False, encode_ms=1000 * (time.perf_counter() - began))

    def _encoded(self, key: EmbeddingKey, done: asyncio.Task[Embedded]) -> None:
        """Make room for the next encode of this picture; those who wait see what went wrong, if anyone still does."""
        self._encoding.pop(key, None)
        if not done.cancelled():
            done.exception()

    def _decode(self, embedding: Embedding, query: Query, size_hw: tuple[int, int]) -> Candidates:
        return self.engine.decode(embedding, [prompt_of(query, size_hw, embedding.size_hw)])[0]


def shown(found: Candidates, speck_share: float) -> list[Logits]:
    """Return each candidate's logits without specks and holes of up to `speck_share` of the picture."""
    return [cleaned(logits, round(speck_share * logits.size)) for logits in found.logits]


def prompt_of(query: Query, size_hw: tuple[int, int], working_hw: tuple[int, int]) -> Prompt:
    """Return the engine's prompt of a query, moved from the picture's frame to the one that the model saw."""
    sy, sx = working_hw[0] / size_hw[0], working_hw[1] / size_hw[1]
    subject = query.subject
    box = subject.box
    return Prompt(
        points_xy=tuple((x * sx, y * sy) for x, y, _ in subject.points),
        labels=tuple(label for _, _, label in subject.points),
        box_xyxy=None if box is None else (box[0] * sx, box[1] * sy, box[2] * sx, box[3] * sy),
        mask_logits=None if query.feedback is None else unpack_logits(query.feedback),
        multimask=query.multimask,
    )


def preview_answer(found: Candidates, size_hw: tuple[int, int], speck_share: float) -> Answer:
    """Return candidates on the logit grid, nothing kept for refinement."""
    pairs = zip(shown(found, speck_share), found.scores, strict=True)
    return Answer(tuple(preview_mask(logits, size_hw, float(score)) for logits, score in pairs), (), found.best)


def object_answer(found: Candidates, size_hw: tuple[int, int], speck_share: float) -> Answer:
    """Return candidates at the size of the picture, with their logits packed for refinement."""
    pairs = zip(shown(found, speck_share), found.scores, strict=True)
    masks = tuple(object_mask(logits, size_hw, float(score)) for logits, score in pairs)
    return Answer(masks, tuple(pack_logits(logits) for logits in found.logits), found.best)
