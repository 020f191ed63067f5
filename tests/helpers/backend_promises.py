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
from app.errors import MemoryLostError, UnknownImageError, UnknownModelError, UnknownObjectError
from app.protocol.recipe import BoxStep, PointStep, Step
from app.protocol.run_lengths import decode_mask
from app.service.answers import Replay, object_answer, preview_answer, shown
from app.service.backend import Backend
from app.service.embeddings import EmbeddingKey
from app.service.region_finder import GRID_ENDS
from app.service.scheduler import Priority
from app.service.tracking import FollowStep, PromptedFrame
from app.session.objects import SessionObject
from app.session.query import Query
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.peer import DEADLINE_S

SPECK_SHARE = 0.001
SIZE_HW = (300, 400)
SEEN_HW = (150, 200)
"""What the model sees of a source of `SIZE_HW`: half of it."""
KEY = EmbeddingKey("tiny", "a")
FRAMES = 4
SAME_IOU = 0.8
"""Of masks on a coarse grid and at the size of a frame."""


@dataclass
class Sources:
    """Pixels by the name of their source.

    Attributes:
        asked: the sources whose pixels were asked for.
    """

    kept: dict[str, ImageArray] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def pixels(self, source: str, /, *, again: bool = False, aside: bool = False) -> ImageArray:
        self.asked.append(source)
        if source not in self.kept:
            raise UnknownImageError("this source isn't kept")
        return self.kept[source]


def sources() -> Sources:
    """Return two sources whose masks differ, a window of one, which is but a source of its own, and a clip."""
    y, x = np.mgrid[: SEEN_HW[0], : SEEN_HW[1]]
    pictures = {name: np.stack([x, y, x + y + number], -1).astype(np.uint8) for number, name in enumerate("ab")}
    clip = {f"c#{frame}": pictures["a"] + np.uint8(frame) for frame in range(FRAMES)}
    return Sources(pictures | clip | {"a@0,0,64,64": pictures["a"][:64, :64].copy()})


class Make(Protocol):
    """Gives a backend around an engine without a model, which reads what it is given."""

    def __call__(self, sources: Sources) -> AbstractAsyncContextManager[Backend]: ...


def trust_the_slow(patch: pytest.MonkeyPatch) -> None:
    """Have no worker given up for its silence: on a busy machine an honest one may say nothing for `PROBE_S`."""
    for module in ("members", "dispatcher"):
        patch.setattr(f"app.fleet.{module}.PROBE_S", DEADLINE_S)


def trail(*steps: Step) -> SessionObject:
    return SessionObject(1, "a cup", 0, steps)


def click(x: float, y: float, label: int = 1) -> PointStep:
    return PointStep(x=x, y=y, label=label)


def expected(query: Query, pixels: ImageArray, *, three: bool = False) -> Replay:
    """Return the steps of a query as the engine answers them that every backend of these tests has."""
    engine = FakeEngine()
    return Replay(query, SIZE_HW, engine, engine.encode(pixels), three=three)


def frame_key(frame: int) -> EmbeddingKey:
    return EmbeddingKey("tiny", f"c#{frame}")


def step(frame: int, shown: PromptedFrame, *, backward: bool = False, pass_id: str = "pass") -> FollowStep:
    """One frame of a pass from a prompted frame."""
    way = f"{pass_id} {'back' if backward else 'ahead'}"
    return FollowStep(way, frame, FRAMES, start=shown.frame, backward=backward, prompted=(shown,))


async def given_on_frame(backend: Backend, frame: int) -> PromptedFrame:
    """Click on an object on a frame; return what is shown there."""
    answer = await backend.answer(frame_key(frame), SIZE_HW, Query(1, trail(click(200, 150))))
    fine = answer.fine[answer.best] if answer.fine else None
    return PromptedFrame(frame, f"c#{frame}", fine or answer.masks[answer.best])


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
        found = [await backend.regions(KEY, SIZE_HW, count) for count in GRID_ENDS]
        assert [len(each) for each in found] == sorted(len(each) for each in found)
        assert backend.holds(KEY)
        with pytest.raises(UnknownImageError):
            await backend.regions(EmbeddingKey("tiny", "gone"), SIZE_HW, GRID_ENDS[0])

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

    async def test_an_object_is_followed_from_a_prompted_frame_each_way(self, backend: Backend) -> None:
        assert await backend.prepare_tracking("tiny") is False
        shown = await given_on_frame(backend, 1)
        ahead = [await backend.follow(frame_key(frame), SIZE_HW, step(frame, shown)) for frame in (2, 3)]
        back = await backend.follow(frame_key(0), SIZE_HW, step(0, shown, backward=True))
        for followed in (*ahead, back):
            assert followed.object_logit > 0
            [mask] = followed.answer.fine or followed.answer.masks
            assert mask is not None
            found, wanted = decode_mask(mask), decode_mask(shown.mask)
            assert (found & wanted).sum() / (found | wanted).sum() > SAME_IOU
        again = await backend.follow(frame_key(2), SIZE_HW, step(2, shown, pass_id="another"))
        assert again == ahead[0], "another pass of the same prompts gives the same"

    async def test_a_pass_whose_memories_are_gone_says_so(self, backend: Backend) -> None:
        shown = await given_on_frame(backend, 1)
        with pytest.raises(MemoryLostError, match="track again from frame 1"):
            await backend.follow(frame_key(3), SIZE_HW, step(3, shown, pass_id="a new one"))

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
