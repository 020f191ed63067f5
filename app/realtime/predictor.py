"""Joins pictures, embeddings, scheduler and models: from an image id and a query to masks.

Shared by every session; holds no session's state. An embedding that had to make room is made again by itself, and so
is a model. Where a model's name may be given, None is the one that the server was started with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from app.engine.cleaning import clicked_cells, smoothed, without_specks
from app.engine.contract import Candidates, Engine, Logits, Prompt
from app.engine.embeddings import EmbeddingKey, EmbeddingStore
from app.engine.memory import pack_logits, unpack_logits
from app.engine.pool import ModelPool
from app.engine.postprocess import grid_of, object_mask, preview_mask
from app.engine.scheduler import Priority, Scheduler
from app.errors import EngineMemoryError
from app.realtime.encodes import Embedded, Encodes
from app.realtime.pictures import PictureStore
from app.session.objects import Answer, PointXyl, SessionObject
from app.session.session import HoverQuery, OpenImage, Query

T = TypeVar("T")
Decode = Callable[[Query], Candidates]
"""Answers queries on one picture with one model; called in the device's thread."""

WORTH_CLEANING: Final = range(100, 1500)
"""Bytes of run lengths of a preview's candidate that specks may have made many; beyond, it is noise."""
NOISE: Final = 6000
"""Bytes of run lengths from which on even the shown candidate of a preview is noise: no shape is under its specks,
and to find that out takes a fifth of a decode."""


@dataclass(frozen=True)
class Timeouts:
    """How long an answer may take, in seconds."""

    hover_s: float
    click_s: float
    encode_s: float


class Predictor:
    """The one door to the models.

    Attributes:
        models: those that are loaded, and the way to load others.
        scheduler: the owner of their device.
        pictures: what was uploaded.
        store: embeddings that are kept; those of a model go with it, since another load of it is another engine.
    """

    def __init__(
        self,
        models: ModelPool,
        scheduler: Scheduler,
        pictures: PictureStore,
        store: EmbeddingStore,
        timeouts: Timeouts,
        *,
        speck_share: float,
    ) -> None:
        """Args: what it joins, and the share of the picture up to which specks and holes of a mask are left out."""
        self._speck_share = speck_share
        self.models, self.scheduler, self.pictures = models, scheduler, pictures
        self.store = store
        models.on_unload = self._unloaded
        self._timeouts = timeouts
        self._encodes = Encodes(self._encode, timeouts.encode_s)

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
        return await asyncio.shield(self._encodes.want(key))  # one who leaves doesn't take the picture from the others

    def prepare(self, image_id: str) -> None:
        """Begin to encode a picture that will soon be asked for, so that not even its first click has to.

        Pictures that somebody waits for go first. Nothing is lost where it fails or is left out because many are under
        way: the first prompt then encodes.
        """
        key = self.key(image_id)
        if self.store.get(key) is None:
            self._encodes.prepare(key)

    def before(self, image_id: str, model: str | None = None) -> list[asyncio.Task[Embedded]]:
        """Return the encodes of other pictures that come before this one, were it asked for now."""
        key = self.key(image_id, model)
        return [] if self.store.get(key) is not None else self._encodes.before(key)

    async def hover(
        self,
        image: OpenImage,
        newest: Callable[[], HoverQuery | None],
        model: str | None = None,
        priority: Priority = Priority.HOVER,
    ) -> tuple[HoverQuery, Answer] | None:
        """Return the newest hover and its answer, or None where none is wanted any more.

        Args:
            image: the picture.
            newest: called in the device's thread at the moment of decoding, so that a hover that was overtaken
                while it waited is never decoded; nor is one that refines what another model made.
            model: the model's name.
            priority: `HOVER` or `HASTY`.
        """
        async with self._decoder(image, model) as decode:

            def work() -> tuple[HoverQuery, Answer] | None:
                hover = newest()
                if hover is None or hover.model != self.key(image.image_id, model).model:
                    return None
                points = hover.query.subject.points
                return hover, preview_answer(decode(hover.query), image.size_hw, self._speck_share, points)

            return await self.scheduler.decodes.run(priority, work, self._timeouts.hover_s)

    async def answer(self, image: OpenImage, query: Query, model: str | None = None) -> Answer:
        """Return the answer to a click or box, with masks at the size of the picture.

        Raises:
            BusyError, EngineFailedError, UnknownImageError: nothing has changed; the prompt may be sent again.
        """
        async with self._decoder(image, model) as decode:

            def work() -> Answer:
                return object_answer(decode(query), image.size_hw, self._speck_share, query.subject)

            return await self.scheduler.decodes.run(Priority.CLICK, work, self._timeouts.click_s)

    async def drawn(self, image: OpenImage, item: SessionObject, answer: Answer, index: int) -> Answer:
        """Return an object's answer with one more candidate at the size of the picture, drawn from what was kept.

        Raises:
            BusyError, EngineFailedError: nothing has changed; the choice may be sent again.
        """

        def work() -> Answer:
            kept = unpack_logits(answer.memory[index])
            logits = without_specks(kept, self._speck_share, item.points, image.size_hw)
            return answer.with_fine(index, object_mask(logits, image.size_hw, answer.masks[index].score))

        return await self.scheduler.decodes.run(Priority.CLICK, work, self._timeouts.click_s)

    async def candidates(self, image: OpenImage, query: Query, model: str | None = None) -> Candidates:
        """Return what the model makes of a click or box, as logits without specks, for who draws the masks himself.

        Raises:
            BusyError, EngineFailedError, UnknownImageError: the prompt may be sent again.
        """
        async with self._decoder(image, model) as decode:

            def work() -> Candidates:
                found = decode(query)
                logits = shown(found, image.size_hw, self._speck_share, query.subject.points)
                return Candidates(np.stack(logits), found.scores)

            return await self.scheduler.decodes.run(Priority.CLICK, work, self._timeouts.click_s)

    def close(self) -> None:
        """Stop the device's threads, downloads and the picture worker, and let go of the models."""
        self.scheduler.close()
        self.models.close()
        self.pictures.close()

    @asynccontextmanager
    async def _decoder(self, image: OpenImage, model: str | None) -> AsyncIterator[Decode]:
        """Give what answers queries on a picture; model and embedding are kept at least until the `with` ends."""
        key = self.key(image.image_id, model)
        async with self.models.use(key.model) as engine:
            with self.store.pinned(key):
                embedding = (await self.embed(image.image_id, model)).embedding

                def decode(query: Query) -> Candidates:
                    prompt = prompt_of(query, image.size_hw, embedding.size_hw)
                    return self._with_room(lambda: engine.decode(embedding, [prompt]))[0]

                yield decode

    async def _encode(self, key: EmbeddingKey) -> Embedded:
        async with self.models.use(key.model) as engine:
            image = await self.pictures.pixels(key.image_id)
            began = time.perf_counter()
            embedding = await self.scheduler.encodes.run(
                Priority.ENCODE, lambda: self._with_room(lambda: engine.encode(image)), self._timeouts.encode_s
            )
            self.store.put(key, embedding)
            return Embedded(embedding, cached=False, encode_ms=1000 * (time.perf_counter() - began))

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


def shown(found: Candidates, size_hw: tuple[int, int], speck_share: float, points: Sequence[PointXyl]) -> list[Logits]:
    """Return each candidate's logits without specks and holes of up to `speck_share` of the picture.

    Args:
        found: what the engine made of a prompt.
        size_hw: height and width of the picture.
        speck_share: of the picture, up to which specks and holes are left out.
        points: those of the prompt; what they lie on stays.
    """
    return [without_specks(logits, speck_share, points, size_hw) for logits in found.logits]


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


def preview_answer(
    found: Candidates, size_hw: tuple[int, int], speck_share: float, points: Sequence[PointXyl]
) -> Answer:
    """Return candidates on the logit grid, nothing kept for refinement.

    The one that is shown at once is without specks, unless it is noise. So is another, with a smoother rim besides,
    where that is worth a tenth of a decode: where the wire would feel it, and where it is a shape at all and no noise,
    which takes milliseconds to sort. Whoever chooses it gets it drawn from the logits as they are.

    Args:
        found: what the engine made of the prompt.
        size_hw: height and width of the picture.
        speck_share: of the picture, up to which specks and holes are left out.
        points: those of the prompt, the pointer's own among them; what they lie on stays.
    """
    masks, best = [], found.best
    for index, (logits, score) in enumerate(zip(found.logits, map(float, found.scores), strict=True)):
        mask, is_shown = preview_mask(logits, size_hw, score), index == best
        if len(mask.runs) in (range(NOISE) if is_shown else WORTH_CLEANING):
            clean = without_specks(logits, speck_share, points, size_hw)
            clean = clean if is_shown else smoothed(clean, clicked_cells(clean, points, size_hw))
            mask = mask if clean is logits else preview_mask(clean, size_hw, score)
        masks.append(mask)
    return Answer(tuple(masks), (), best)


def object_answer(found: Candidates, size_hw: tuple[int, int], speck_share: float, subject: SessionObject) -> Answer:
    """Return candidates with their logits packed for refinement, one of them at the size of the picture.

    Decision: until it is chosen, a candidate stays on the logit grid. Context: run lengths take at least two bytes for
    each row of a mask, so three masks of a small photo take 2.5 KB at the picture's size, half of which nobody looks
    at, and drawing them takes as long as a decode. Choice: a click draws and sends one mask in full; choosing draws
    another from the packed logits. Price: choosing waits for the device.

    Args:
        found: what the engine made of the prompt.
        size_hw: height and width of the picture.
        speck_share: of the picture, up to which specks and holes are left out.
        subject: the object that is answered: what its points lie on stays, and its pick is drawn in full, the best
            where it has none or one that there isn't.
    """
    pick = subject.pick
    clean = shown(found, size_hw, speck_share, subject.points)
    cleaned = list(zip(clean, map(float, found.scores), strict=True))
    memory = tuple(pack_logits(logits) for logits in found.logits)
    if not all(cells < pixels for cells, pixels in zip(found.logits.shape[1:], grid_of(size_hw), strict=True)):
        return Answer(tuple(object_mask(logits, size_hw, score) for logits, score in cleaned), memory, found.best)
    masks = tuple(preview_mask(logits, size_hw, score) for logits, score in cleaned)
    index = found.best if pick is None or pick >= len(cleaned) else pick
    logits, score = cleaned[index]
    answer = Answer(masks, memory, found.best, (None,) * len(masks))
    return answer.with_fine(index, object_mask(logits, size_hw, score))
