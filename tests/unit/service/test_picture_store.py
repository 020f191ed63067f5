from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from app.errors import BusyError, CorruptImageError, UnknownImageError
from app.pictures import Picture, PictureLimits, image_id_of, read_picture
from app.service import picture_store
from app.service.limits import ServiceLimits
from app.service.picture_store import FRESH, PictureStore
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.slow_reading import LONG_S, SlowReading

pytestmark = pytest.mark.anyio
LIMITS = PictureLimits(max_bytes=10**6, max_pixels=10**6)
TWO = ServiceLimits(max_pictures_queued=2)


@pytest.fixture
async def store(anyio_backend: str) -> AsyncIterator[PictureStore]:
    store = PictureStore(LIMITS, 10**6, TWO)
    yield store
    store.close()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was decoded, in order."""
    came: list[bytes] = []

    def counting(data: bytes, limits: PictureLimits) -> Picture:
        came.append(data)
        return read_picture(data, limits)

    monkeypatch.setattr(picture_store, "read_picture", counting)
    return came


async def test_a_picture_is_kept_under_the_name_of_its_bytes(store: PictureStore) -> None:
    data = png(30, 20)
    info = await store.add(data)
    assert (info.image_id, info.width, info.height) == (image_id_of(data), 30, 20)
    assert await store.info(info.image_id) == info
    assert (await store.pixels(info.image_id)).shape == (20, 30, 3)


async def test_the_same_picture_is_kept_once(store: PictureStore) -> None:
    first, second = await asyncio.gather(store.add(png()), store.add(png()))
    assert first == second
    assert store.nbytes == len(png())


async def test_a_picture_that_never_came_is_unknown(store: PictureStore) -> None:
    with pytest.raises(UnknownImageError):
        await store.info("0" * 32)
    with pytest.raises(UnknownImageError):
        await store.pixels("0" * 32)


async def test_a_damaged_picture_is_not_kept(store: PictureStore) -> None:
    with pytest.raises(CorruptImageError):
        await store.add(file_of(noise(20, 20), "PNG")[:600])
    assert store.nbytes == 0


async def test_a_new_picture_is_decoded_once_between_upload_and_encode(store: PictureStore, reads: list[bytes]) -> None:
    info = await store.add(png())
    first = await store.pixels(info.image_id)
    assert len(reads) == 1
    assert np.array_equal(await store.pixels(info.image_id), first)
    assert len(reads) == 2


async def test_only_a_few_decoded_pictures_are_kept(store: PictureStore, reads: list[bytes]) -> None:
    infos = [await store.add(png(10 + number, 10)) for number in range(FRESH + 1)]
    await store.pixels(infos[1].image_id)
    assert len(reads) == FRESH + 1
    await store.pixels(infos[0].image_id)
    assert len(reads) == FRESH + 2


async def test_the_least_recently_used_picture_makes_room() -> None:
    files = [file_of(noise(20, 20, seed), "PNG") for seed in range(3)]
    store = PictureStore(LIMITS, len(files[0]) + len(files[2]) + 10, TWO)
    infos = [await store.add(data) for data in files[:2]]
    await store.info(infos[0].image_id)  # used again, so the other one is the oldest
    infos.append(await store.add(files[2]))
    assert await store.info(infos[0].image_id) == infos[0]
    with pytest.raises(UnknownImageError):
        await store.info(infos[1].image_id)
    assert store.nbytes == len(files[0]) + len(files[2])
    store.close()


async def test_a_picture_larger_than_the_budget_is_kept_until_the_next() -> None:
    store = PictureStore(LIMITS, 1, TWO)
    info = await store.add(png())
    assert await store.info(info.image_id) == info
    store.close()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowReading:
    slow = SlowReading()
    monkeypatch.setattr(picture_store, "read_picture", slow)
    return slow


async def test_as_many_pictures_wait_as_allowed_and_one_more_is_busy(store: PictureStore, slow: SlowReading) -> None:
    tasks = [asyncio.create_task(store.add(png(10 + number, 10))) for number in range(2)]
    assert await asyncio.to_thread(slow.begun.wait, LONG_S)
    with pytest.raises(BusyError) as raised:
        await store.add(png())
    assert raised.value.retry_after_s
    slow.open.set()
    assert [info.width for info in await asyncio.gather(*tasks)] == [10, 11]
    assert (await store.add(png())).width == 64


async def test_a_picture_that_takes_too_long_is_given_up(slow: SlowReading) -> None:
    store = PictureStore(LIMITS, 10**6, ServiceLimits(picture_timeout_s=0.01))
    with pytest.raises(BusyError, match="in time"):
        await store.add(png())
    slow.open.set()
    store.close()
