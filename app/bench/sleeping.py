"""An engine that only sleeps: what is left of a hover's time is what everything around the model takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.arrays import ImageArray
from app.engine.contract import Candidates, Embedding, Engine, Prompt
from app.settings import Settings
from app.weights.catalogue import Say, Weights

GRID: Final = 64


@dataclass(frozen=True)
class SleepingEmbedding:
    """Nothing but a size."""

    size_hw: tuple[int, int]
    nbytes: int = 1000


class SleepingEngine:
    """Fulfils `contract.Engine`: a disc in the middle, whatever is asked, after a while."""

    device, runtime = "cpu", "a nap"
    logits_hw = (GRID, GRID)

    def __init__(self, model: str, decode_s: float) -> None:
        """Take the name that it goes by, and how long a decode sleeps."""
        y, x = np.ogrid[:GRID, :GRID]
        self.model, self._decode_s = model, decode_s
        self._disc = (GRID / 4 - np.hypot(x - GRID / 2, y - GRID / 2)).astype(np.float32)

    def encode(self, image: ImageArray) -> SleepingEmbedding:
        """Return an embedding; see `contract.Engine.encode`."""
        return SleepingEmbedding((image.shape[0], image.shape[1]))

    def encode_while(self, image: ImageArray, is_free: Callable[[], bool]) -> SleepingEmbedding:
        """Return an embedding; see `contract.Engine.encode_while`."""
        return self.encode(image)

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        """Return candidates; see `contract.Engine.decode`."""
        time.sleep(self._decode_s)
        return [Candidates(self._disc[None], np.array([0.9], np.float32)) for _ in prompts]

    def close(self) -> None:
        """Nothing runs beside the calls."""


def load_sleeping(weights: Weights, settings: Settings, say: Say, *, decode_s: float) -> Engine:
    """Return a stand-in; called in a worker."""
    return SleepingEngine(weights.entry.name, decode_s)
