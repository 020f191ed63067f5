"""Questions about the open picture that are answered beside a session's changes, of each kind the newest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from app.errors import HoverError, NoImageError, UnknownImageError
from app.protocol.messages import FindRegions, Look, Regions, Window
from app.realtime.closing import error_message
from app.realtime.outbox import Outbox
from app.realtime.preparation import Preparation
from app.service.predictor import Predictor
from app.session.session import Session
from app.session.values import OpenImage

Q = TypeVar("Q", FindRegions, Look)


class Aside(ABC, Generic[Q]):
    """Answers the newest question of one kind; one before it that has no answer yet is given up, and its asker told.

    Attributes:
        preparation: what runs beside the session's changes.
    """

    def __init__(self, session: Session, outbox: Outbox, predictor: Predictor) -> None:
        """Begin without a question.

        Args:
            session: whose picture.
            outbox: where the answers go.
            predictor: what finds them.
        """
        self._session, self._outbox, self._predictor = session, outbox, predictor
        self.preparation: Preparation[Q] = Preparation(self._carry_out)

    def begin(self, question: Q) -> None:
        """Answer a question about the picture that is open.

        Raises:
            BadCoordError: it is about a part that isn't on the picture, or is nothing.
            NoImageError: none is open.
        """
        if self._session.image is None:
            raise NoImageError(f"expected an open picture for {question.__struct_config__.tag}; send open first")
        self._check(question, self._session.image)
        self._give_up("another one came")
        self.preparation.begin(question)

    def drop(self) -> None:
        """Give up a question, since another picture or model comes, and say so."""
        self._give_up("another picture or model came")

    def _check(self, question: Q, image: OpenImage) -> None:
        """Refuse a question that has no answer on this picture."""

    @abstractmethod
    def _answers(self, question: Q, image: OpenImage, model: str) -> AsyncIterator[Regions | Window]:
        """Yield the answers to a question, each as soon as it is found."""

    def _give_up(self, why: str) -> None:
        question = self.preparation.request
        if question is not None:
            self.preparation.drop()
            told = f"{why} before {question.__struct_config__.tag} was answered; ask again"
            self._outbox.put(error_message(UnknownImageError(told), question.seq))

    async def _carry_out(self, question: Q) -> None:
        image = self._session.image
        if image is None:
            raise AssertionError("a question needs a picture")
        try:
            async for answer in self._answers(question, image, self._session.answering):
                self._outbox.put(answer)
        except HoverError as error:
            self._outbox.put(error_message(error, question.seq))
        self.preparation.request = None
