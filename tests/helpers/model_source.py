"""A source of engines without a model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.engine.contract import Engine
from app.errors import UnknownModelError
from app.service.model_pool import ModelPool
from app.weights.download import OnBytes
from tests.helpers.fake_engine import FakeEngine

DEADLINE_S = 20.0


SIZE = 100


@dataclass
class FakeModelSource:
    """A source of fake engines.

    Attributes:
        gate: where given, a load waits for it.
        steps: what downloads tell one after the other; each waits for `more` to be released.
        errors: what the next loads raise, one each.
        fetched, made: names of what was prepared and loaded so far.
    """

    gate: threading.Event | None = None
    steps: list[int] = field(default_factory=list)
    more: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    errors: list[Exception] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    made: list[FakeEngine] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def nbytes(self, name: str) -> int:
        if name not in ("nano", "tiny", "small", "large"):
            raise UnknownModelError(f"no model is called {name}")
        return SIZE

    def prepare(self, name: str, progress: OnBytes) -> Callable[[], Engine]:
        self.fetched.append(name)
        try:
            for step in self.steps:
                assert self.more.acquire(timeout=DEADLINE_S)
                progress(step, 100)
        except Exception:
            self.stopped.set()
            raise
        if self.errors:
            raise self.errors.pop(0)
        return lambda: self.load(name)

    def load(self, name: str) -> FakeEngine:
        assert self.gate is None or self.gate.wait(DEADLINE_S)
        if self.errors:
            raise self.errors.pop(0)
        engine = FakeEngine(model=name)
        self.made.append(engine)
        return engine


async def used(pool: ModelPool, name: str) -> Engine:
    async with pool.use(name) as engine:
        return engine
