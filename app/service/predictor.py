"""Joins pictures and clips, a backend and the model that answers first: what a session asks in the words of a session.

Shared by every session; holds no session's state. Where a model's name may be given, None is the one that the server
was started with.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from msgspec import structs

from app.engine.contract import Candidates
from app.errors import BusyError, EmbeddingLostError, UnknownObjectError
from app.masks.upsampling import preview_mask
from app.protocol.fields import WindowXyxy
from app.protocol.windows import is_cut, larger, size_of, source_of, whole
from app.service.answers import decodes_left
from app.service.backend import Backend, Newest
from app.service.clip_store import ClipStore
from app.service.embeddings import EmbeddingKey
from app.service.hover_slot import HoverSlot
from app.service.picture_store import PictureStore
from app.service.scheduler import Priority
from app.service.sources import Sources
from app.service.windows import first_part, gone_on, item_in, layered, moved_into, on_picture
from app.session.objects import Answer, SessionObject
from app.session.query import HoverQuery, Query
from app.session.values import OpenImage


class Predictor:
    """The door to pictures and models.

    Attributes:
        backend: where the models are.
        sources: what was uploaded, pictures and clips.
    """

    def __init__(self, backend: Backend, sources: Sources) -> None:
        """Join what the answers take.

        Args:
            backend: where the models are.
            sources: what was uploaded, pictures and clips.
        """
        self.backend, self.sources = backend, sources

    @property
    def pictures(self) -> PictureStore:
        """The pictures that were uploaded."""
        return self.sources.pictures

    @property
    def clips(self) -> ClipStore:
        """The clips that were uploaded."""
        return self.sources.clips

    @property
    def model(self) -> str:
        """The name of the model that the server was started with."""
        return self.backend.model

    def key(self, image_id: str, model: str | None = None, window: WindowXyxy | None = None) -> EmbeddingKey:
        """Return the name of the embedding of a picture, or of a part of it."""
        return EmbeddingKey(self.model if model is None else model, source_of(image_id, window))

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
            self.backend.prepare(key)

    def stand_in(self, image_id: str, model: str) -> str | None:
        """Return the name of the model that is worth asking until another has seen a picture, or None."""
        first = self.backend.first
        if first is None or self.backend.holds(self.key(image_id, model)) or not first.is_sooner_than(model):
            return None
        return first.model

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

        Raises:
            BusyError: nobody has time for it now; it waits in the slot.
            EngineFailedError, UnknownImageError: see `Backend.preview`.
        """
        waiting = slot.peek(image, self.model if model is None else model)
        if waiting is None:
            return None
        taken: HoverQuery | None = None

        def newest() -> Query | None:
            nonlocal taken
            taken = slot.take(image, waiting.model, waiting.window) or taken
            return None if taken is None else taken.query

        try:
            window, answer = await self._previewed(image, waiting.model, waiting.window, newest, priority)
            while taken is not None and answer is not None and is_cut(answer.masks[answer.best], image.size_hw):
                query, wider = taken.query, larger(window or whole(image.size_hw), image.size_hw)
                window, answer = await self._previewed(image, waiting.model, wider, partial(same, query), priority)
        except BusyError:
            if taken is not None and slot.seq is None:  # nobody has answered it, and nothing newer was asked
                slot.put(taken)
            raise
        if answer is None or taken is None:
            return None
        return taken, await self._by_hand(answer, aimed(taken.query, window), image)

    async def answer(self, image: OpenImage, query: Query, model: str | None = None) -> Answer:
        """Return the answer to a trail, each step by the window that it tells.

        Args:
            image: the picture.
            query: what is asked, in pixels of the picture.
            model: the model's name.

        Raises:
            BusyError, EngineFailedError, UnknownImageError, UnknownObjectError: see `Backend.answer`.
        """
        return await self._by_hand(await self._answered(image, query, model), query, image)

    async def answer_whole(self, image: OpenImage, query: Query, model: str | None = None) -> tuple[Query, Answer]:
        """Return the answer to a new prompt, and the query that gave it; raises as `answer`.

        A thing that is cut by the edge of its window is asked about again in a larger one.
        """
        while True:
            answer, pick = await self._answered(image, query, model), query.subject.pick
            taken = answer.masks[answer.best if pick is None else pick]
            if not (decodes_left(query) and is_cut(taken, image.size_hw)):
                return query, await self._by_hand(answer, query, image)
            query = in_larger(query, image.size_hw)

    async def candidates(self, image: OpenImage, query: Query) -> tuple[Candidates, WindowXyxy | None]:
        """Return three candidates for the last step of a trail, and the window that they are of.

        The best isn't cut by that window's edge, unless it is the whole picture. Raises as `answer`.
        """
        while True:
            query, key, local = await self._last_part(image, query, None)
            window = query.subject.window
            part = window or whole(image.size_hw)
            found = await self.backend.candidates(key, size_of(part), local)
            best = structs.replace(preview_mask(found.logits[found.best], size_of(part), 0.0), window=window)
            if not is_cut(best, image.size_hw):
                return found, window
            query = in_larger(query, image.size_hw)

    async def drawn(self, image: OpenImage, item: SessionObject, answer: Answer, index: int) -> Answer:
        """Return an object's answer with one more candidate drawn in full; see `Backend.drawn`."""
        window = item.window
        if window is None:
            return await self.backend.drawn(item, answer, index, image.size_hw)
        local = await self.backend.drawn(item_in(item, image.size_hw), answer, index, size_of(window))
        fine = local.fine[index]
        if fine is None:
            raise AssertionError("a candidate that was drawn is there")
        back = await self._by_hand(on_picture(Answer((fine,), (), 0), window), Query(0, item), image)
        return answer.with_fine(index, back.masks[0])

    async def replayed(self, image: OpenImage, item: SessionObject, model: str) -> Answer:
        """Return the answer of another model to an object; a pick that this one hasn't falls to the best.

        Raises:
            BusyError, EngineFailedError, UnknownImageError: see `Backend.answer`.
        """
        try:
            return await self.answer(image, Query(0, item), model)
        except UnknownObjectError:
            return await self.answer(image, Query(0, item.unpicked()), model)

    def close(self) -> None:
        """Close the backend and stop what reads pictures and clips."""
        self.backend.close()
        self.sources.close()

    async def _previewed(
        self, image: OpenImage, model: str, window: WindowXyxy | None, newest: Newest, priority: Priority
    ) -> tuple[WindowXyxy | None, Answer | None]:
        """Return the answer to a hover in a window, or in the whole picture where that isn't encoded, and in which."""
        moved = window is None or self.backend.holds(self.key(image.image_id, model, window))

        def local() -> Query | None:
            query = newest()
            if query is None:
                return None
            return moved_into(aimed(query, window), image.size_hw)

        if moved:
            key, size_hw = self.key(image.image_id, model, window), size_of(window or whole(image.size_hw))
            try:
                answer = await self.backend.preview(key, size_hw, local, priority)
                return window, None if answer is None else on_picture(answer, window)
            except EmbeddingLostError:
                if window is None:
                    raise
        return await self._previewed(image, model, None, newest, priority)

    async def _answered(self, image: OpenImage, query: Query, model: str | None) -> Answer:
        """Return the answer to a trail; by windows, without what was done by hand."""
        query, key, local = await self._last_part(image, query, model)
        window = query.subject.window
        answer = await self.backend.answer(key, size_of(window or whole(image.size_hw)), local)
        return on_picture(answer, window)

    async def _last_part(self, image: OpenImage, query: Query, model: str | None) -> tuple[Query, EmbeddingKey, Query]:
        """Return the last steps of a query that one window answers, that one's key, and the steps in its pixels."""
        while (part := first_part(query)) is not None:
            window = part.subject.window
            key, local = self.key(image.image_id, model, window), moved_into(part, image.size_hw)
            feedback = await self.backend.advance(key, size_of(window or whole(image.size_hw)), local)
            query = gone_on(query, part, feedback)
        return query, self.key(image.image_id, model, query.subject.window), moved_into(query, image.size_hw)

    async def _by_hand(self, answer: Answer, query: Query, image: OpenImage) -> Answer:
        """Return an answer with what was done by hand, where windows gave it; in a thread, since that may take long."""
        layers = query.subject.layers
        if not (layers and query.subject.is_windowed):
            return answer
        return await asyncio.to_thread(layered, answer, layers, image.size_hw)


def same(query: Query) -> Query:
    """Return the query, which nothing newer replaces."""
    return query


def aimed(query: Query, window: WindowXyxy | None) -> Query:
    """Return a query whose last step is asked in another window."""
    return replace(query, subject=query.subject.seen_in(window))


def in_larger(query: Query, size_hw: tuple[int, int]) -> Query:
    """Return a query whose last step is asked in the window around its own."""
    window = query.subject.window
    return aimed(query, None if window is None else larger(window, size_hw))
