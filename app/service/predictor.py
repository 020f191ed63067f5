"""Joins pictures, embeddings, scheduler and models: from an image id and a query to masks.

Shared by every session; holds no session's state. An embedding that had to make room is made again by itself, and so
is a model. Where a model's name may be given, None is the one that the server was started with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import numpy as np

from app.engine.contract import Candidates, Embedding, Engine
from app.errors import EngineMemoryError, UnknownObjectError
from app.service.answers import Replay, drawn, object_answer, preview_answer, shown
from app.service.embeddings import EmbeddingKey, EmbeddingStore
from app.service.encodes import Embedded, Encodes
from app.service.first_responder import FirstResponder
from app.service.hover_slot import HoverSlot
from app.service.limits import ServiceLimits
from app.service.model_pool import ModelPool
from app.service.picture_store import PictureStore
from app.service.scheduler import Priority, Scheduler
from app.session.objects import Answer, SessionObject
from app.session.query import HoverQuery, Query
from app.session.values import OpenImage

T = TypeVar("T")
HEAD_START_S: Final = 2.0
"""So long at most an encode waits for that of the same picture by the model that answers first."""


class Predictor:
    """The one door to the models.

    Attributes:
        models: those that are loaded, and the way to load others.
        scheduler: the owner of their device.
        pictures: what was uploaded.
        first: the model that answers until another has seen a picture, None where there is none.
        store: embeddings that are kept; those of a model go with it, since another load of it is another engine.
    """

    def __init__(
        self,
        models: ModelPool,
        scheduler: Scheduler,
        pictures: PictureStore,
        store: EmbeddingStore,
        limits: ServiceLimits,
        *,
        speck_share: float,
        first: FirstResponder | None = None,
    ) -> None:
        """Join what the answers take.

        Args:
            models: those that are loaded, and the way to load others.
            scheduler: the owner of their device.
            pictures: what was uploaded.
            store: where embeddings are kept.
            limits: how long an answer may take.
            speck_share: specks and holes of a mask up to this share of the picture are left out.
            first: the model that answers until another has seen a picture, None where there is none.
        """
        self.first = first
        self._speck_share = speck_share
        self.models, self.scheduler, self.pictures = models, scheduler, pictures
        self.store = store
        models.on_unload = self._unloaded
        self._limits = limits
        self._encodes = Encodes(self._encode, limits.encode_timeout_s)
        self._first_encodes = Encodes(self._encode, limits.encode_timeout_s)

    @property
    def engine(self) -> Engine:
        """The model that the server was started with."""
        return self.models.first

    def key(self, image_id: str, model: str | None = None) -> EmbeddingKey:
        """Return the name of a picture's embedding."""
        return EmbeddingKey(self.engine.model if model is None else model, image_id)

    async def embed(self, image_id: str, model: str | None = None) -> Embedded:
        """Return a picture's embedding, encoded now if need be; once, however many ask together.

        Raises:
            UnknownImageError: the picture isn't kept.
            UnknownModelError, ModelUnavailableError: the model can't be loaded.
            BusyError, EngineFailedError: the model can't take it now.
        """
        key = self.key(image_id, model)
        kept = self.store.get(key)
        if kept is not None:
            return Embedded(kept, cached=True, encode_ms=0.0)
        return await asyncio.shield(
            self._encodes_of(key).want(key)
        )  # one who leaves doesn't take the picture from the others

    def prepare(self, image_id: str, *, provisional: bool = False) -> None:
        """Begin to encode a picture that will soon be asked for, so that not even its first click has to.

        Pictures that somebody waits for go first. Nothing is lost where it fails or is left out because many are under
        way: the first prompt then encodes.

        Args:
            image_id: the picture.
            provisional: the model that answers first comes first, where that is worth it.
        """
        own = self.key(image_id)
        stand_in = self.stand_in(image_id, own.model) if provisional else None
        for key in [own] if stand_in is None else [self.key(image_id, stand_in), own]:
            if self.store.get(key) is None:
                self._encodes_of(key).prepare(key)

    def stand_in(self, image_id: str, model: str) -> str | None:
        """Return the name of the model that is worth asking until another has seen a picture, or None."""
        if self.first is None or self.holds(image_id, model) or not self.first.is_sooner_than(model):
            return None
        return self.first.model

    def holds(self, image_id: str, model: str) -> bool:
        """Return whether a picture needs no encoding for a model."""
        return self.store.get(self.key(image_id, model)) is not None

    def before(self, image_id: str, model: str | None = None) -> list[asyncio.Task[Embedded]]:
        """Return the encodes of other pictures that come before this one, were it asked for now."""
        key = self.key(image_id, model)
        return [] if self.store.get(key) is not None else self._encodes_of(key).before(key)

    async def hover(
        self,
        image: OpenImage,
        slot: HoverSlot,
        model: str | None = None,
        priority: Priority = Priority.HOVER,
    ) -> tuple[HoverQuery, Answer] | None:
        """Return the newest hover and its answer, or None where none is wanted any more.

        Args:
            image: the picture.
            slot: what the hover is taken from at the moment of decoding.
            model: the model's name.
            priority: `HOVER` or `THROTTLED`.
        """
        async with self._at_hand(image, model) as (engine, embedding):

            def work() -> tuple[HoverQuery, Answer] | None:
                hover = slot.take(image, engine.model)
                if hover is None:
                    return None
                found = self._with_room(Replay(hover.query, image.size_hw, engine, embedding).all)
                points = hover.query.subject.points
                return hover, preview_answer(found, image.size_hw, self._speck_share, points)

            return await self.scheduler.decodes.run(priority, work, self._limits.hover_timeout_s)

    async def answer(self, image: OpenImage, query: Query, model: str | None = None) -> Answer:
        """Return the answer to a click or box, with masks at the size of the picture.

        Raises:
            BusyError, EngineFailedError, UnknownImageError: nothing has changed; the prompt may be sent again.
            UnknownObjectError: a step goes on from a candidate that there isn't.
        """

        def finish(found: Candidates) -> Answer:
            return object_answer(found, image.size_hw, self._speck_share, query.subject)

        return await self._asked(image, query, model, finish)

    async def replayed(self, image: OpenImage, item: SessionObject, model: str) -> Answer:
        """Return the answer of another model to an object; a pick that this one hasn't falls to the best.

        Raises:
            BusyError, EngineFailedError, UnknownImageError: see `answer`.
        """
        try:
            return await self.answer(image, Query(0, item), model)
        except UnknownObjectError:
            return await self.answer(image, Query(0, item.unpicked()), model)

    async def candidates(self, image: OpenImage, query: Query) -> Candidates:
        """Return three candidates for the last step of a trail, for who draws the masks himself; raises as `answer`.

        Returns:
            Candidates whose logits are those that masks are drawn from.
        """

        def finish(found: Candidates) -> Candidates:
            logits = shown(found, image.size_hw, self._speck_share, query.subject.points)
            return Candidates(np.stack(logits), found.scores)

        return await self._asked(image, query, None, finish, three=True)

    async def drawn(self, image: OpenImage, item: SessionObject, answer: Answer, index: int) -> Answer:
        """Return an object's answer with one more candidate at the size of the picture, drawn from what was kept.

        Raises:
            BusyError, EngineFailedError: nothing has changed; the choice may be sent again.
        """

        def work() -> Answer:
            return drawn(item, answer, index, image.size_hw, self._speck_share)

        return await self.scheduler.decodes.run(Priority.CLICK, work, self._limits.click_timeout_s)

    def close(self) -> None:
        """Stop the device's threads, downloads and the picture worker, and let go of the models."""
        self.scheduler.close()
        self.models.close()
        self.pictures.close()

    async def _asked(
        self,
        image: OpenImage,
        query: Query,
        model: str | None,
        finish: Callable[[Candidates], T],
        *,
        three: bool = False,
    ) -> T:
        """Return what `finish` makes of the last step's candidates; the steps take their turns one by one."""
        async with self._at_hand(image, model) as (engine, embedding):
            replay = Replay(query, image.size_hw, engine, embedding, three=three)
            lane, patience_s = self.scheduler.decodes, self._limits.click_timeout_s

            def once() -> Candidates:
                return self._with_room(replay.once)

            while replay.left > 1:
                await lane.run(Priority.CLICK, once, patience_s)
            return await lane.run(Priority.CLICK, lambda: finish(once()), patience_s)

    @asynccontextmanager
    async def _at_hand(self, image: OpenImage, model: str | None) -> AsyncIterator[tuple[Engine, Embedding]]:
        """Give a model and what it remembers of a picture; both are kept at least until the `with` ends."""
        key = self.key(image.image_id, model)
        async with self.models.use(key.model) as engine:
            with self.store.pinned(key):
                yield engine, (await self.embed(image.image_id, model)).embedding

    async def _encode(self, key: EmbeddingKey) -> Embedded:
        goes_first = self._goes_first(key)
        if self.first is not None and not goes_first:
            sooner = self._first_encodes.under_way(self.key(key.source, self.first.model))
            if sooner is not None:
                await asyncio.wait([sooner], timeout=HEAD_START_S)
        lane = self.scheduler.first_encodes if goes_first else self.scheduler.encodes
        async with self.models.use(key.model) as engine:
            image = await self.pictures.pixels(key.source, again=goes_first)

            def work() -> Embedding:
                began = time.perf_counter()
                embedding = self._with_room(lambda: engine.encode(image))
                if self.first is not None:
                    self.first.measured(key.model, 1000 * (time.perf_counter() - began))
                return embedding

            began = time.perf_counter()
            embedding = await lane.run(Priority.ENCODE, work, self._limits.encode_timeout_s)
            self.store.put(key, embedding)
            return Embedded(embedding, cached=False, encode_ms=1000 * (time.perf_counter() - began))

    def _goes_first(self, key: EmbeddingKey) -> bool:
        return self.first is not None and key.model == self.first.model

    def _encodes_of(self, key: EmbeddingKey) -> Encodes:
        return self._first_encodes if self._goes_first(key) else self._encodes

    def _unloaded(self, model: str) -> None:
        self.store.drop(model)

    def _with_room(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; where the device has no memory left, once more without what can be made again.

        Called in the device's thread.
        """
        try:
            return work()
        except EngineMemoryError:
            self.store.drop()
        return work()  # not inside of `except`, which would hold the first call's memory
