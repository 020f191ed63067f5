"""The pool of loaded models: loaded once on first use, kept while in use, unloaded for others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from app.engine.contract import Engine
from app.engine.fake import FakeEngine
from app.engine.pool import ModelPool, Progress
from app.errors import EngineFailedError, ModelUnavailableError, UnknownModelError

pytestmark = pytest.mark.anyio

DEADLINE_S = 20.0
SIZE = 100


@dataclass
class Shelf:
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

    def prepare(self, name: str, progress: Progress) -> Callable[[], Engine]:
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


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def pool(shelf: Shelf) -> ModelPool:
    return ModelPool(FakeEngine(model="nano"), shelf, budget_bytes=3 * SIZE, load_timeout_s=DEADLINE_S)


async def used(pool: ModelPool, name: str) -> Engine:
    async with pool.use(name) as engine:
        return engine


async def told(values: list[float], count: int) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while len(values) < count:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.001)


async def test_the_first_model_is_there_without_loading(pool: ModelPool, shelf: Shelf) -> None:
    assert await used(pool, "nano") is pool.first
    assert shelf.made == []


async def test_a_model_is_loaded_on_first_use_and_kept(pool: ModelPool, shelf: Shelf) -> None:
    assert await used(pool, "tiny") is await used(pool, "tiny")
    assert [engine.model for engine in shelf.made] == ["tiny"]


async def test_two_that_ask_at_once_load_once(pool: ModelPool, shelf: Shelf) -> None:
    engines = await asyncio.gather(*(used(pool, "tiny") for _ in range(5)))
    assert {id(engine) for engine in engines} == {id(shelf.made[0])}
    assert shelf.fetched == ["tiny"]


async def test_the_event_loop_goes_on_while_a_model_is_loaded(pool: ModelPool, shelf: Shelf) -> None:
    shelf.gate = threading.Event()
    loading = asyncio.create_task(used(pool, "tiny"))
    assert await used(pool, "nano") is pool.first
    assert not loading.done()
    shelf.gate.set()
    assert (await loading).model == "tiny"


async def test_an_unknown_model_is_refused(pool: ModelPool) -> None:
    with pytest.raises(UnknownModelError):
        await used(pool, "huge")
    with pytest.raises(UnknownModelError):
        pool.is_loaded("huge")


async def test_the_least_recently_used_model_makes_room(pool: ModelPool, shelf: Shelf) -> None:
    unloaded: list[str] = []
    pool.on_unload = unloaded.append
    for name in ("tiny", "small", "tiny", "large"):
        await used(pool, name)
    assert pool.names == ["nano", "tiny", "large"]
    assert unloaded == ["small"]
    assert [engine.model for engine in shelf.made if engine.closed] == ["small"]


async def test_the_first_model_is_never_unloaded(shelf: Shelf) -> None:
    pool = ModelPool(FakeEngine(model="nano"), shelf, budget_bytes=1, load_timeout_s=DEADLINE_S)
    await used(pool, "tiny")
    await used(pool, "small")
    assert pool.names == ["nano", "small"]


async def test_a_model_in_use_is_never_unloaded(pool: ModelPool) -> None:
    async with pool.use("tiny") as tiny, pool.use("small"):
        await used(pool, "large")
        assert pool.names == ["nano", "tiny", "small", "large"]
        assert await used(pool, "tiny") is tiny
    await used(pool, "large")
    assert "tiny" in pool.names  # room is made for a model that comes, not before


async def test_a_model_that_was_unloaded_is_loaded_again(pool: ModelPool, shelf: Shelf) -> None:
    first = await used(pool, "tiny")
    for name in ("small", "large"):
        await used(pool, name)
    assert not pool.is_loaded("tiny")
    assert await used(pool, "tiny") is not first


async def test_a_failed_load_reaches_all_who_wait_and_the_next_tries_again(pool: ModelPool, shelf: Shelf) -> None:
    shelf.errors.append(ModelUnavailableError("cut short"))
    results = await asyncio.gather(*(used(pool, "tiny") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, ModelUnavailableError) for result in results)
    assert shelf.fetched == ["tiny"]
    assert (await used(pool, "tiny")).model == "tiny"


async def test_a_load_that_takes_too_long_is_given_up_and_the_next_model_is_loaded(shelf: Shelf) -> None:
    pool = ModelPool(FakeEngine(model="nano"), shelf, budget_bytes=3 * SIZE, load_timeout_s=0.5)
    hangs = shelf.gate = threading.Event()
    with pytest.raises(EngineFailedError, match=r"tiny wasn't loaded within 0.5 s"):
        await used(pool, "tiny")
    shelf.gate = None
    assert (await used(pool, "small")).model == "small"
    hangs.set()
    assert pool.names == ["nano", "small"]


async def test_a_bug_while_loading_is_a_failed_engine(pool: ModelPool, shelf: Shelf) -> None:
    shelf.errors.append(KeyError("secret"))
    with pytest.raises(EngineFailedError, match="tiny could not be loaded") as caught:
        await used(pool, "tiny")
    assert "secret" not in caught.value.message


async def test_all_who_wait_hear_of_the_download_also_those_who_come_later(pool: ModelPool, shelf: Shelf) -> None:
    shelf.steps = [10, 10, 60, 100]
    first: list[float] = []
    second: list[float] = []

    async def ask(heard: list[float]) -> None:
        async with pool.use("tiny", heard.append):
            pass

    asked = asyncio.create_task(ask(first))
    for _ in range(2):
        shelf.more.release()
    await told(first, 1)
    joined = asyncio.create_task(ask(second))
    await told(second, 1)
    shelf.more.release(2)
    await asyncio.gather(asked, joined)
    assert first == second == [0.1, 0.6, 1.0]
    assert shelf.fetched == ["tiny"]


async def test_the_last_one_who_leaves_stops_the_download(pool: ModelPool, shelf: Shelf) -> None:
    shelf.steps = [10, 20, 30]
    asked = [asyncio.create_task(used(pool, "tiny")) for _ in range(2)]
    await asyncio.sleep(0)
    asked[0].cancel()
    await asyncio.wait([asked[0]])
    shelf.more.release()
    asked[1].cancel()
    await asyncio.wait([asked[1]])
    shelf.more.release(2)
    assert await asyncio.to_thread(shelf.stopped.wait, DEADLINE_S)
    shelf.steps = []
    assert (await used(pool, "tiny")).model == "tiny"


async def test_one_who_leaves_does_not_take_the_download_from_the_other(pool: ModelPool, shelf: Shelf) -> None:
    shelf.steps = [10, 100]
    leaves, stays = [asyncio.create_task(used(pool, "tiny")) for _ in range(2)]
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait([leaves])
    shelf.more.release(2)
    assert (await stays).model == "tiny"
    assert shelf.fetched == ["tiny"]


async def test_one_who_comes_while_a_download_stops_gets_the_model_all_the_same(pool: ModelPool, shelf: Shelf) -> None:
    shelf.steps = [10]
    leaves = asyncio.create_task(used(pool, "tiny"))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait([leaves])
    shelf.more.release()
    assert await asyncio.to_thread(shelf.stopped.wait, DEADLINE_S)  # the event loop hasn't heard of it yet
    shelf.steps = []
    assert (await used(pool, "tiny")).model == "tiny"


async def test_closing_stops_downloads_and_lets_go_of_the_models(pool: ModelPool, shelf: Shelf) -> None:
    await used(pool, "tiny")
    shelf.steps = [10, 100]
    asked = asyncio.create_task(used(pool, "small"))
    await asyncio.sleep(0)
    pool.close()
    shelf.more.release(2)
    assert await asyncio.to_thread(shelf.stopped.wait, DEADLINE_S)
    assert shelf.made[0].closed
    with pytest.raises(EngineFailedError, match="shutting down"):
        await asked
