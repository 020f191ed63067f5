"""The model that answers first: small, kept loaded, and asked until the session's own has seen the picture.

Decision: whether it goes first is decided by measured times. Context: on two cores a picture takes the larger models
half a second to twelve, this one a tenth; on a GPU they are all done before anyone has moved the pointer. Choice: the
quickest encode of each model so far is remembered; this one goes first until it is known not to be worth it. Price:
on a fast device the first picture may be answered by it.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import structlog

from app.errors import HoverError

UNNOTICED_MS: Final = 150.0
"""Nobody feels a wait of so long."""
SOONER: Final = 2.0
"""So many times as long the other model has to take."""

log = structlog.get_logger(__name__)


class Models(Protocol):
    """Where models are loaded and kept while they are used; see `Backend.use`."""

    def use(self, model: str, /) -> AbstractAsyncContextManager[object]:
        """Have a model loaded and kept until the `with` ends."""
        ...


class FirstResponder:
    """Keeps the model loaded, and knows when it is of use.

    Attributes:
        model: its name.
    """

    def __init__(self, model: str, models: Models) -> None:
        """Load nothing yet.

        Args:
            model: its name.
            models: where it is loaded.
        """
        self.model, self._models = model, models
        self._usable = True
        self._quickest_ms: defaultdict[str, float] = defaultdict(lambda: math.inf)

    async def run(self) -> None:
        """Load the model and keep it loaded until the task is cancelled; without it, sessions wait for their own."""
        try:
            async with self._models.use(self.model):
                await asyncio.Event().wait()
        except HoverError as error:
            self._usable = False
            log.warning("no_first_responder", model=self.model, reason=error.message)

    def measured(self, model: str, encode_ms: float) -> None:
        """Take note of how long a model was at work on one picture."""
        self._quickest_ms[model] = min(encode_ms, self._quickest_ms[model])

    def is_sooner_than(self, model: str) -> bool:
        """Return whether it is worth asking until this model has seen a picture."""
        if not self._usable or model == self.model:
            return False
        other_ms = self._quickest_ms[model]
        if other_ms == math.inf:
            return True
        own_ms = self._quickest_ms[self.model]
        return other_ms > UNNOTICED_MS and (own_ms == math.inf or other_ms > SOONER * own_ms)
