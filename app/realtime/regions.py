"""Looks for the things of one session's picture, while its hovers and clicks go on before it."""

from __future__ import annotations

from app.errors import HoverError, NoImageError, UnknownImageError
from app.protocol.codec import fitting
from app.protocol.messages import FindRegions, Regions
from app.realtime.closing import error_message
from app.realtime.outbox import Outbox
from app.realtime.preparation import Preparation
from app.service.predictor import Predictor
from app.service.region_finder import LEVEL_ENDS
from app.session.session import Session


class RegionSearch:
    """Answers the newest request of one session: first with large things, then with smaller ones too.

    Attributes:
        preparation: what runs beside the session's changes.
    """

    def __init__(self, session: Session, outbox: Outbox, predictor: Predictor) -> None:
        """Begin without a request.

        Args:
            session: whose picture.
            outbox: where the answers go.
            predictor: what finds them.
        """
        self._session, self._outbox, self._predictor = session, outbox, predictor
        self.preparation = Preparation(self._carry_out)

    def begin(self, message: FindRegions) -> None:
        """Look in the picture that is open; a request before this one gets no further answer.

        Raises:
            NoImageError: none is.
        """
        if self._session.image is None:
            raise NoImageError("expected an open picture to look for its regions; send open first")
        self.preparation.begin(message)

    def drop(self) -> None:
        """Give up a search, since another picture or model comes, and say so."""
        request = self.preparation.request
        if request is not None:
            self.preparation.drop()
            gone = UnknownImageError("another picture or model came during the search for regions; ask again")
            self._outbox.put(error_message(gone, request.seq))

    async def _carry_out(self, request: FindRegions) -> None:
        image = self._session.image
        if image is None:
            raise AssertionError("a search needs a picture")
        key = self._predictor.key(image.image_id, self._session.answering)
        try:
            for count in LEVEL_ENDS:
                found = fitting(await self._predictor.backend.regions(key, image.size_hw, count))
                self._outbox.put(Regions(seq=request.seq, regions=found, last=count == LEVEL_ENDS[-1]))
                await self._outbox.sent()
        except HoverError as error:
            self._outbox.put(error_message(error, request.seq))
        self.preparation.request = None
