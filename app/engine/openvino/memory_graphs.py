"""What follows objects on compiled graphs, made in the background when a clip is first opened.

Decision: a model's memory is converted apart from the rest, and only for clips. Context: it takes most of a minute, and
whoever opens pictures never needs it. Choice: another process converts it when it is first asked for, and it is kept
beside the other graphs. Price: the first clip on a machine waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from app.arrays import MaskArray
from app.engine.contract import Embedding, Prompt, Tracked
from app.engine.memory_bank import Memory, MemoryBank
from app.engine.openvino.graph_store import GraphKey, GraphStore, check_seal
from app.engine.openvino.hot_swap import Conversion, ConversionFailedError
from app.engine.sam2.tracker import MemoryTracker
from app.errors import EngineFailedError, ModelUnavailableError

NOT_READY: Final = "the model's memory isn't compiled yet; prepare it, and try again in a minute"

log = structlog.get_logger(__name__)


class MemoryGraphs:
    """Fulfils `engine.Tracker` once the graphs are there."""

    is_rough = False

    def __init__(
        self, key: GraphKey, store: GraphStore, conversion: Conversion, load: Callable[[Path], MemoryTracker]
    ) -> None:
        """Make nothing yet.

        Args:
            key: of the memory's graphs.
            store: where they are kept.
            conversion: makes them.
            load: loads them.
        """
        self._key, self._store, self._conversion, self._load = key, store, conversion, load
        self._lock = threading.Lock()
        self._tracker: MemoryTracker | None = None
        self._maker: threading.Thread | None = None
        self._failure: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether objects can be followed."""
        return self._tracker is not None

    def prepare(self) -> None:
        """Begin to make the graphs, where they aren't there; see `contract.TrackingEngine.prepare_tracking`."""
        with self._lock:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise ModelUnavailableError(failure)
            if self._tracker is None and self._maker is None:
                self._maker = threading.Thread(target=self.make, name=f"memory {self._key.model}", daemon=True)
                self._maker.start()

    def track(self, embedding: Embedding, bank: MemoryBank, prompt: Prompt | None, pick: int | None) -> Tracked:
        """Return one object on one frame."""
        return self._made().track(embedding, bank, prompt, pick)

    def remember(self, embedding: Embedding, mask_hw: MaskArray) -> Memory:
        """Return what to remember of an object whose mask is known."""
        return self._made().remember(embedding, mask_hw)

    def close(self) -> None:
        """Stop the conversion, if it runs."""
        self._conversion.stop()

    def _made(self) -> MemoryTracker:
        if self._tracker is None:
            raise EngineFailedError(NOT_READY)
        return self._tracker

    def make(self) -> None:
        """Make the graphs, where they aren't there, and load them; one that fails is told by the next `prepare`."""
        try:
            folder = self._found()
            if folder is None:
                self._conversion.run()
                folder = self._found()
            if folder is None:
                raise ConversionFailedError("it left nothing behind")
            self._tracker = self._load(folder)
            log.info("memory_compiled", model=self._key.model, precision=self._key.precision)
        except (ConversionFailedError, ModelUnavailableError, OSError) as error:
            self._failure = f"the memory of {self._key.model} couldn't be compiled ({error}); try again"
            log.warning("memory_not_compiled", model=self._key.model, why=str(error))
        finally:
            self._maker = None

    def _found(self) -> Path | None:
        """Return the folder of the graphs, None where there is none; a damaged one goes."""
        folder = self._store.find(self._key)
        try:
            if folder is not None:
                check_seal(folder)
        except ModelUnavailableError:
            self._store.discard(self._key)
            return None
        return folder
