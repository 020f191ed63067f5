"""A worker: the models of its process behind the seam, for front ends in other processes. Knows nothing of Ray.

It is a `LocalBackend` without pictures: pixels come with the call that has a source encoded, and aren't kept. An
embedding never leaves the process that made it. What comes in is a few hundred bytes of prompt, what goes out are run
lengths, and logits only as a session keeps them: packed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TypeVar

import msgspec
import numpy as np

from app import __version__
from app.arrays import ImageArray
from app.engine.contract import Candidates, Engine, Prompt
from app.engine.device import set_threads
from app.errors import EmbeddingLostError, EngineFailedError, HoverError, ModelUnavailableError
from app.fleet.values import About, EncodedThere, Packed, Refused, WorkerSpec
from app.masks.packing import pack_logits
from app.protocol.values import Region
from app.service.answers import object_answer, preview_answer
from app.service.embeddings import EmbeddingKey
from app.service.first_responder import FirstResponder
from app.service.local_backend import LocalBackend
from app.service.model_pool import ModelPool
from app.service.model_source import ModelSource
from app.service.scheduler import Priority
from app.service.tracking import Followed, FollowStep
from app.session.objects import Answer, SessionObject
from app.session.query import Query
from app.weights.catalogue import Weights, known_models, published_weights
from app.weights.checkpoints import remembered_sha256
from app.weights.manifest import Manifest

T = TypeVar("T")
BLANK_HW = (64, 64)
"""Of the picture that a model is warmed up with."""


class Pushed:
    """The pixels that front ends have sent and that are encoded now; fulfils `backend.Pixels`."""

    def __init__(self) -> None:
        self._here: dict[str, list[ImageArray]] = {}

    async def pixels(self, source: str, /, *, again: bool = False, aside: bool = False) -> ImageArray:
        """Return them.

        Raises:
            EmbeddingLostError: nobody has sent them with this call.
        """
        if source not in self._here:
            raise EmbeddingLostError("this worker doesn't know the picture (any more)")
        return self._here[source][-1]

    def put(self, source: str, image: ImageArray) -> None:
        """Have them while they are encoded."""
        self._here.setdefault(source, []).append(image)

    def drop(self, source: str) -> None:
        """Let go of them; several front ends may have sent the same."""
        self._here[source].pop()
        if not self._here[source]:
            del self._here[source]


class Worker:
    """Answers what front ends ask, each method one call; what is refused is returned as `Refused`."""

    def __init__(self, spec: WorkerSpec) -> None:
        """Load nothing yet: whoever makes it may not wait, and a worker that was restarted is made anew."""
        self._spec = spec
        self._pushed = Pushed()
        self._loading: asyncio.Task[LocalBackend] | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def version(self) -> str:
        """Return at once which release of HoverSAM this is."""
        return __version__

    async def ready(self) -> About | Refused:
        """Return what this worker is, once its model is loaded and has answered once."""
        return await answered(self._about())

    async def alive(self) -> bool:
        """Return at once, whatever the models are at."""
        return True

    async def use(self, model: str) -> About | Refused:
        """Have a model loaded, and answer once with it."""
        return await answered(self._used(model))

    async def encode(self, key: EmbeddingKey, pixels: ImageArray) -> EncodedThere | Refused:
        """Make the embedding of a source and keep it.

        Args:
            key: the model and the source.
            pixels: (h, w, 3) uint8 RGB, upright.
        """
        return await answered(self._encoded(key, pixels))

    async def preview(
        self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query, priority: Priority
    ) -> Answer | Refused | None:
        """Return the answer to a hover; see `Backend.preview`."""
        return await self._asked(lambda backend: backend.preview(key, size_hw, lambda: query, priority))

    async def answer(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Answer | Refused:
        """Return the answer to a click or box; see `Backend.answer`."""
        return await self._asked(lambda backend: backend.answer(key, size_hw, query))

    async def advance(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> bytes | Refused:
        """Return packed logits from which the step after a query's last goes on."""
        return await self._asked(lambda backend: backend.advance(key, size_hw, query))

    async def candidates(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Packed | Refused:
        """Return three candidates for the last step of a trail, as the engine gave them."""
        return await self._asked(lambda backend: backend.asked(key, size_hw, query, packed, three=True))

    async def regions(self, key: EmbeddingKey, size_hw: tuple[int, int], points: int) -> tuple[Region, ...] | Refused:
        """Return the things of a source, looked for while nobody needs the device; see `Backend.regions`."""
        return await self._asked(lambda backend: backend.regions(key, size_hw, points))

    async def prepare_tracking(self, model: str) -> bool | Refused:
        """Have a model able to follow objects; see `Backend.prepare_tracking`."""
        return await self._asked(lambda backend: backend.prepare_tracking(model))

    async def follow(self, key: EmbeddingKey, size_hw: tuple[int, int], step: FollowStep) -> Followed | Refused:
        """Return an object on one more frame; see `Backend.follow`."""
        return await self._asked(lambda backend: backend.follow(key, size_hw, step))

    async def _asked(self, ask: Callable[[LocalBackend], Awaitable[T]]) -> T | Refused:
        async def work() -> T:
            return await ask(await self._backend())

        return await answered(work())

    async def _about(self) -> About:
        backend = await self._backend()
        kept = backend.state().embedding_bytes
        computes, cpu_s = dict(backend.computes()), time.process_time()
        return About(__version__, os.getpid(), backend.model, backend.device, computes, kept, cpu_s)

    async def _used(self, model: str) -> About:
        backend = await self._backend()
        was_loaded = backend.is_loaded(model)
        async with backend.use(model) as engine:
            if not was_loaded:
                await asyncio.to_thread(warm_up, engine)
        return await self._about()

    async def _encoded(self, key: EmbeddingKey, pixels: ImageArray) -> EncodedThere:
        backend = await self._backend()
        self._pushed.put(key.source, pixels)
        try:
            made = await backend.encode(key)
        finally:
            self._pushed.drop(key.source)
        kept = backend.state().embedding_bytes
        return EncodedThere(made.cached, made.encode_ms, os.getpid(), kept)  # the embedding itself stays here

    async def _backend(self) -> LocalBackend:
        if self._loading is None or (self._loading.done() and self._loading.exception()):
            self._loading = asyncio.create_task(self._load())
        return await asyncio.shield(self._loading)

    async def _load(self) -> LocalBackend:
        spec = self._spec
        engine = await asyncio.to_thread(self._first_engine)
        source = ModelSource(spec.settings, self._manifest, spec.load)
        models = ModelPool(engine, source, spec.settings.model_budget_bytes, spec.limits.load_timeout_s)
        first = None if spec.first_responder is None else FirstResponder(spec.first_responder, models)
        backend = LocalBackend.of(spec.settings, spec.limits, models, self._pushed, set_threads, first=first)
        if first is not None:
            self._keeping = asyncio.create_task(first.run())
        return backend

    @cached_property
    def _manifest(self) -> Manifest:
        return known_models(self._spec.settings)

    def _first_engine(self) -> Engine:
        spec = self._spec
        if spec.version != __version__:
            raise EngineFailedError(f"this worker runs HoverSAM {__version__}, its front end {spec.version}")
        engine = spec.load(self._weights(), spec.settings, lambda _: None)
        warm_up(engine)
        return engine

    def _weights(self) -> Weights:
        """Return the weights to begin with, which are the same to the bit as those of whoever started this worker.

        Raises:
            ModelUnavailableError: they aren't here.
        """
        spec, entry = self._spec, self._manifest.entry(self._spec.model)
        if spec.checkpoint is None:
            offline = msgspec.structs.replace(spec.settings, offline=True)  # whoever started it has fetched them
            return published_weights(entry, offline, lambda *_: None)
        if not spec.checkpoint.is_file():
            raise ModelUnavailableError(f"there is no file {spec.checkpoint} here; give workers the same folder")
        if remembered_sha256(spec.checkpoint, spec.settings.hashes_file) != spec.sha256:
            raise ModelUnavailableError(f"{spec.checkpoint} is another file here; give workers the same folder")
        return Weights(entry, spec.checkpoint, published=False)


async def answered(work: Awaitable[T]) -> T | Refused:
    """Return what some work comes to, or what is to be told of its failure."""
    try:
        return await work
    except HoverError as error:
        return Refused.of(error)


def packed(found: Candidates) -> Packed:
    """Return candidates with their logits packed."""
    return Packed(tuple(pack_logits(logits) for logits in found.logits), found.scores)


def warm_up(engine: Engine) -> None:
    """Answer once before anyone counts on a model: its first answer imports and reserves what it needs."""
    embedding = engine.encode(np.full((*BLANK_HW, 3), 128, np.uint8))
    [found] = engine.decode(embedding, [Prompt(((8.0, 8.0),), (1,))])
    subject = SessionObject(0, "", 0)
    preview_answer(found, BLANK_HW, 0.001, subject)
    object_answer(found, BLANK_HW, 0.001, subject)
