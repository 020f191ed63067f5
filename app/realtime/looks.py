"""Has the part of the picture that one session looks at encoded by itself, behind all that anybody waits for."""

from __future__ import annotations

from app.errors import HoverError, NoImageError, UnknownImageError
from app.protocol.messages import Look, Window
from app.protocol.windows import seen
from app.realtime.closing import error_message
from app.realtime.outbox import Outbox
from app.realtime.preparation import Preparation
from app.service.predictor import Predictor
from app.session.checks import check_box
from app.session.session import Session


class LookOut:
    """Answers the newest request of one session; one before it that still waits is given up.

    Attributes:
        preparation: what runs beside the session's changes.
    """

    def __init__(self, session: Session, outbox: Outbox, predictor: Predictor) -> None:
        """Begin without a request.

        Args:
            session: whose picture.
            outbox: where the answers go.
            predictor: what has parts of pictures encoded.
        """
        self._session, self._outbox, self._predictor = session, outbox, predictor
        self.preparation = Preparation(self._carry_out)

    def begin(self, message: Look) -> None:
        """Look at the picture that is open.

        Raises:
            NoImageError: none is.
            BadCoordError: what is seen isn't on the picture, or is nothing.
        """
        image = self._session.image
        if image is None:
            raise NoImageError("expected an open picture to look at; send open first")
        check_box(message.view, image.width, image.height)
        self._give_up("another look came")
        self.preparation.begin(message)

    def drop(self) -> None:
        """Give up a request, since another picture or model comes, and say so."""
        self._give_up("another picture or model came")

    def _give_up(self, why: str) -> None:
        request = self.preparation.request
        if request is not None:
            self.preparation.drop()
            self._outbox.put(error_message(UnknownImageError(f"{why} before this one was answered"), request.seq))

    async def _carry_out(self, request: Look) -> None:
        image, model = self._session.image, self._session.answering
        if image is None:
            raise AssertionError("a look needs a picture")
        window = seen(request.view, request.scale, image.size_hw, model)
        try:
            if window is not None:
                await self._predictor.backend.encode_behind(self._predictor.key(image.image_id, model, window))
            self._outbox.put(Window(seq=request.seq, window=window))
        except HoverError as error:
            self._outbox.put(error_message(error, request.seq))
        self.preparation.request = None
