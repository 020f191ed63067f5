"""Another model for one session: made ready beside its work, then its objects predicted again and all changed at once.

Decision: a session goes on with the model that answers until the new one is loaded and has seen the picture. Context: a
download takes minutes, an encode seconds. Choice: only the replay of the prompts and the change-over take a turn among
the session's changes; a newer `model` message goes before one that still waits. Price: a click that was sent after
`model` may be answered by the old model first, and is predicted again like all the others.

A picture that a stand-in answers for is the same: the session's own model is made ready and takes the place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from functools import partial
from typing import Final

from app.errors import BusyError, EngineFailedError, HoverError, ModelUnavailableError, UnknownModelError
from app.protocol.messages import Model, Progress, Redo, Undo
from app.protocol.recipe import Recipe
from app.realtime.closing import error_message
from app.realtime.hovers import HoverWorker
from app.realtime.outbox import Outbox
from app.realtime.preparation import Preparation, SwitchRequest
from app.realtime.queue_position import embedded_in_turn
from app.realtime.tracks import TrackWorker
from app.realtime.transport import DisconnectedError
from app.service.backend import Encoded
from app.service.predictor import Predictor
from app.session.objects import Answered, SessionObject
from app.session.replies import StateMessage
from app.session.session import Session
from app.session.values import OpenImage

TRIES: Final = 3
"""So often the session's own model is asked to see a picture, before its client is told that it can't."""
AGAIN_S: Final = 1.0
"""Between two tries, where the refusal doesn't say how long to wait."""


class ModelSwitch:
    """Brings one session to other models, and to its own after a stand-in.

    Attributes:
        turn: held by whoever changes the session.
        preparations: what is made ready beside the changes; each is to be run.
    """

    def __init__(
        self, session: Session, hovers: HoverWorker, outbox: Outbox, predictor: Predictor, tracks: TrackWorker
    ) -> None:
        """Begin with nothing to make ready.

        Args:
            session: what is brought to another model.
            hovers: of the same session; what waits is asked of the new model.
            outbox: where the answers go.
            predictor: where models are loaded and asked.
            tracks: of the same session; what was followed is followed again by the new model.
        """
        self._session, self._hovers, self._outbox, self._predictor = session, hovers, outbox, predictor
        self._tracks = tracks
        self._backend = predictor.backend
        self._chosen, self._own = self.preparations = Preparation(self._carry_out), Preparation(self._take_place)
        self.turn = asyncio.Lock()

    async def step(self, message: Model) -> list[StateMessage]:
        """Return the replies to a `model` message; none yet where the model isn't ready. In turn.

        Raises:
            HoverError: the switch can't be made; nothing of the session has changed.
        """
        session, request = self._session, SwitchRequest(message.seq, message.name)
        loaded = self._backend.is_loaded(message.name)
        if self._chosen.request == request:
            return []
        self._overtake()
        if session.has_handled(message.seq) or message.name == session.model:
            self.finish()
            return session.switched(message.seq)
        if loaded and (
            session.image is None or self._backend.holds(self._predictor.key(session.image.image_id, message.name))
        ):
            return await self._switch(request, None)
        self._chosen.begin(request)
        return []

    def finish(self) -> None:
        """Let the session's own model take the place of a stand-in, unless that is under way. In turn."""
        stand_in, request = self._session.stand_in, self._own.request
        if stand_in is None:
            self._own.drop()
        elif request is None or request.stand_in is not stand_in:
            self._own.begin(SwitchRequest(stand_in.seq, self._session.model, stand_in))

    async def made_with(self, recipe: Recipe, seq: int) -> str:
        """Return the name of the model that makes a recipe again, loaded: its own, else the session's. In turn.

        Raises:
            HoverError: the device can't take it now.
        """
        try:
            async with self._backend.use(recipe.model, partial(self._tell, seq)):
                return recipe.model
        except (UnknownModelError, ModelUnavailableError):
            return self._session.model

    async def renew(self, message: Undo | Redo) -> None:
        """Predict what an undo or redo brings back from before a switch. In turn.

        Raises:
            HoverError: it can't be predicted now; nothing of the session has changed.
        """
        image, missing = self._session.image, self._session.missing(message)
        if image is not None and missing:
            self._session.renew(await self._predicted(image, missing, self._session.answering))

    def _overtake(self) -> None:
        """Tell that a model isn't waited for any more: the newest choice counts."""
        if self._chosen.request is None:
            return
        seq, name = self._chosen.request.seq, self._chosen.request.name
        error = ModelUnavailableError(f"{name} isn't waited for any more: another model was chosen")
        self._outbox.put(error_message(error, seq))
        self._chosen.drop()

    async def _carry_out(self, request: SwitchRequest) -> None:
        """Make ready a model that was chosen, then switch in turn; whatever picture is open then, it has seen."""
        try:
            async with self._backend.use(request.name, partial(self._tell, request.seq)):
                while not await self._made_ready(self._chosen, request):
                    pass
        except HoverError as error:
            self._chosen.request = None
            self._outbox.put(error_message(error, request.seq))

    async def _take_place(self, request: SwitchRequest) -> None:
        """Make ready the session's own model, then change over in turn. What passes is tried again."""
        for tries_left in reversed(range(TRIES)):
            try:
                async with self._backend.use(request.name, partial(self._tell, request.seq)):
                    await self._made_ready(self._own, request)
                return
            except HoverError as error:
                if not tries_left or not isinstance(error, (BusyError, EngineFailedError)):
                    self._own.request = None
                    self._outbox.put(error_message(error, request.seq))
                    return
                await asyncio.sleep(error.retry_after_s or AGAIN_S)

    async def _made_ready(self, preparation: Preparation[SwitchRequest], request: SwitchRequest) -> bool:
        """Let a model see the open picture, then switch in turn; False where another picture was opened meanwhile."""
        image, embedded = self._session.image, None
        if image is not None:
            embedded = await embedded_in_turn(
                self._backend, self._outbox, request.seq, self._predictor.key(image.image_id, request.name)
            )
        async with self.turn:
            if self._session.image is not image:
                return False
            replies = await self._switch(request, embedded)
            preparation.request = None
            self._outbox.put_answer(replies)
            self._tracks.look(request.seq, again=True)
            return True

    def _tell(self, seq: int, fraction: float) -> None:
        with contextlib.suppress(DisconnectedError):  # whoever sends next sees it too
            self._outbox.put(Progress(seq=seq, stage="downloading", fraction=fraction))

    async def _switch(self, request: SwitchRequest, embedded: Encoded | None) -> list[StateMessage]:
        """Return the replies of a switch to a model that is ready. In turn.

        All is predicted before anything of the session changes. What the pointer has asked is asked of the new model.
        """
        session, image = self._session, self._session.image
        answered = [] if image is None else await self._predicted(image, session.prompted(), request.name)
        session.switch(request.seq, request.name, answered)
        self._outbox.send_preview()
        self._hovers.ask_again()
        if request.stand_in is None:
            self._own.drop()
        if embedded is None:
            return session.switched(request.seq)
        return session.switched(request.seq, cached=embedded.cached, encode_ms=embedded.encode_ms)

    async def _predicted(self, image: OpenImage, items: Iterable[SessionObject], model: str) -> list[Answered]:
        return [(item, await self._predictor.replayed(image, item, model)) for item in items]
