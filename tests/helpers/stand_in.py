"""Workers without a model, for tests of all of a fleet that isn't the model: real processes of a real Ray."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from app import __version__
from app.arrays import ImageArray
from app.engine.contract import Candidates, Embedding, Engine, Prompt
from app.engine.limits import EngineLimits
from app.fleet.members import Call, WorkerProcesses
from app.fleet.values import WorkerSpec
from app.service.limits import ServiceLimits
from app.settings import Settings
from app.weights.catalogue import Say, Weights
from tests.helpers.fake_engine import FakeEmbedding, FakeEngine

DECODE_MS = "STAND_IN_DECODE_MS"
"""Variable of the environment: how long a decode sleeps; none where it isn't set."""


@dataclass
class SleepyEngine(FakeEngine):
    """Geometry that takes its time."""

    decode_s: float = 0.0

    def encode(self, image: ImageArray) -> FakeEmbedding:
        self.encoded.clear()  # or they would grow with a soak
        return super().encode(image)

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        time.sleep(self.decode_s)
        self.decoded.clear()
        return super().decode(embedding, prompts)


def load_stand_in(weights: Weights, settings: Settings, say: Say, *, limits: EngineLimits | None = None) -> Engine:
    """Return an engine without a model; called in a worker."""
    device = settings.device or ("cuda" if os.environ.get("CUDA_VISIBLE_DEVICES") else "cpu")
    decode_s = float(os.environ.get(DECODE_MS, "0")) / 1000
    return SleepyEngine(model=weights.entry.name, device=device, decode_s=decode_s)


def stand_in_spec(folder: Path, settings: Settings | None = None, **changes: object) -> WorkerSpec:
    """Return what a worker without a model is to be; its checkpoint is an empty file in a folder."""
    checkpoint = folder / "tiny.pt"
    checkpoint.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    given = settings or Settings(offline=True, cache_dir=folder / "cache")
    spec = WorkerSpec(__version__, given, ServiceLimits(), "tiny", checkpoint, empty, None, load_stand_in)
    return WorkerSpec(**{**vars(spec), **changes})


class Lent:
    """Workers that aren't closed by whoever is lent them."""

    def __init__(self, workers: WorkerProcesses) -> None:
        self._workers = workers

    @property
    def names(self) -> Collection[str]:
        return self._workers.names

    def call(self, worker: str, method: str, *args: object) -> Call:
        return self._workers.call(worker, method, *args)

    def first_of(self, calls: Collection[Call], timeout_s: float) -> Call | None:
        return self._workers.first_of(calls, timeout_s)

    def close(self) -> None:
        """Leave them to others."""
