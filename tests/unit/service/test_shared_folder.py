"""What two servers know of each other's pictures and files, and what is left of that when their folder fails."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.errors import UnknownImageError
from app.exports.files import BoundedBuffer, ExportFile
from app.pictures import PictureLimits, image_id_of
from app.service.limits import ServiceLimits
from app.service.parked import ParkedFiles
from app.service.picture_store import PictureStore
from app.service.shared_folder import KEY, KEY_BYTES, SharedFolder, shared_key
from tests.helpers.image_files import file_of, noise, png
from tests.helpers.shared import shared_at

pytestmark = pytest.mark.anyio
LIMITS = PictureLimits(max_bytes=10**6, max_pixels=10**6)
ROOMY_BYTES = 10**6


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[PictureStore, PictureStore]]:
    """Two servers' pictures."""
    folders = [shared_at(tmp_path) for _ in range(2)]
    made = [PictureStore(LIMITS, ROOMY_BYTES, ServiceLimits(), folder) for folder in folders]
    yield made[0], made[1]
    for store, folder in zip(made, folders, strict=True):
        store.close()
        folder.close()


Stores = tuple[PictureStore, PictureStore]


def export_file(name: str, data: bytes) -> ExportFile:
    buffer = BoundedBuffer(2**20)
    buffer.write(data)
    return ExportFile(name, "image/png", buffer)


async def test_a_picture_that_came_to_one_is_known_to_the_other(stores: Stores) -> None:
    one, other = stores
    info = await one.add(png(30, 20))
    assert await other.info(info.image_id) == info
    assert (await other.info(info.image_id)).colors == info.colors
    assert np.array_equal(await other.pixels(info.image_id), await one.pixels(info.image_id))


@pytest.mark.parametrize("first", ["pixels", "rendition", "native"])
async def test_it_is_there_for_whatever_is_asked_first(stores: Stores, first: str) -> None:
    one, other = stores
    image_id = (await one.add(png(30, 20))).image_id
    if first == "native":
        assert (await asyncio.to_thread(other.native(image_id))).shape == (20, 30, 3)
    elif first == "pixels":
        assert (await other.pixels(image_id)).shape == (20, 30, 3)
    else:
        assert (await other.rendition(image_id)).media_type == "image/png"


async def test_a_picture_that_made_room_in_memory_comes_back(tmp_path: Path) -> None:
    files = [file_of(noise(20, 20, seed), "PNG") for seed in range(2)]
    folder = shared_at(tmp_path)
    store = PictureStore(LIMITS, len(files[0]), ServiceLimits(), folder)
    first, _ = [await store.add(data) for data in files]
    assert await store.info(first.image_id) == first
    store.close()
    folder.close()


async def test_sessions_that_come_together_have_a_picture_read_once(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = stores
    image_id = (await one.add(png(30, 20))).image_id
    reads: list[str] = []
    read = SharedFolder.read_picture

    def counting(folder: SharedFolder, name: str) -> bytes | None:
        reads.append(name)
        return read(folder, name)

    monkeypatch.setattr(SharedFolder, "read_picture", counting)
    assert len({info.image_id for info in await asyncio.gather(*(other.info(image_id) for _ in range(20)))}) == 1
    assert reads == [image_id]


@pytest.mark.parametrize("image_id", ["0" * 32, "../key", "", "x" * 200])
async def test_what_came_to_none_is_unknown(stores: Stores, image_id: str) -> None:
    for store in stores:
        with pytest.raises(UnknownImageError, match="upload it again"):
            await store.info(image_id)


async def test_a_damaged_file_is_no_picture_and_the_next_upload_mends_it(stores: Stores, tmp_path: Path) -> None:
    one, other = stores
    image_id = (await one.add(png(30, 20))).image_id
    (tmp_path / "pictures" / image_id).write_bytes(png(30, 20)[:-5])
    with pytest.raises(UnknownImageError):
        await other.info(image_id)
    await one.add(png(30, 20))
    assert (await other.info(image_id)).image_id == image_id


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_a_picture_larger_than_this_server_takes_is_left_to_the_others(tmp_path: Path, more: int) -> None:
    data = png(30, 20)
    one, other = shared_at(tmp_path), shared_at(tmp_path, max_picture_bytes=len(data) - more)
    await one.keep_picture(image_id_of(data), data)
    assert (await other.picture(image_id_of(data)) is None) is (more > 0)
    assert await one.picture(image_id_of(data)) == data
    one.close()
    other.close()


async def test_a_large_file_is_fetched_from_either(tmp_path: Path) -> None:
    one, other = shared_at(tmp_path), shared_at(tmp_path)
    parked = ParkedFiles(one)
    name = await parked.park(export_file("Zoë.png", b"bytes" * 1000))
    assert parked.nbytes == 0, "it lies in the folder alone"
    for files in (parked, ParkedFiles(other)):
        found = await files.get(name)
        assert found is not None
        assert (found.name, found.media_type, found.data) == ("Zoë.png", "image/png", b"bytes" * 1000)
        assert found.content.read_at(3, 4) == b"esby"
        assert await files.get("x" * 22) is None
    one.close()
    other.close()


def test_servers_that_begin_together_have_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: shared_key(tmp_path / KEY), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) == KEY_BYTES
    assert [path.name for path in tmp_path.iterdir()] == [KEY]


def gone(path: Path) -> None:
    shutil.rmtree(path / "pictures")


def a_file_in_its_place(path: Path) -> None:
    gone(path)
    (path / "pictures").write_bytes(b"")


@pytest.mark.parametrize("fails", [gone, a_file_in_its_place])
async def test_without_the_folder_each_server_goes_on_with_its_own_pictures(
    stores: Stores, tmp_path: Path, fails: Callable[[Path], None]
) -> None:
    one, other = stores
    before = await one.add(png(30, 20))
    fails(tmp_path)
    info = await one.add(png(31, 20))
    assert [await one.info(each.image_id) for each in (before, info)] == [before, info]
    with pytest.raises(UnknownImageError, match=r"folder that servers share failed \(.+\); upload it again"):
        await other.info(info.image_id)
    assert await other.add(png(31, 20)) == info


async def test_a_folder_that_hangs_keeps_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, hanging = shared_at(tmp_path, timeout_s=0.005), threading.Event()
    monkeypatch.setattr(SharedFolder, "read_picture", lambda *_: hanging.wait(20) and None)
    store = PictureStore(LIMITS, ROOMY_BYTES, ServiceLimits(), folder)
    for _ in range(40):
        with pytest.raises(UnknownImageError, match="answer"):
            await store.info("0" * 32)
    assert folder.failures == 40
    hanging.set()
    store.close()
    folder.close()


@pytest.mark.parametrize("what", ["a file in its place", "a damaged key"])
def test_a_folder_that_can_not_be_used_is_told_with_its_setting(tmp_path: Path, what: str) -> None:
    if what == "a damaged key":
        (tmp_path / KEY).write_bytes(b"short")
    else:
        (tmp_path / "pictures").write_bytes(b"")
    with pytest.raises(OSError, match=r"^HOVERSAM_SHARED_DIR can't be used \(.+\); name a folder"):
        shared_at(tmp_path)
