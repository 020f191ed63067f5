from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from app.arrays import MaskArray
from app.errors import BusyError, HoverError
from tests.helpers.drawing import DEADLINE_S, MASK, DrawGate, clip_drawn_by, drawn_by, exporter
from tests.helpers.export_readers import selection

pytestmark = pytest.mark.anyio


@pytest.fixture
def gate() -> Iterator[DrawGate]:
    gate = DrawGate()
    yield gate
    gate.opened.set()


def draw_and_tell(drawn: threading.Event) -> MaskArray:
    drawn.set()
    return MASK


async def test_a_file_that_takes_too_long_is_given_up_at_the_next_object(gate: DrawGate) -> None:
    drawn = threading.Event()
    worker = exporter(export_timeout_s=0.05)
    with pytest.raises(BusyError, match=r"0\.05 s"):
        await worker.make("svg", drawn_by(gate.draw, partial(draw_and_tell, drawn)))
    gate.opened.set()
    await asyncio.to_thread(worker._worker.shutdown, True)
    assert not drawn.is_set()


async def test_a_client_that_leaves_takes_its_file_along(gate: DrawGate) -> None:
    drawn = threading.Event()
    worker = exporter()
    task = asyncio.create_task(worker.make("svg", drawn_by(gate.draw, partial(draw_and_tell, drawn))))
    assert await asyncio.to_thread(gate.begun.wait, DEADLINE_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.opened.set()
    await asyncio.to_thread(worker._worker.shutdown, True)
    assert not drawn.is_set()


async def test_a_file_of_a_clip_that_takes_too_long_is_given_up_at_the_next_frame(gate: DrawGate) -> None:
    drawn, told = threading.Event(), list[int]()
    worker = exporter(clip_export_timeout_s=0.05)
    with pytest.raises(BusyError, match=r"0\.05 s"):
        await worker.make_clip(clip_drawn_by(gate.draw, partial(draw_and_tell, drawn)), told.append)
    gate.opened.set()
    await asyncio.to_thread(worker._clip_worker.shutdown, True)
    assert not drawn.is_set()
    assert told == [0]


async def test_a_file_of_a_clip_tells_how_far_it_is_and_keeps_no_picture_waiting(gate: DrawGate) -> None:
    told = list[int]()
    worker = exporter()
    task = asyncio.create_task(worker.make_clip(clip_drawn_by(gate.draw, gate.draw, gate.draw), told.append))
    assert (await worker.make("mask", drawn_by(lambda: MASK))).name == "photo.mask.png"
    gate.opened.set()
    assert (await task).name == "walk.masks.zip"
    assert told == [0, 1, 2]


async def test_only_so_many_files_wait(gate: DrawGate) -> None:
    worker = exporter(max_exports_queued=1)
    first = asyncio.create_task(worker.make("svg", drawn_by(gate.draw)))
    assert await asyncio.to_thread(gate.begun.wait, DEADLINE_S)
    with pytest.raises(BusyError) as caught:
        await worker.make("svg", selection(MASK))
    assert caught.value.retry_after_s
    gate.opened.set()
    assert (await first).name == "photo.svg"
    assert (await worker.make("svg", selection(MASK))).name == "photo.svg"
    worker.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_mistake_of_ours_is_told_without_its_text() -> None:
    def mistaken() -> MaskArray:
        raise RuntimeError("secret")

    worker = exporter()
    with pytest.raises(HoverError) as caught:
        await worker.make("svg", drawn_by(mistaken))
    assert (caught.value.code, "secret" in caught.value.message) == ("internal", False)
    assert (await worker.make("svg", selection(MASK))).data
    worker.close()
