from __future__ import annotations

import asyncio

import pytest

from app.protocol import messages as m
from app.realtime.outbox import Outbox
from app.realtime.transport import DisconnectedError

pytestmark = pytest.mark.anyio


def preview(seq: int) -> m.Preview:
    return m.Preview(seq=seq, x=0, y=0, best=0, masks=())


def gone(seq: int) -> m.Gone:
    return m.Gone(seq=seq, objects=(), can_undo=False, can_redo=False)


async def everything(outbox: Outbox) -> list[m.ServerMessage]:
    outbox.put(end := m.Pong(at=0, queue_ms=0, decode_ms=0))
    came: list[m.ServerMessage] = []
    while (message := await outbox.get()) is not end:
        came.append(message)
    return came


async def test_replies_keep_their_order() -> None:
    outbox = Outbox(10)
    for seq in range(5):
        outbox.put(gone(seq))
    assert await everything(outbox) == [gone(seq) for seq in range(5)]


async def test_of_previews_only_the_newest_is_sent() -> None:
    outbox = Outbox(10)
    for seq in range(50):
        outbox.put(preview(seq))
    assert await outbox.get() == preview(49)
    assert await everything(outbox) == []


async def test_replies_go_before_a_preview() -> None:
    outbox = Outbox(10)
    outbox.put(preview(1))
    outbox.put(gone(2))
    assert [await outbox.get(), await outbox.get()] == [gone(2), preview(1)]


async def test_a_dropped_preview_is_not_sent() -> None:
    outbox = Outbox(10)
    outbox.put(preview(1))
    outbox.drop_preview()
    outbox.put(preview(2))
    assert await outbox.get() == preview(2)


async def test_who_waits_is_woken_by_a_preview_that_was_not_dropped() -> None:
    outbox = Outbox(10)
    waiter = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    outbox.put(preview(1))
    outbox.drop_preview()
    await asyncio.sleep(0)
    assert not waiter.done()
    outbox.put(preview(2))
    assert await waiter == preview(2)


async def test_as_many_replies_wait_as_allowed_and_one_more_cuts_the_client_off() -> None:
    outbox = Outbox(2)
    outbox.put(gone(1))
    outbox.put(gone(2))
    outbox.put(preview(3))  # takes no place
    assert outbox.waiting == 2
    with pytest.raises(DisconnectedError, match="2 replies"):
        outbox.put(gone(4))
