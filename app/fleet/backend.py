"""The models in other processes, as a front end asks them: fulfils `service.backend.Backend`.

Sessions, sockets, fairness and latest-wins stay in the front end. With several front ends the workers' own lanes take
turns between them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np

from app.engine.contract import Candidates
from app.engine.memory_bank import nearest
from app.errors import EmbeddingLostError, EngineFailedError, HoverError, WorkerLostError
from app.fleet.dispatcher import Dispatcher, RemoteCall
from app.fleet.members import Members, WorkerProcesses, told
from app.fleet.placement import SLACK_S, Placement, nobody
from app.fleet.values import Packed, first_steps, plain
from app.masks.packing import unpack_logits
from app.protocol.values import Region
from app.service.answers import decodes_left, drawn, shown
from app.service.backend import BackendState, Encoded, Newest, Pixels, WorkerState
from app.service.by_hand import by_hand
from app.service.embeddings import EmbeddingKey
from app.service.first_responder import FirstResponder
from app.service.limits import ServiceLimits
from app.service.model_loading import Loading, LoadingStoppedError, Tell
from app.service.model_pool import Source
from app.service.scheduler import Lane, Priority
from app.service.tracking import Followed, FollowStep
from app.session.objects import Answer, SessionObject
from app.session.query import Query

T = TypeVar("T")
TRIES: Final = 8
"""Workers that may be lost, or have to encode again, under one call."""
STEPS: Final = 4
"""Steps of a trail in one call: a long one lets others have their turn between, as it does in one process."""


SEARCH_S: Final = 600.0
"""So long at most regions are looked for; whoever asks goes on with what was found, and asks again."""


class FleetBackend:
    """The workers as one backend.

    Attributes:
        first: the model that answers until another has seen a picture, or None.
        members: who of the workers is there.
        placement: where the embedding of each source is.
    """

    def __init__(
        self,
        workers: WorkerProcesses,
        members: Members,
        source: Source,
        pictures: Pixels,
        limits: ServiceLimits,
        *,
        model: str,
        speck_share: float,
        first_responder: str | None = None,
    ) -> None:
        """Join what the answers take.

        Args:
            workers: the processes.
            members: what is known of them; they are ready.
            source: which models there are, and how their weights get into the folder that workers read.
            pictures: where pixels come from.
            limits: how long an answer may take.
            model: the name of the model that new sessions begin with.
            speck_share: specks and holes of a mask up to this share of the picture are left out.
            first_responder: the model that answers until another has seen a picture, or None.
        """
        self.members, self._workers, self._dispatcher = members, workers, Dispatcher(workers, members)
        self._source, self._limits = source, limits
        self._model, self._speck_share = model, speck_share
        self.first = None if first_responder is None else FirstResponder(first_responder, self)
        self.placement = Placement(self._dispatcher, members, pictures, limits, lambda: self.first)
        self._searching = Lane("regions", limits.max_jobs_queued, lambda: None)
        self._drawing = Lane("drawing", limits.max_jobs_queued, lambda: None)
        self._hits = self._misses = 0
        self._loading: dict[str, Loading] = {}

    @property
    def model(self) -> str:
        """The name of the model that new sessions begin with."""
        return self._model

    @property
    def device(self) -> str:
        """What that runs on, where it is asked."""
        text = self.computes().get(self._model, "")
        return next((device for device in ("cuda", "mps") if f"on {device}" in text), "cpu")

    @property
    def lanes(self) -> Mapping[str, Sequence[Lane]]:
        """The queues of work, of all workers."""
        return self.placement.lanes

    def computes(self) -> Mapping[str, str]:
        """Return what each loaded model computes with, and how many workers do; see `Backend.computes`."""
        all_of = [member.about.computes for member in self.members.all.values() if member.about and member.alive]
        found: dict[str, str] = {}
        for model in sorted({model for each in all_of for model in each}):
            pool = self.members.pool(model)
            counted = "1 worker" if len(pool) == 1 else f"{len(pool)} workers"
            found[model] = f"{self.members.all[pool[0]].computes(model)}, {counted}" if pool else ""
        return found

    def is_loaded(self, model: str) -> bool:
        """Return whether a worker answers with a model at once; see `Backend.is_loaded`."""
        self._source.nbytes(model)
        return any(self.members.all[name].computes(model) for name in self.members.alive())

    @asynccontextmanager
    async def use(self, model: str, tell: Tell = lambda _: None) -> AsyncIterator[None]:
        """Have all workers load a model; see `Backend.use`."""
        while not self.is_loaded(model):
            loading = self._loading.get(model)
            if loading is None or loading.task.done():
                loading = self._loading[model] = Loading(partial(self._load, model))
            try:
                await loading.wait(tell)
            except LoadingStoppedError:
                continue
            finally:
                if loading.task.done() and self._loading.get(model) is loading:
                    del self._loading[model]
        yield

    def holds(self, key: EmbeddingKey) -> bool:
        """Return whether a worker that is there has encoded a source, as far as is known here."""
        return bool(self.placement.holders(key))

    def before(self, key: EmbeddingKey) -> Sequence[asyncio.Task[Encoded]]:
        """Return the encodes that come before a source's at its worker."""
        order = self.placement.order(key)
        return [] if order is None else order.before(key)

    def prepare(self, key: EmbeddingKey) -> None:
        """Begin to encode a source that will soon be asked for; see `Backend.prepare`."""
        order = self.placement.order(key)
        if order is not None:
            order.prepare(key)

    async def encode(self, key: EmbeddingKey) -> Encoded:
        """Return once a source is encoded; a second session that opens it gives it a second worker."""
        encoded = await self.placement.encoded(key)
        self._hits, self._misses = self._hits + encoded.cached, self._misses + (not encoded.cached)
        self.placement.opened(key)
        return encoded

    async def encode_behind(self, key: EmbeddingKey) -> Encoded:
        """Return once a source is encoded, behind all others; see `Backend.encode_behind`."""
        return await self.placement.encoded(key, behind=True)

    async def preview(
        self, key: EmbeddingKey, size_hw: tuple[int, int], newest: Newest, priority: Priority
    ) -> Answer | None:
        """Return the answer to the newest hover; see `Backend.preview`."""
        asked: Query | None = None

        def remote() -> RemoteCall | None:
            nonlocal asked
            asked = newest() or asked  # the worker that was asked first may have gone
            return None if asked is None else decode("preview", key, size_hw, plain(asked), priority)

        timeout_s = self._limits.hover_timeout_s
        answer: Answer | None = await self._ask(key, remote, priority, timeout_s, again=not key.is_part)
        return answer

    async def answer(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Answer:
        """Return the answer to a click or box; see `Backend.answer`."""
        if not decodes_left(query):
            return await self._without_model(lambda: by_hand(query, size_hw, self._speck_share))
        query = await self._advanced(key, size_hw, plain(query))
        answer: Answer = await self._clicked(key, decode("answer", key, size_hw, query))
        return answer

    async def advance(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> bytes:
        """Return packed logits from which the step after a query's last goes on; see `Backend.advance`."""
        query = await self._advanced(key, size_hw, plain(query))
        feedback: bytes = await self._clicked(key, decode("advance", key, size_hw, query))
        return feedback

    async def candidates(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Candidates:
        """Return three candidates for the last step of a trail; see `Backend.candidates`."""
        query = await self._advanced(key, size_hw, plain(query))
        packed: Packed = await self._clicked(key, decode("candidates", key, size_hw, query))

        def work() -> Candidates:
            found = Candidates(np.stack([unpack_logits(logits) for logits in packed.logits]), packed.scores)
            logits = shown(found, size_hw, self._speck_share, query.subject.points)
            return Candidates(np.stack(logits), packed.scores)

        return await self._without_model(work)

    async def regions(self, key: EmbeddingKey, size_hw: tuple[int, int], points: int) -> tuple[Region, ...]:
        """Return the things of a source; its worker looks for them while nobody needs it. See `Backend.regions`."""
        remote = RemoteCall("regions", "regions", (key, size_hw, points))
        found: tuple[Region, ...] = await self._ask(key, lambda: remote, Priority.CLICK, SEARCH_S, lane=self._searching)
        return found

    async def prepare_tracking(self, model: str) -> bool:
        """Have all workers able to follow objects; see `Backend.prepare_tracking`."""
        async with self.use(model):
            pool = self.members.pool(model)
            if not pool:
                raise nobody()
            rough = await asyncio.gather(*(asyncio.to_thread(self._prepare_at, worker, model) for worker in pool))
        return any(rough)

    async def follow(self, key: EmbeddingKey, size_hw: tuple[int, int], step: FollowStep) -> Followed:
        """Return an object on one more frame, by the worker that has its clip; see `Backend.follow`."""
        chosen = nearest({one.frame: one for one in step.prompted}, step.frame, step.reach.conditioning)
        others = [EmbeddingKey(key.model, one.source) for one in step.prompted if one.frame in chosen]
        remote = RemoteCall("track", "follow", (key, size_hw, step))
        timeout_s = self._limits.encode_timeout_s
        followed: Followed = await self._ask(key, lambda: remote, Priority.TRACK, timeout_s, others=others)
        return followed

    async def drawn(self, item: SessionObject, answer: Answer, index: int, size_hw: tuple[int, int]) -> Answer:
        """Return an object's answer with one more candidate drawn in full, here: it needs no model."""
        return await self._without_model(lambda: drawn(item, answer, index, size_hw, self._speck_share))

    def state(self) -> BackendState:
        """Return how things stand."""
        workers = tuple(
            WorkerState(
                name=name,
                alive=member.alive,
                computes={} if member.about is None else member.about.computes,
                pid=member.pid,
                waiting=self.placement.desks[name].waiting,
                calls=member.calls,
                failures=member.failures,
                decode_ms=member.deadlines["decode"].median_ms,
                embedding_bytes=0 if member.about is None else member.about.embedding_bytes,
                cpu_s=0.0 if member.about is None else member.about.cpu_s,
            )
            for name, member in self.members.all.items()
        )
        trouble = "" if any(worker.alive for worker in workers) else "no worker answers"
        nbytes = sum(worker.embedding_bytes for worker in workers)
        return BackendState(nbytes, self._hits, self._misses, workers, trouble)

    def close(self) -> None:
        """Stop the lanes and let go of the workers."""
        self.placement.close()
        self._searching.close()
        self._drawing.close()
        for loading in self._loading.values():
            loading.stop()
        self.members.close()
        self._workers.close()

    async def _without_model(self, work: Callable[[], T]) -> T:
        """Return what `work` makes of masks that are there."""
        return await self._drawing.run(Priority.CLICK, work, self._limits.click_timeout_s)

    async def _clicked(self, key: EmbeddingKey, remote: RemoteCall) -> Any:  # noqa: ANN401
        return await self._ask(key, lambda: remote, Priority.CLICK, self._limits.click_timeout_s)

    async def _ask(
        self,
        key: EmbeddingKey,
        remote: Callable[[], RemoteCall | None],
        priority: Priority,
        timeout_s: float,
        *,
        lane: Lane | None = None,
        again: bool = True,
        others: Sequence[EmbeddingKey] = (),
    ) -> Any:  # noqa: ANN401 - each call has its own kind of answer
        """Return what a worker answers that has the source's embedding; made again first where none has.

        Args:
            key: the model and the source.
            remote: called in the lane's thread when its turn comes; None asks nothing.
            priority: in the lane.
            timeout_s: how long it may take, without the encodes.
            lane: where it waits for its turn; None for the worker's own.
            again: False raises `EmbeddingLostError` where no worker has it.
            others: sources of the same clip whose embeddings the worker needs too.
        """
        until = time.monotonic() + timeout_s
        for _ in range(TRIES):
            await self.placement.someone(until)
            if not again and not self.placement.holders(key):
                raise EmbeddingLostError("this part of the picture isn't encoded (any more)")
            self.placement.renew(key)
            holders = self.placement.holders(key)
            if others or not holders:
                began = time.monotonic()
                for needed in (*others, key):
                    await self.placement.encoded(needed)
                until += time.monotonic() - began
                holders = self.placement.holders(key)
            if not holders:
                continue  # the one that has just encoded it is gone
            worker, replica = holders[0], holders[1] if len(holders) > 1 else None
            scheduler, tracks = self.placement.desks[worker].scheduler, priority is Priority.TRACK
            work = partial(self._turn, worker, remote, until, None if tracks else replica)  # which remembers nothing
            queue, patience_s = lane or (scheduler.encodes if tracks else scheduler.decodes), until - time.monotonic()
            try:
                return await queue.run(priority, work, max(0.0, patience_s) + SLACK_S)
            except EmbeddingLostError:
                for needed in (*others, key):
                    self.placement.forget(needed, worker)
            except WorkerLostError:
                continue
        raise EngineFailedError("no worker keeps this picture; try again")

    def _turn(self, worker: str, remote: Callable[[], RemoteCall | None], until: float, replica: str | None) -> Any:  # noqa: ANN401
        """Ask, in a lane's thread; nothing is taken from a hover's slot for a worker that is gone."""
        if not self.members.all[worker].alive:
            raise WorkerLostError(f"{worker} doesn't answer")
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise EngineFailedError(f"{worker} had no turn for this in time; try again")
        asked = remote()
        return None if asked is None else self._dispatcher.ask(worker, asked, left_s, replica)

    async def _advanced(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Query:
        """Return what is left of a query once all but its last few steps are answered; they take turns with others."""
        while decodes_left(query) > STEPS:
            part = first_steps(query, STEPS)
            feedback: bytes = await self._clicked(key, decode("advance", key, size_hw, part))
            query = replace(query, known=len(part.subject.trail), feedback=feedback)
        return query

    async def _load(self, model: str, progress: Callable[[int, int], None]) -> None:
        """Have the weights in the folder, then every worker load them; one is enough to go on with.

        Raises:
            HoverError: no worker can.
        """
        await asyncio.to_thread(self._source.prepare, model, progress)
        names = self.members.alive()
        loads = (asyncio.to_thread(self._load_at, name, model) for name in names)
        refused = [error for error in await asyncio.gather(*loads) if error is not None]
        if len(refused) == len(names):
            raise refused[0] if refused else nobody()

    def _prepare_at(self, worker: str, model: str) -> bool:
        """Have a worker able to follow objects; return whether it does so by likeness alone."""
        call = self._workers.call(worker, "prepare_tracking", model)
        try:
            return bool(told(call.result(self._limits.load_timeout_s)))
        except TimeoutError as error:
            raise EngineFailedError(f"{worker} doesn't say whether {model} can follow objects; try again") from error

    def _load_at(self, worker: str, model: str) -> HoverError | None:
        try:
            call = self._workers.call(worker, "use", model)
            self.members.learn(worker, told(call.result(self._limits.load_timeout_s)))
        except HoverError as error:
            return error
        except TimeoutError:
            return EngineFailedError(f"{model} wasn't loaded within {self._limits.load_timeout_s:g} s; try again")
        return None


def decode(method: str, *args: object) -> RemoteCall:
    """Return a call that decodes."""
    return RemoteCall("decode", method, args)
