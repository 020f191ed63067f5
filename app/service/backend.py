"""What every backend promises: pictures are encoded and prompts answered, wherever the models are.

Decision: the seam between the front end and the models lies above the engine contract. Context: an embedding has up to
16 MB and logits 0.8 MB, a prompt a few hundred bytes and a mask's run lengths one KB; between processes only the small
ones travel in a millisecond. Choice: what is made of an embedding is made where it lies, logits that a trail goes on
from included. Price: a backend knows of trails, candidates and specks, and not of tensors alone.

Values only, as in `contract`: sessions, sockets and pictures' files are unknown here. Everything is keyed by
`EmbeddingKey`, a model and a source, and by the size of the source's upright frame; what a source is, a whole picture
or something else with pixels, is the business of whoever gives the pixels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from app.arrays import ImageArray
from app.engine.contract import Candidates
from app.protocol.values import Region
from app.service.embeddings import EmbeddingKey
from app.service.first_responder import FirstResponder
from app.service.model_loading import Tell
from app.service.scheduler import Lane, Priority
from app.service.tracking import Followed, FollowStep
from app.session.objects import Answer, SessionObject
from app.session.query import Query

Newest = Callable[[], Query | None]
"""Returns the newest hover at the moment that it is asked, None where none is wanted any more. Called in a thread."""


@dataclass(frozen=True)
class Encoded:
    """What it took to have a source encoded.

    Attributes:
        cached: it was before.
        encode_ms: how long it took, with its wait for others; 0 where it was.
    """

    cached: bool
    encode_ms: float


class Pixels(Protocol):
    """Where the pixels of sources come from."""

    async def pixels(self, source: str, /, *, again: bool = False, aside: bool = False) -> ImageArray:
        """Return what the model sees of a source, (h, w, 3) uint8 RGB, upright.

        Args:
            source: of an `EmbeddingKey`.
            again: it will soon be asked for once more.
            aside: nobody waits for it, so it is read beside what somebody waits for.

        Raises:
            UnknownImageError: it isn't kept.
        """
        ...


@dataclass(frozen=True)
class WorkerState:
    """One process that models run in, beside the front end.

    Attributes:
        name: as operators see it.
        alive: it answers, and pictures are given to it.
        computes: what each of its models computes with, in words, by name; empty until it has answered.
        pid: its process on its machine; 0 until it has answered.
        waiting: jobs of this front end that wait for it.
        calls: calls of this front end that it has answered.
        failures: calls of this front end that it gave no answer to: it had died, or didn't answer in time.
        decode_ms: median time of a decode, with the way there and back; 0 before the first.
        embedding_bytes: what its embeddings take, as far as this front end was told.
        cpu_s: processor time that it had taken when it told of it last, seconds ago at most.
    """

    name: str
    alive: bool
    computes: Mapping[str, str]
    pid: int
    waiting: int
    calls: int
    failures: int
    decode_ms: float
    embedding_bytes: int
    cpu_s: float


@dataclass(frozen=True)
class BackendState:
    """How things stand at this moment.

    Attributes:
        embedding_bytes: what embeddings take.
        hits, misses: embeddings that were asked for, there or not.
        workers: the processes that models run in, none where it is this one.
        trouble: why nothing can be answered now, in words; empty while all is well.
    """

    embedding_bytes: int
    hits: int
    misses: int
    workers: tuple[WorkerState, ...] = ()
    trouble: str = ""


class Backend(Protocol):
    """The models, wherever they are. Lives in the event loop's thread.

    Every call that answers may raise `BusyError` and `EngineFailedError`: nothing has changed, and the same may be
    asked again.
    """

    @property
    def model(self) -> str:
        """The name of the model that the server was started with."""
        ...

    @property
    def device(self) -> str:
        """What that runs on: cpu, cuda or mps."""
        ...

    @property
    def first(self) -> FirstResponder | None:
        """The model that answers until another has seen a picture; None where sessions wait for their own."""
        ...

    @property
    def lanes(self) -> Mapping[str, Sequence[Lane]]:
        """The queues of work: `decode`, `encode` and `first encode`, one of each for every device."""
        ...

    def computes(self) -> Mapping[str, str]:
        """Return what each loaded model computes with, in words, by its name."""
        ...

    def is_loaded(self, model: str) -> bool:
        """Return whether a model answers without being loaded first.

        Raises:
            UnknownModelError: there is none of this name.
        """
        ...

    def use(self, model: str, tell: Tell = ...) -> AbstractAsyncContextManager[object]:
        """Have a model loaded, now if need be, and keep it at least until the `with` ends.

        Args:
            model: its name.
            tell: hears of a download.

        Raises:
            UnknownModelError: there is none of this name.
            ModelUnavailableError: its weights aren't here and can't be fetched, or aren't the right ones.
            EngineFailedError: the device has no room for it.
        """
        ...

    def holds(self, key: EmbeddingKey) -> bool:
        """Return whether a source needs no encoding, as far as is known here."""
        ...

    def before(self, key: EmbeddingKey) -> Sequence[asyncio.Task[Encoded]]:
        """Return the encodes of other sources that come before this one, were it asked for now."""
        ...

    def prepare(self, key: EmbeddingKey) -> None:
        """Begin to encode a source that will soon be asked for; left out where many are under way."""
        ...

    async def encode(self, key: EmbeddingKey) -> Encoded:
        """Return once a source is encoded; once, however many ask together. For each session that opens it.

        Raises:
            UnknownImageError: its pixels aren't kept.
            UnknownModelError, ModelUnavailableError: the model can't be loaded.
        """
        ...

    async def encode_behind(self, key: EmbeddingKey) -> Encoded:
        """Return once a source is encoded, behind all that are opened or prepared; whoever leaves waits no longer.

        Left out where nobody waits for it any more before it has begun. Raises as `encode`.
        """
        ...

    async def preview(
        self, key: EmbeddingKey, size_hw: tuple[int, int], newest: Newest, priority: Priority
    ) -> Answer | None:
        """Return the answer to the newest hover, or None where none is wanted any more.

        No hover waits for the encode of a part of a picture: `EmbeddingLostError` where that has gone.

        Args:
            key: the model and the source.
            size_hw: height and width of the source, in whose pixels the trail is.
            newest: asked when the device is free; once more where that turns out to have gone.
            priority: `HOVER` or `THROTTLED`.
        """
        ...

    async def answer(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Answer:
        """Return the answer to a click or box, with a mask at the size of the source.

        Raises:
            UnknownImageError: its pixels aren't kept.
            UnknownObjectError: a step goes on from a candidate that there isn't.
        """
        ...

    async def advance(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> bytes:
        """Return packed logits from which the step after a query's last goes on; raises as `answer`."""
        ...

    async def candidates(self, key: EmbeddingKey, size_hw: tuple[int, int], query: Query) -> Candidates:
        """Return three candidates for the last step of a trail, for who draws the masks himself; raises as `answer`.

        Returns:
            Candidates whose logits are those that masks are drawn from.
        """
        ...

    async def regions(self, key: EmbeddingKey, size_hw: tuple[int, int], points: int) -> tuple[Region, ...]:
        """Return the things of a source, the best first, once this many points of a grid were asked.

        Nobody waits for the device because of it: people's hovers, clicks and pictures go before each of its decodes,
        and end an encode that it has begun.
        Given up where the embedding has to make room meanwhile; the rest is then found when it is asked for again.

        Args:
            key: the model and the source.
            size_hw: height and width of the source, in whose pixels the regions' points are.
            points: of `level_ends`; those that were asked before aren't asked again.

        Raises:
            UnknownImageError: its pixels aren't kept.
        """
        ...

    async def prepare_tracking(self, model: str) -> bool:
        """Return once a model can follow objects, and whether it does so by likeness alone, which is rough.

        The first time on a machine that compiles models it takes most of a minute, in the background.

        Raises:
            UnknownModelError, ModelUnavailableError: the model can't be loaded, or its memory can't be compiled.
        """
        ...

    async def follow(self, key: EmbeddingKey, size_hw: tuple[int, int], step: FollowStep) -> Followed:
        """Return an object on one more frame of a pass; what is remembered of it stays where the clip's frames are.

        Behind everybody's hovers, clicks and pictures.

        Args:
            key: the model and the frame, whose source is `<clip>#<frame>`, so that a clip's frames stay together.
            size_hw: height and width of the frame.
            step: which frame, of which pass.

        Raises:
            MemoryLostError: what was remembered of the frame before is gone; the pass has to begin anew.
            UnknownImageError: the pixels of a frame aren't kept.
        """
        ...

    async def drawn(self, item: SessionObject, answer: Answer, index: int, size_hw: tuple[int, int]) -> Answer:
        """Return an object's answer with one more candidate at the size of the source, drawn from what was kept."""
        ...

    def state(self) -> BackendState:
        """Return how things stand."""
        ...

    def close(self) -> None:
        """Let go of the models, and of what runs beside them."""
        ...
