"""Joins pictures, a backend and the model that answers first: what a session asks in the words of a session.

Shared by every session; holds no session's state. Where a model's name may be given, None is the one that the server
was started with.
"""

from __future__ import annotations

from app.errors import BusyError, UnknownObjectError
from app.service.backend import Backend
from app.service.embeddings import EmbeddingKey
from app.service.hover_slot import HoverSlot
from app.service.picture_store import PictureStore
from app.service.scheduler import Priority
from app.session.objects import Answer, SessionObject
from app.session.query import HoverQuery, Query
from app.session.values import OpenImage


class Predictor:
    """The door to pictures and models.

    Attributes:
        backend: where the models are.
        pictures: what was uploaded.
    """

    def __init__(self, backend: Backend, pictures: PictureStore) -> None:
        """Join what the answers take.

        Args:
            backend: where the models are.
            pictures: what was uploaded.
        """
        self.backend, self.pictures = backend, pictures

    @property
    def model(self) -> str:
        """The name of the model that the server was started with."""
        return self.backend.model

    def key(self, image_id: str, model: str | None = None) -> EmbeddingKey:
        """Return the name of a picture's embedding."""
        return EmbeddingKey(self.model if model is None else model, image_id)

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
        key = self.key(image.image_id, model)
        taken: HoverQuery | None = None

        def newest() -> Query | None:
            nonlocal taken
            hover = slot.take(image, key.model)
            if hover is None:
                return None
            taken = hover
            return hover.query

        try:
            answer = await self.backend.preview(key, image.size_hw, newest, priority)
        except BusyError:
            if taken is not None and slot.seq is None:  # nobody has answered it, and nothing newer was asked
                slot.put(taken)
            raise
        return None if answer is None or taken is None else (taken, answer)

    async def replayed(self, image: OpenImage, item: SessionObject, model: str) -> Answer:
        """Return the answer of another model to an object; a pick that this one hasn't falls to the best.

        Raises:
            BusyError, EngineFailedError, UnknownImageError: see `Backend.answer`.
        """
        key = self.key(image.image_id, model)
        try:
            return await self.backend.answer(key, image.size_hw, Query(0, item))
        except UnknownObjectError:
            return await self.backend.answer(key, image.size_hw, Query(0, item.unpicked()))

    def close(self) -> None:
        """Close the backend and stop the picture worker."""
        self.backend.close()
        self.pictures.close()
