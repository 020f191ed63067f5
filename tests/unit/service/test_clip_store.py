"""Clips on the server: under the name of their file, within bounds, read by one child at a time that leaves nothing."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.clips import Clip, ClipFile, ClipLimits, frame_source, read_clip
from app.clips.decoding import CHILD
from app.errors import (
    BadCoordError,
    BusyError,
    ClipTooLongError,
    CorruptImageError,
    HoverError,
    ImageTooLargeError,
    UnknownImageError,
    UnsupportedImageError,
)
from app.protocol.clips import ClipPart
from app.protocol.windows import source_of
from app.service import clip_store
from app.service.clip_store import ClipStore
from app.service.limits import ServiceLimits
from app.service.shared_folder import SharedFolder
from app.session.values import OpenClip
from tests.helpers.clip_decoders import jpeg_of, program, saying, short_clip, waiting
from tests.helpers.clip_files import animation, left_of_square, zipped
from tests.helpers.shared import shared_at

pytestmark = pytest.mark.anyio
CLIP = animation()
SAID = short_clip()
NBYTES = sum(len(jpeg_of(index)) for index in range(3))
QUICK = program(saying(*SAID))


@asynccontextmanager
async def opened(
    limits: ServiceLimits | None = None,
    command: tuple[str, ...] = QUICK,
    *,
    clip: ClipLimits | None = None,
    shared: SharedFolder | None = None,
) -> AsyncIterator[ClipStore]:
    store = ClipStore(clip or ClipLimits(), limits or ServiceLimits(), shared, command=command)
    yield store
    store.close()


def file_of(mark: bytes = b"") -> ClipFile:
    return ClipFile.of_bytes(CLIP + mark)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were decoded, in order."""
    came: list[str] = []

    def counting(file: ClipFile, *rest: Any, **options: Any) -> Clip:
        came.append(file.file_id)
        return read_clip(file, *rest, **options)

    monkeypatch.setattr(clip_store, "read_clip", counting)
    return came


async def test_a_clip_is_kept_under_the_name_of_its_file_and_its_frames_are_as_pictures() -> None:
    async with opened(command=CHILD) as store:
        info = await store.add(file_of())
        assert (info.clip_id, info.width, info.height) == (file_of().file_id, 160, 120)
        assert (info.count, round(info.duration_s, 3)) == (6, 0.6)
        assert await store.info(info.clip_id) == info
        source = frame_source(info.clip_id, 2)
        image = await store.image(info.clip_id, 2)
        assert (image.image_id, image.size_hw) == (source, (120, 160))
        assert image.colors != (await store.image(info.clip_id, 5)).colors
        shown = await store.pixels(source)
        assert left_of_square(shown) == 16
        assert np.array_equal(await asyncio.to_thread(store.native(source)), shown)
        assert left_of_square(await store.pixels(source_of(source, (10, 0, 138, 120)))) == 6
        part = await store.part(info.clip_id, ClipPart(begin=0.2, end=0.4, rate=100))
        assert [round(time_s, 3) for time_s in part.times_s] == [0.2, 0.3]
        assert left_of_square(await store.pixels(frame_source(part.clip_id, 0))) == 16


async def test_a_clip_that_is_larger_than_the_model_sees_is_cut_and_exported_at_its_own_size() -> None:
    async with opened(command=CHILD) as store:
        info = await store.add(ClipFile.of_bytes(zipped(2, size_wh=(1600, 160))))
        source = frame_source(info.clip_id, 1)
        assert (info.width, info.height) == (1600, 160)
        assert (await store.pixels(source)).shape == (128, 1280, 3)
        assert left_of_square(await store.pixels(source_of(source, (4, 0, 132, 128)))) == 8
        natives = await store.natives(info.clip_id)
        jpegs = await asyncio.to_thread(lambda: [*natives()])
        assert [left_of_square(clip_store.pixels_of(jpeg)) for jpeg in jpegs] == [8, 12]
        assert (await asyncio.to_thread(store.native(source))).shape == (160, 1600, 3)


async def test_a_clip_that_comes_twice_at_once_is_read_once(reads: list[str]) -> None:
    async with opened() as store:
        first, second = await asyncio.gather(store.add(file_of()), store.add(file_of()))
        assert first == second
        assert reads == [first.clip_id]
        assert store.nbytes == NBYTES


async def test_a_clip_or_a_frame_that_never_came_is_unknown() -> None:
    async with opened() as store:
        for name in (file_of().file_id, file_of().file_id + "-0-1-10", "clip-1", "../../etc/passwd"):
            with pytest.raises(UnknownImageError):
                await store.info(name)
        info = await store.add(file_of())
        with pytest.raises(UnknownImageError):
            await store.pixels(info.clip_id + "#x")
        for index in (-1, 3):
            with pytest.raises(BadCoordError, match="frames 0 to 2"):
                await store.jpeg(info.clip_id, index)


@pytest.mark.parametrize("text", ["import os; os.abort()", "print('nonsense')", saying(SAID[0], SAID[-1]), ""])
async def test_what_is_refused_is_told_and_not_kept(text: str) -> None:
    async with opened(command=program(text)) as store:
        with pytest.raises(CorruptImageError):
            await store.add(file_of())
        with pytest.raises(UnknownImageError):
            await store.info(file_of().file_id)
        assert store.nbytes == 0


async def test_a_child_that_says_more_than_a_clip_may_have_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(clip=replace(ClipLimits(), max_clip_frames=2)) as store:
        with pytest.raises(CorruptImageError, match="astray"):
            await store.add(file_of())
    monkeypatch.setattr("app.clips.decoding.MAX_FRAMES_BYTES", NBYTES - 1)
    async with opened() as store:
        with pytest.raises(CorruptImageError, match="astray"):
            await store.add(file_of())


async def test_of_a_clip_that_is_too_long_a_part_can_be_asked_for_without_sending_it_again() -> None:
    async with opened(clip=replace(ClipLimits(), max_clip_frames=4), command=CHILD) as store:
        with pytest.raises(ClipTooLongError) as caught:
            await store.add(file_of())
        assert caught.value.reason
        values = caught.value.reason.values
        assert (values["frames"], values["duration_s"]) == (6, 0.6)
        with pytest.raises(ClipTooLongError) as again:
            await store.part(str(values["file_id"]), ClipPart(begin=0, end=0.6, rate=100))
        assert again.value.reason
        assert again.value.reason.values["file_id"] == values["file_id"]
        assert (await store.part(str(values["file_id"]), ClipPart(begin=0, end=0.6, rate=5))).count == 3


@pytest.mark.parametrize(("more", "is_taken"), [(1, True), (0, True), (-1, False)])
def test_bytes_of_a_clip(more: int, is_taken: bool) -> None:
    pieces = [CLIP[:100], CLIP[100:]]
    if is_taken:
        assert b"".join(ClipFile.of(pieces, len(CLIP) + more).pieces()) == CLIP
    else:
        with pytest.raises(ImageTooLargeError, match=f"{len(CLIP) + more} bytes"):
            ClipFile.of(pieces, len(CLIP) + more)


def test_an_empty_file_is_no_clip() -> None:
    with pytest.raises(UnsupportedImageError, match="empty"):
        ClipFile.of([], 100)


@pytest.mark.parametrize(("others", "is_busy"), [(0, False), (1, False), (2, True)])
async def test_clips_that_wait(others: int, is_busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def gated(*_: object, **__: object) -> Clip:
        assert gate.wait(20)
        return Clip(160, 120, (jpeg_of(0),), (0.0,), 0.1)

    monkeypatch.setattr(clip_store, "read_clip", gated)
    async with opened(ServiceLimits(max_clips_queued=2)) as store:
        tasks = [asyncio.create_task(store.add(file_of(bytes([at])))) for at in range(others + 1)]
        if is_busy:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            assert done == {tasks[-1]}
        gate.set()
        came = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in came] == [OpenClip] * (others + 1 - is_busy) + [BusyError] * is_busy


@pytest.mark.parametrize(("more", "reread"), [(1, 0), (0, 0), (-1, 1)])
async def test_bytes_of_all_frames(more: int, reread: int, reads: list[str]) -> None:
    async with opened(ServiceLimits(max_clip_memory_bytes=2 * NBYTES + more)) as store:
        first, _ = [await store.add(file_of(bytes([at]))) for at in range(2)]
        assert await store.jpeg(first.clip_id, 1) == jpeg_of(1)
        assert len(reads) == 2 + reread
        assert store.nbytes <= 2 * NBYTES + more


@pytest.mark.parametrize(("more", "is_kept"), [(1, True), (0, True), (-1, False)])
async def test_bytes_of_all_files(more: int, is_kept: bool) -> None:
    room = 2 * (len(CLIP) + 1) + more
    async with opened(ServiceLimits(max_clip_disk_bytes=room, max_clip_memory_bytes=1)) as store:
        first, _ = [await store.add(file_of(bytes([at]))) for at in range(2)]
        if is_kept:
            assert await store.info(first.clip_id) == first
        else:
            with pytest.raises(UnknownImageError, match="upload it again"):
                await store.info(first.clip_id)


async def test_whoever_closes_ends_the_decoder_at_work(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    async with opened(command=program(waiting(gate))) as store:
        coming = asyncio.create_task(store.add(file_of()))
        end = await asyncio.to_thread(os.open, gate, os.O_WRONLY)  # which returns when the child has begun
    with pytest.raises(HoverError):
        await coming
    with pytest.raises(BrokenPipeError):
        os.write(end, b"x")
    os.close(end)


async def test_a_clip_that_came_to_one_server_is_known_to_the_other(tmp_path: Path) -> None:
    folders = [shared_at(tmp_path) for _ in range(2)]
    async with opened(shared=folders[0]) as one, opened(shared=folders[1]) as other:
        info = await one.add(file_of())
        assert await other.info(info.clip_id) == info
        assert np.array_equal(
            await other.pixels(frame_source(info.clip_id, 1)), await one.pixels(frame_source(info.clip_id, 1))
        )
        [path] = (tmp_path / "clips").glob("clip-*")
        path.write_bytes(CLIP + b"damaged")
        async with opened(shared=folders[1]) as third:
            with pytest.raises(UnknownImageError):
                await third.info(info.clip_id)
        assert not path.exists()
    for folder in folders:
        folder.close()
