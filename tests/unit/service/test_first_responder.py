"""When nano goes first, and what becomes of the objects that it answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.engine.contract import Engine
from app.errors import ModelUnavailableError
from app.protocol.recipe import PointStep
from app.service.first_responder import FirstResponder
from app.service.model_pool import ModelPool
from app.session.objects import SessionObject
from app.session.query import Query
from app.weights.download import OnBytes
from tests.helpers.assertions import answer_to
from tests.helpers.fake_engine import FakeEngine

pytestmark = pytest.mark.anyio


class Source:
    """Gives engines without a model, or none."""

    def __init__(self, *, there: bool = True) -> None:
        self.there = there

    def nbytes(self, name: str) -> int:
        return 1

    def prepare(self, name: str, progress: OnBytes) -> Callable[[], Engine]:
        if not self.there:
            raise ModelUnavailableError("damaged")
        return lambda: FakeEngine(model=name)


def responder(*, there: bool = True) -> tuple[FirstResponder, ModelPool]:
    models = ModelPool(FakeEngine(), Source(there=there), budget_bytes=2, load_timeout_s=5.0)
    return FirstResponder("nano", models), models


@pytest.mark.parametrize(
    ("own_ms", "other_ms", "sooner"),
    [
        (None, None, True),  # nothing is known yet
        (80.0, 500.0, True),
        (80.0, 12_000.0, True),
        (None, 100.0, False),  # nobody feels it
        (5.0, 20.0, False),
        (300.0, 500.0, False),
    ],
)
async def test_nano_goes_first_until_it_is_known_not_to_be_worth_it(
    own_ms: float | None, other_ms: float | None, sooner: bool
) -> None:
    first, _ = responder()
    if own_ms is not None:
        first.measured("nano", own_ms)
    if other_ms is not None:
        first.measured("tiny", 2 * other_ms)  # the first encode of a model takes longer
        first.measured("tiny", other_ms)
    assert first.is_sooner_than("tiny") is sooner
    assert not first.is_sooner_than("nano")


async def test_it_stays_loaded_whatever_else_is_loaded() -> None:
    first, models = responder()
    task = asyncio.create_task(first.run())
    async with models.use("nano"):
        pass
    for name in ("small", "large"):
        async with models.use(name):
            assert "nano" in models.names
    task.cancel()


async def test_where_it_cannot_be_loaded_sessions_wait_for_their_own_model() -> None:
    first, _ = responder(there=False)
    await first.run()
    assert not first.is_sooner_than("tiny")


def test_a_pick_that_the_next_model_has_not_falls_to_the_best() -> None:
    trail = (PointStep(x=1.0, y=1.0, label=1, pick=2),)
    picked = SessionObject(1, "a", 0, trail)
    three = answer_to(Query(0, picked))
    assert picked.predicted(three).chosen == 2
    one = replace(three, masks=three.masks[:1], memory=three.memory[:1], best=0, fine=three.fine[:1])
    assert picked.predicted(one).chosen == 0
    assert picked.predicted(None).trail == trail  # kept for whoever answers it
