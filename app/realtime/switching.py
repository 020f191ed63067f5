"""Another model for one session: fetched and loaded beside its work, then its picture and objects predicted again.

Decision: a session goes on with its old model until the new one is loaded. Context: a download takes minutes. Choice:
only the change-over itself takes a turn among the session's changes; a newer `model` message goes before one that
still waits. Price: a click that was sent after `model` may be answered by the old model first, and is predicted again
like all the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from functools import partial

from app.errors import HoverError, ModelUnavailableError, UnknownModelError
from app.protocol.messages import Model, Progress
from app.protocol.recipe import Recipe
from app.realtime.closing import error_message
from app.realtime.inbox import Inbox
from app.realtime.outbox import Outbox
from app.realtime.queue_position import embedded_in_turn
from app.realtime.transport import DisconnectedError
from app.service.predictor import Predictor
from app.session.objects import Answered, SessionObject
from app.session.session import Change, Query, Session, Told
from app.session.values import OpenImage


class ModelSwitch:
    """Brings one session to other models.

    Attributes:
        turn: held by whoever changes the session.
    """

    def __init__(self, session: Session, inbox: Inbox, outbox: Outbox, predictor: Predictor) -> None:
        self._session, self._inbox, self._outbox, self._predictor = session, inbox, outbox, predictor
        self._wish: Model | None = None
        self._wished = asyncio.Event()
        self._carrying_out: asyncio.Task[None] | None = None
        self.turn = asyncio.Lock()

    async def run(self) -> None:
        """Load what is wished for until the task is cancelled."""
        while True:
            await self._wished.wait()
            self._wished.clear()
            if self._wish is None:
                continue
            self._carrying_out = asyncio.create_task(self._carry_out(self._wish))
            try:
                await asyncio.wait([self._carrying_out])
            finally:
                self._carrying_out.cancel()
            if not self._carrying_out.cancelled():
                self._carrying_out.result()  # a bug ends the connection

    async def step(self, message: Model) -> list[Told]:
        """Return the replies to a `model` message; none yet where the model has to be loaded first. In turn.

        Raises:
            HoverError: the switch can't be made; nothing of the session has changed.
        """
        loaded = self._predictor.models.is_loaded(message.name)
        if self._wish is not None and self._wish.seq == message.seq:
            return []
        self._overtake()
        if self._session.has_handled(message.seq) or message.name == self._session.model:
            return self._session.switched(message.seq)
        if loaded:
            return await self._switch(message)
        self._wish = message
        self._wished.set()
        return []

    async def made_with(self, recipe: Recipe, seq: int) -> str:
        """Return the name of the model that makes a recipe again, loaded: its own, else the session's. In turn.

        Raises:
            HoverError: the device can't take it now.
        """
        try:
            async with self._predictor.models.use(recipe.model, partial(self._tell, seq)):
                return recipe.model
        except (UnknownModelError, ModelUnavailableError):
            return self._session.model

    async def renew(self, message: Change) -> None:
        """Predict what an undo or redo brings back from before a switch. In turn.

        Raises:
            HoverError: it can't be predicted now; nothing of the session has changed.
        """
        image, missing = self._session.image, self._session.missing(message)
        if image is not None and missing:
            self._session.renew(await self._predicted(image, missing, self._session.model))

    def _overtake(self) -> None:
        """Tell that a model isn't waited for any more: the newest choice counts."""
        if self._wish is None:
            return
        error = ModelUnavailableError(f"{self._wish.name} isn't waited for any more: another model was chosen")
        self._outbox.put(error_message(error, self._wish.seq))
        self._wish = None
        if self._carrying_out is not None:
            self._carrying_out.cancel()

    async def _carry_out(self, message: Model) -> None:
        """Load a model, then switch in turn."""
        try:
            async with self._predictor.models.use(message.name, partial(self._tell, message.seq)), self.turn:
                self._wish = None
                self._outbox.put_answer(await self._switch(message))
        except HoverError as error:
            self._wish = None
            self._outbox.put(error_message(error, message.seq))

    def _tell(self, seq: int, fraction: float) -> None:
        with contextlib.suppress(DisconnectedError):  # whoever sends next sees it too
            self._outbox.put(Progress(seq=seq, stage="downloading", fraction=fraction))

    async def _switch(self, message: Model) -> list[Told]:
        """Return the replies of a switch to a loaded model. All is predicted before anything of the session changes."""
        session, image, name = self._session, self._session.image, message.name
        cached, encode_ms, answered = True, 0.0, []
        if image is not None:
            embedded = await embedded_in_turn(self._predictor, self._outbox, message.seq, image.image_id, name)
            cached, encode_ms = embedded.cached, embedded.encode_ms
            answered = await self._predicted(image, session.objects.values(), name)
        self._inbox.drop_hover()
        self._outbox.drop_preview()
        session.switch(message.seq, name, answered)
        return session.switched(message.seq, cached=cached, encode_ms=encode_ms)

    async def _predicted(self, image: OpenImage, items: Iterable[SessionObject], model: str) -> list[Answered]:
        return [(item, await self._predictor.answer(image, Query(0, item), model)) for item in items]
