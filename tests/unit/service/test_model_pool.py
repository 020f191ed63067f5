"""The pool of loaded models: loaded once on first use, kept while in use, unloaded for others."""

from __future__ import annotations

import asyncio
import threading

import pytest

from app.errors import EngineFailedError, ModelUnavailableError, UnknownModelError
from app.service.model_pool import ModelPool
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.model_source import DEADLINE_S, SIZE, FakeModelSource, used

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def source() -> FakeModelSource:
    return FakeModelSource()


@pytest.fixture
def pool(source: FakeModelSource) -> ModelPool:
    return ModelPool(FakeEngine(model="nano"), source, budget_bytes=3 * SIZE, load_timeout_s=DEADLINE_S)


async def told(values: list[float], count: int) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while len(values) < count:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.001)


async def test_the_first_model_is_there_without_loading(pool: ModelPool, source: FakeModelSource) -> None:
    assert await used(pool, "nano") is pool.first
    assert source.made == []


async def test_a_model_is_loaded_on_first_use_and_kept(pool: ModelPool, source: FakeModelSource) -> None:
    assert await used(pool, "tiny") is await used(pool, "tiny")
    assert [engine.model for engine in source.made] == ["tiny"]


async def test_two_that_ask_at_once_load_once(pool: ModelPool, source: FakeModelSource) -> None:
    engines = await asyncio.gather(*(used(pool, "tiny") for _ in range(5)))
    assert {id(engine) for engine in engines} == {id(source.made[0])}
    assert source.fetched == ["tiny"]


async def test_the_event_loop_goes_on_while_a_model_is_loaded(pool: ModelPool, source: FakeModelSource) -> None:
    source.gate = threading.Event()
    loading = asyncio.create_task(used(pool, "tiny"))
    assert await used(pool, "nano") is pool.first
    assert not loading.done()
    source.gate.set()
    assert (await loading).model == "tiny"


async def test_an_unknown_model_is_refused(pool: ModelPool) -> None:
    with pytest.raises(UnknownModelError):
        await used(pool, "huge")
    with pytest.raises(UnknownModelError):
        pool.is_loaded("huge")


async def test_the_least_recently_used_model_makes_room(pool: ModelPool, source: FakeModelSource) -> None:
    unloaded: list[str] = []
    pool.on_unload = unloaded.append
    for name in ("tiny", "small", "tiny", "large"):
        await used(pool, name)
    assert pool.names == ["nano", "tiny", "large"]
    assert unloaded == ["small"]
    assert [engine.model for engine in source.made if engine.closed] == ["small"]


async def test_the_first_model_is_never_unloaded(source: FakeModelSource) -> None:
    pool = ModelPool(FakeEngine(model="nano"), source, budget_bytes=1, load_timeout_s=DEADLINE_S)
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


async def test_a_model_that_was_unloaded_is_loaded_again(pool: ModelPool, source: FakeModelSource) -> None:
    first = await used(pool, "tiny")
    for name in ("small", "large"):
        await used(pool, name)
    assert not pool.is_loaded("tiny")
    assert await used(pool, "tiny") is not first


async def test_a_failed_load_reaches_all_who_wait_and_the_next_tries_again(
    pool: ModelPool, source: FakeModelSource
) -> None:
    source.errors.append(ModelUnavailableError("cut short"))
    results = await asyncio.gather(*(used(pool, "tiny") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, ModelUnavailableError) for result in results)
    assert source.fetched == ["tiny"]
    assert (await used(pool, "tiny")).model == "tiny"


async def test_a_load_that_takes_too_long_is_given_up_and_the_next_model_is_loaded(source: FakeModelSource) -> None:
    pool = ModelPool(FakeEngine(model="nano"), source, budget_bytes=3 * SIZE, load_timeout_s=0.5)
    hangs = source.gate = threading.Event()
    with pytest.raises(EngineFailedError, match=r"tiny wasn't loaded within 0.5 s"):
        await used(pool, "tiny")
    source.gate = None
    assert (await used(pool, "small")).model == "small"
    hangs.set()
    assert pool.names == ["nano", "small"]


async def test_a_bug_while_loading_is_a_failed_engine(pool: ModelPool, source: FakeModelSource) -> None:
    source.errors.append(KeyError("secret"))
    with pytest.raises(EngineFailedError, match="tiny could not be loaded") as caught:
        await used(pool, "tiny")
    assert "secret" not in caught.value.message


async def test_all_who_wait_hear_of_the_download_also_those_who_come_later(
    pool: ModelPool, source: FakeModelSource
) -> None:
    source.steps = [10, 10, 60, 100]
    first: list[float] = []
    second: list[float] = []

    async def ask(heard: list[float]) -> None:
        async with pool.use("tiny", heard.append):
            pass

    asked = asyncio.create_task(ask(first))
    for _ in range(2):
        source.more.release()
    await told(first, 1)
    joined = asyncio.create_task(ask(second))
    await told(second, 1)
    source.more.release(2)
    await asyncio.gather(asked, joined)
    assert first == second == [0.1, 0.6, 1.0]
    assert source.fetched == ["tiny"]


async def test_the_last_one_who_leaves_stops_the_download(pool: ModelPool, source: FakeModelSource) -> None:
    source.steps = [10, 20, 30]
    asked = [asyncio.create_task(used(pool, "tiny")) for _ in range(2)]
    await asyncio.sleep(0)
    asked[0].cancel()
    await asyncio.wait([asked[0]])
    source.more.release()
    asked[1].cancel()
    await asyncio.wait([asked[1]])
    source.more.release(2)
    assert await asyncio.to_thread(source.stopped.wait, DEADLINE_S)
    source.steps = []
    assert (await used(pool, "tiny")).model == "tiny"


async def test_one_who_leaves_does_not_take_the_download_from_the_other(
    pool: ModelPool, source: FakeModelSource
) -> None:
    source.steps = [10, 100]
    leaves, stays = [asyncio.create_task(used(pool, "tiny")) for _ in range(2)]
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait([leaves])
    source.more.release(2)
    assert (await stays).model == "tiny"
    assert source.fetched == ["tiny"]


async def test_one_who_comes_while_a_download_stops_gets_the_model_all_the_same(
    pool: ModelPool, source: FakeModelSource
) -> None:
    source.steps = [10]
    leaves = asyncio.create_task(used(pool, "tiny"))
    await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait([leaves])
    source.more.release()
    assert await asyncio.to_thread(source.stopped.wait, DEADLINE_S)  # the event loop hasn't heard of it yet
    source.steps = []
    assert (await used(pool, "tiny")).model == "tiny"


async def test_closing_stops_downloads_and_lets_go_of_the_models(pool: ModelPool, source: FakeModelSource) -> None:
    await used(pool, "tiny")
    source.steps = [10, 100]
    asked = asyncio.create_task(used(pool, "small"))
    await asyncio.sleep(0)
    pool.close()
    source.more.release(2)
    assert await asyncio.to_thread(source.stopped.wait, DEADLINE_S)
    assert source.made[0].closed
    with pytest.raises(EngineFailedError, match="shutting down"):
        await asked
