"""The models in this process: a pool of engines, the lanes of their device, and the embeddings that they made.

Fulfils `backend.Backend`. An embedding that had to make room is made again by itself, and so is a model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import numpy as np

from app.engine.contract import Candidates, Embedding, Engine
from app.errors import EmbeddingLostError, EngineMemoryError
from app.machine import available_cores, embedding_budget, memory_bytes
from app.masks.regions import Ask
from app.protocol.values import Region
from app.protocol.windows import size_of, source_of, whole
from app.service.answers import Replay, decodes_left, drawn, object_answer, packed_of, preview_answer, shown
from app.service.backend import BackendState, Encoded, Newest, Pixels
from app.service.by_hand import by_hand
from app.service.embeddings import EmbeddingKey, EmbeddingStore
from app.service.encodes import Encodes
from app.service.first_responder import FirstResponder
from app.service.follower import Follower, following
from app.service.limits import ServiceLimits
from app.service.model_loading import Tell
from app.service.model_pool import ModelPool
from app.service.region_finder import RegionFinder
from app.service.scheduler import NOBODY_HOVERS_S, Lane, Priority, Scheduler
from app.service.tracking import Followed, FollowStep
from app.service.windows import moved_into
from app.session.objects import Answer, SessionObject
from app.session.query import Query, lone_click
from app.settings import Settings

T = TypeVar("T")
QUIET_PATIENCE_S: Final = 10.0
"""So long at most a search waits to see windows, for which it takes time when nobody points at anything."""
HEAD_START_S: Final = 2.0
"""So long at most an encode waits for that of the same picture by the model that answers first."""


@dataclass(frozen=True)
class Embedded(Encoded):
    """An embedding and what it cost."""

    embedding: Embedding


class LocalBackend:
    """The engines of this process.

    Attributes:
        models: those that are loaded, and the way to load others.
        scheduler: the owner of their device.
        store: embeddings that are kept; those of a model go with it, since another load of it is another engine.
        windows: the same of parts of pictures, within a bound of their own.
        first: the model that answers until another has seen a picture, None where there is none.
    """

    def __init__(
        self,
        models: ModelPool,
        scheduler: Scheduler,
        pictures: Pixels,
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
            pictures: where pixels come from.
            store: where embeddings are kept.
            limits: how long an answer may take.
            speck_share: specks and holes of a mask up to this share of the picture are left out.
            first: the model that answers until another has seen a picture, None where there is none.
        """
        self.models, self.scheduler, self.store = models, scheduler, store
        self._pictures, self._limits, self.first = pictures, limits, first
        self._speck_share = speck_share
        self.windows = EmbeddingStore(limits.max_window_bytes)
        self._regions = RegionFinder(speck_share)
        self._one_aside = asyncio.Lock()  # so that of all searches one has pixels at hand
        self._follower = Follower(self._at_hand, scheduler.encodes, limits.encode_timeout_s, speck_share)
        models.on_unload = self._unloaded
        self._encodes = Encodes(self._encode, limits.encode_timeout_s)
        self._first_encodes = Encodes(self._encode, limits.encode_timeout_s)

    @classmethod
    def of(
        cls,
        settings: Settings,
        limits: ServiceLimits,
        models: ModelPool,
        pictures: Pixels,
        set_threads: Callable[[int], None],
        *,
        first: FirstResponder | None = None,
    ) -> LocalBackend:
        """Return the backend that an operator's settings ask for.

        Args:
            settings: what may be kept in memory, and what of a mask is left out.
            limits: how long an answer may take, and how many may wait.
            models: those that are loaded.
            pictures: where pixels come from.
            set_threads: sets how many threads the calling thread's model work may use.
            first: the model that answers until another has seen a picture, or None.
        """
        cores = settings.threads or available_cores()
        scheduler = Scheduler(cores=cores, capacity=limits.max_jobs_queued, set_threads=set_threads)
        store = EmbeddingStore(settings.embedding_budget_bytes or embedding_budget(memory_bytes()))
        return cls(models, scheduler, pictures, store, limits, speck_share=settings.speck_share, first=first)

    @property
    def model(self) -> str:
        """The name of the model that the server was started with."""
        return self.models.first.model

    @property
    def device(self) -> str:
        """What that runs on."""
        return self.models.first.device

    @property
    def lanes(self) -> Mapping[str, Sequence[Lane]]:
        """The queues of work."""
        return self.scheduler.lanes

    def computes(self) -> Mapping[str, str]:
        """Return what each loaded model computes with; see `Backend.computes`."""
        return {engine.model: f"{engine.runtime} on {engine.device}" for engine in self.models.engines}

    def is_loaded(self, model: str) -> bool:
        """Return whether a model is in memory; see `Backend.is_loaded`."""
        return self.models.is_loaded(model)

    def use(self, model: str, tell: Tell = lambda _: None) -> AbstractAsyncContextManager[Engine]:
        """Give a model, loaded now if need be; see `Backend.use`."""
        return self.models.use(model, tell)

    def holds(self, key: EmbeddingKey) -> bool:
        """Return whether a source needs no encoding."""
        return self._store_of(key).get(key) is not None

    def before(self, key: EmbeddingKey) -> Sequence[asyncio.Task[Embedded]]:
        """Return the encodes of other sources that come before this one, were it asked for now."""
        return [] if self._store_of(key).get(key) is not None else self._encodes_of(key).before(key)

    def prepare(self, key: EmbeddingKey) -> None:
        """Begin to encode a source that will soon be asked for; see `Backend.prepare`."""
        if self._store_of(key).get(key) is None:
            self._encodes_of(key).prepare(key)

    async def encode(self, key: EmbeddingKey) -> Embedded:
        """Return a source's embedding, encoded now if need be; see `Backend.encode`."""
        kept = self._store_of(key).get(key)
        if kept is not None:
            return Embedded(cached=True, encode_ms=0.0, embedding=kept)
        return await asyncio.shield(
            self._encodes_of(key).want(key)
        )  # one who leaves doesn't take the picture from the others

    async def encode_behind(self, key: EmbeddingKey) -> Embedded:
        """Return a source's embedding, encoded behind all others; see `Backend.encode_behind`."""
        kept = self._store_of(key).get(key)
        if kept is not None:
            return Embedded(cached=True, encode_ms=0.0, embedding=kept)
        return await self._encodes_of(key).behind(key)

    async def preview(
        self, key: EmbeddingKey, size_hw: tuple[int, int], newest: Newest, priority: Priority
    ) -> Answer | None:
        """Return the answer to the newest hover; see `Backend.preview`."""
        if key.is_part and key not in self._store_of(key):
            raise EmbeddingLostError("this part of the picture isn't encoded (any more)")
        async with self._at_hand(key) as (engine, embedding):

            def work() -> Answer | None:
                query = newest()
                if query is None:
                    return None
                found = self._with_room(Replay(query, size_hw, engine, embedding).all)
                return preview_answer(found, size_hw, self._speck_share, query.subject)

            return await self.scheduler.decodes.run(priority, work, self._limits.hover_timeout_s)

    async def answer(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Answer:
        """Return the answer to a click or box; see `Backend.answer`."""
        if not decodes_left(query):
            return await self._without_model(lambda: by_hand(query, size_hw, self._speck_share))

        def finish(found: Candidates) -> Answer:
            return object_answer(found, size_hw, self._speck_share, query.subject)

        return await self.asked(key, size_hw, query, finish)

    async def advance(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> bytes:
        """Return packed logits from which the step after a query's last goes on; see `Backend.advance`."""
        return await self.asked(key, size_hw, query, lambda found: packed_of(found, query.subject.pick))

    async def candidates(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Candidates:
        """Return three candidates for the last step of a trail; see `Backend.candidates`."""

        def finish(found: Candidates) -> Candidates:
            return Candidates(
                np.stack(shown(found, size_hw, self._speck_share, query.subject.points)),
                found.scores,
            )

        return await self.asked(key, size_hw, query, finish, three=True)

    async def asked(
        self,
        key: EmbeddingKey,
        size_hw: tuple[int, int],
        query: Query,
        finish: Callable[[Candidates], T],
        *,
        three: bool = False,
    ) -> T:
        """Return what `finish` makes of the last step's candidates; the steps take their turns one by one.

        Args:
            key: the model and the source.
            size_hw: height and width of the source.
            query: what is asked.
            finish: called in the device's thread.
            three: True has the last step answered by three candidates.
        """
        async with self._at_hand(key) as (engine, embedding):
            replay = Replay(query, size_hw, engine, embedding, three=three)
            lane, patience_s = self.scheduler.decodes, self._limits.click_timeout_s

            def once() -> Candidates:
                return self._with_room(replay.once)

            while replay.left > 1:
                await lane.run(Priority.CLICK, once, patience_s)
            return await lane.run(Priority.CLICK, lambda: finish(once()), patience_s)

    async def regions(self, key: EmbeddingKey, size_hw: tuple[int, int], points: int) -> tuple[Region, ...]:
        """Return the things of a source, as far as they were looked for; see `Backend.regions`."""
        await self.encode(key)

        async def click(ask: Ask) -> Candidates | None:
            part = EmbeddingKey(key.model, source_of(key.source, ask.window))
            if part not in self._store_of(part) and not (part.is_part and await self._seen_meanwhile(part)):
                return None
            async with self._at_hand(part) as (engine, embedding):
                query, part_hw = moved_into(lone_click(*ask), size_hw), size_of(ask.window or whole(size_hw))
                once = Replay(query, part_hw, engine, embedding).once
                lane, patience_s = self.scheduler.decodes, self._limits.click_timeout_s
                return await lane.run(Priority.IDLE, lambda: self._with_room(once), patience_s)

        return await self._regions.search(key, size_hw).until(points, click)

    async def prepare_tracking(self, model: str) -> bool:
        """Have a model able to follow objects; see `Backend.prepare_tracking`."""
        async with self.models.use(model) as engine:
            return (await following(engine)).is_rough_tracker

    async def follow(self, key: EmbeddingKey, size_hw: tuple[int, int], step: FollowStep) -> Followed:
        """Return an object on one more frame; see `Backend.follow`."""
        return await self._follower.follow(key, size_hw, step)

    async def drawn(self, item: SessionObject, answer: Answer, index: int, size_hw: tuple[int, int]) -> Answer:
        """Return an object's answer with one more candidate at the size of the source; see `Backend.drawn`."""
        return await self._without_model(lambda: drawn(item, answer, index, size_hw, self._speck_share))

    def state(self) -> BackendState:
        """Return how things stand."""
        whole, parts = self.store.stats(), self.windows.stats()
        return BackendState(whole.bytes + parts.bytes, whole.hits + parts.hits, whole.misses + parts.misses)

    def close(self) -> None:
        """Stop the device's threads and downloads, and let go of the models."""
        self.scheduler.close()
        self.models.close()

    async def _seen_meanwhile(self, part: EmbeddingKey) -> bool:
        """Have a window encoded that nobody waits for, while nobody points at anything; return whether it was.

        It is not where somebody points without a pause, and in a worker, which has no pixels of it. Whoever wants the
        device ends the encode, which is then begun again.
        """
        until = time.monotonic() + QUIET_PATIENCE_S
        async with self._one_aside, self.models.use(part.model) as engine:
            while await self._nobody_hovers(until):
                try:
                    image = await self._pictures.pixels(part.source, aside=True)
                except EmbeddingLostError:
                    return False
                encode = partial(self._with_room, partial(engine.encode_while, image, self.scheduler.is_free))
                embedding = await self.scheduler.decodes.run(Priority.IDLE, encode, self._limits.encode_timeout_s)
                if embedding is not None:
                    return self._store_of(part).put(part, embedding)
        return False

    async def _nobody_hovers(self, until: float) -> bool:
        """Return True once nobody has hovered for a while, False where that isn't so until then, by `monotonic`."""
        while (left_s := NOBODY_HOVERS_S - self.scheduler.decodes.quiet_s) > 0:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(left_s)
        return True

    async def _without_model(self, work: Callable[[], T]) -> T:
        """Return what `work` makes of masks that are there, in turn with what the model is asked."""
        return await self.scheduler.decodes.run(Priority.CLICK, work, self._limits.click_timeout_s)

    @asynccontextmanager
    async def _at_hand(self, key: EmbeddingKey) -> AsyncIterator[tuple[Engine, Embedding]]:
        """Give a model and what it remembers of a source; both are kept at least until the `with` ends."""
        async with self.models.use(key.model) as engine:
            with self._store_of(key).pinned(key):
                yield engine, (await self.encode(key)).embedding

    async def _encode(self, key: EmbeddingKey) -> Embedded:
        goes_first = self._goes_first(key)
        if self.first is not None and not goes_first:
            sooner = self._first_encodes.under_way(EmbeddingKey(self.first.model, key.source))
            if sooner is not None:
                await asyncio.wait([sooner], timeout=HEAD_START_S)
        lane = self.scheduler.first_encodes if goes_first else self.scheduler.encodes
        async with self.models.use(key.model) as engine:
            image = await self._pictures.pixels(key.source, again=goes_first)

            def work() -> Embedding:
                began = time.perf_counter()
                embedding = self._with_room(lambda: engine.encode(image))
                if self.first is not None:
                    self.first.measured(key.model, 1000 * (time.perf_counter() - began))
                return embedding

            began = time.perf_counter()
            embedding = await lane.run(Priority.ENCODE, work, self._limits.encode_timeout_s)
            self._store_of(key).put(key, embedding)
            return Embedded(cached=False, encode_ms=1000 * (time.perf_counter() - began), embedding=embedding)

    def _goes_first(self, key: EmbeddingKey) -> bool:
        return self.first is not None and key.model == self.first.model

    def _encodes_of(self, key: EmbeddingKey) -> Encodes[Embedded]:
        return self._first_encodes if self._goes_first(key) else self._encodes

    def _unloaded(self, model: str) -> None:
        self.store.drop(model)
        self.windows.drop(model)
        self._follower.memories.drop(model)

    def _store_of(self, key: EmbeddingKey) -> EmbeddingStore:
        return self.windows if key.is_part else self.store

    def _with_room(self, work: Callable[[], T]) -> T:
        """Return what `work` returns; where the device has no memory left, once more without what can be made again.

        Called in the device's thread.
        """
        try:
            return work()
        except EngineMemoryError:
            self.windows.drop()
            self.store.drop()
        return work()  # not inside of `except`, which would hold the first call's memory
