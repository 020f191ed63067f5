"""What every backend promises, as tests: a module that has a backend to show inherits them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pytest

from app.arrays import ImageArray
from app.errors import UnknownImageError, UnknownModelError, UnknownObjectError
from app.protocol.recipe import BoxStep, PointStep, Step
from app.service.answers import Replay, object_answer, preview_answer, shown
from app.service.backend import Backend
from app.service.embeddings import EmbeddingKey
from app.service.region_finder import LEVEL_ENDS
from app.service.scheduler import Priority
from app.session.objects import SessionObject
from app.session.query import Query
from tests.helpers.fake_engine import FakeEngine

SPECK_SHARE = 0.001
SIZE_HW = (300, 400)
SEEN_HW = (150, 200)
"""What the model sees of a source of `SIZE_HW`: half of it."""
KEY = EmbeddingKey("tiny", "a")


@dataclass
class Sources:
    """Pixels by the name of their source.

    Attributes:
        asked: the sources whose pixels were asked for.
    """

    kept: dict[str, ImageArray] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def pixels(self, source: str, /, *, again: bool = False) -> ImageArray:
        self.asked.append(source)
        if source not in self.kept:
            raise UnknownImageError("this source isn't kept")
        return self.kept[source]


def sources() -> Sources:
    """Return two sources whose masks differ, and a window of one of them, which is but a source of its own."""
    y, x = np.mgrid[: SEEN_HW[0], : SEEN_HW[1]]
    pictures = {name: np.stack([x, y, x + y + number], -1).astype(np.uint8) for number, name in enumerate("ab")}
    return Sources(pictures | {"a@0,0,64,64": pictures["a"][:64, :64].copy()})


class Make(Protocol):
    """Gives a backend around an engine without a model, which reads what it is given."""

    def __call__(self, sources: Sources) -> AbstractAsyncContextManager[Backend]: ...


def trail(*steps: Step) -> SessionObject:
    return SessionObject(1, "a cup", 0, steps)


def click(x: float, y: float, label: int = 1) -> PointStep:
    return PointStep(x=x, y=y, label=label)


def expected(query: Query, pixels: ImageArray, *, three: bool = False) -> Replay:
    """Return the steps of a query as the engine answers them that every backend of these tests has."""
    engine = FakeEngine()
    return Replay(query, SIZE_HW, engine, engine.encode(pixels), three=three)


class BackendPromises:
    """Each test is given a `make` by its module."""

    @pytest.fixture
    def given(self) -> Sources:
        return sources()

    @pytest.fixture
    async def backend(self, anyio_backend: str, make: Make, given: Sources) -> AsyncIterator[Backend]:
        async with make(given) as backend:
            yield backend

    async def test_a_source_is_encoded_once_however_many_ask(self, backend: Backend, given: Sources) -> None:
        assert not backend.holds(KEY)
        found = await asyncio.gather(*(backend.encode(KEY) for _ in range(3)))
        assert [each.cached for each in found] == [False] * 3
        assert backend.holds(KEY)
        copies = max(1, min(2, len(backend.state().workers)))  # what several look at, a second worker has too
        assert given.asked in (["a"], ["a"] * copies)
        assert (await backend.encode(KEY)).cached

    async def test_a_prepared_source_is_encoded(self, backend: Backend) -> None:
        backend.prepare(KEY)
        await backend.encode(KEY)
        assert backend.holds(KEY)
        assert backend.before(KEY) == []

    async def test_a_hover_is_answered_as_by_the_engine_to_the_bit(self, backend: Backend, given: Sources) -> None:
        query = Query(1, trail(click(100, 120)))
        found = await backend.preview(KEY, SIZE_HW, lambda: query, Priority.HOVER)
        wanted = expected(query, given.kept["a"]).all()
        assert found == preview_answer(wanted, SIZE_HW, SPECK_SHARE, query.subject)

    async def test_a_hover_that_nobody_wants_any_more_is_not_answered(self, backend: Backend) -> None:
        await backend.encode(KEY)
        assert await backend.preview(KEY, SIZE_HW, lambda: None, Priority.HOVER) is None

    async def test_regions_are_looked_for_in_pictures_that_are_kept(self, backend: Backend) -> None:
        found = [await backend.regions(KEY, SIZE_HW, count) for count in LEVEL_ENDS]
        assert [len(each) for each in found] == sorted(len(each) for each in found)
        assert backend.holds(KEY)
        with pytest.raises(UnknownImageError):
            await backend.regions(EmbeddingKey("tiny", "gone"), SIZE_HW, LEVEL_ENDS[0])

    async def test_a_long_trail_is_answered_as_by_the_engine_to_the_bit(self, backend: Backend, given: Sources) -> None:
        points = [click(40 + 20 * number, 60 + 10 * number, number % 3 != 2) for number in range(11)]
        item = trail(BoxStep(box=(20, 30, 200, 220)), *points)
        found = await backend.answer(KEY, SIZE_HW, Query(1, item))
        wanted = expected(Query(1, item), given.kept["a"]).all()
        assert found == object_answer(wanted, SIZE_HW, SPECK_SHARE, item)

    async def test_a_step_goes_on_from_what_was_kept_of_the_one_before(self, backend: Backend, given: Sources) -> None:
        first = trail(click(100, 120))
        answered = first.answered(await backend.answer(KEY, SIZE_HW, Query(1, first)))
        refined = trail(click(100, 120), click(130, 100, 0))
        query = Query(2, refined, known=1, feedback=answered.feedback)
        found = await backend.answer(KEY, SIZE_HW, query)
        assert found == object_answer(expected(query, given.kept["a"]).all(), SIZE_HW, SPECK_SHARE, refined)

    async def test_candidates_are_those_that_masks_are_drawn_from(self, backend: Backend, given: Sources) -> None:
        query = Query(0, trail(click(100, 120), click(150, 160)))
        found = await backend.candidates(KEY, SIZE_HW, query)
        wanted = expected(query, given.kept["a"], three=True).all()
        assert np.array_equal(found.scores, wanted.scores)
        assert np.array_equal(found.logits, shown(wanted, SIZE_HW, SPECK_SHARE, query.subject.points))

    async def test_a_choice_is_drawn_at_the_size_of_the_source(self, backend: Backend) -> None:
        item = trail(click(100, 120))
        answer = await backend.answer(KEY, SIZE_HW, Query(1, item))
        [other] = [index for index in range(3) if answer.lacks(index)][:1]
        drawn = (await backend.drawn(item, answer, other, SIZE_HW)).fine[other]
        assert drawn is not None
        assert drawn.size == SIZE_HW

    async def test_a_window_is_but_a_source_of_another_name(self, backend: Backend, given: Sources) -> None:
        key, query = EmbeddingKey("tiny", "a@0,0,64,64"), Query(1, trail(click(30, 30)))
        await backend.encode(KEY)
        assert not backend.holds(key)
        found = await backend.answer(key, (64, 64), query)
        assert backend.holds(key)
        engine = FakeEngine()
        wanted = Replay(query, (64, 64), engine, engine.encode(given.kept["a@0,0,64,64"])).all()
        assert found == object_answer(wanted, (64, 64), SPECK_SHARE, query.subject)

    async def test_what_cannot_be_had_is_told_and_nothing_is_lost(self, backend: Backend) -> None:
        with pytest.raises(UnknownImageError, match="isn't kept"):
            await backend.encode(EmbeddingKey("tiny", "nowhere"))
        with pytest.raises(UnknownModelError, match="vast"):
            async with backend.use("vast"):
                pass
        picked = trail(PointStep(x=100, y=120, pick=7), click(10, 10))
        with pytest.raises(UnknownObjectError, match="got candidate 7"):
            await backend.answer(KEY, SIZE_HW, Query(1, picked))
        assert (await backend.answer(KEY, SIZE_HW, Query(1, trail(click(9, 9))))).masks

    async def test_it_tells_what_it_is(self, backend: Backend) -> None:
        async with backend.use("tiny"):
            assert backend.is_loaded("tiny")
        assert (backend.model, backend.device) == ("tiny", "cpu")
        assert backend.computes().keys() == {"tiny"}
        assert backend.computes()["tiny"].startswith("geometry on cpu")
        with pytest.raises(UnknownModelError):
            backend.is_loaded("vast")
        await backend.encode(KEY)
        state = backend.state()
        assert state.embedding_bytes > 0
        assert state.trouble == ""
        assert {kind: [lane.waiting for lane in lanes][:1] for kind, lanes in backend.lanes.items()} == {
            "decode": [0],
            "encode": [0],
            "first encode": [0],
        }
