"""Which replies go first, which are left out, and how long a client may take for one."""

from __future__ import annotations

import asyncio

import pytest

from app.protocol import messages as m
from app.realtime.outbox import Outbox
from app.realtime.transport import DisconnectedError
from app.service.meters import Meters
from tests.helpers.fake_transport import FakeTransport

pytestmark = pytest.mark.anyio

TIMEOUT_S = 0.05
PONG = m.Pong(at=1.0, queue_ms=0.0, decode_ms=0.0)


def outbox_on(transport: FakeTransport, max_waiting: int = 10) -> Outbox:
    return Outbox(transport, Meters(), max_waiting=max_waiting, timeout_s=TIMEOUT_S, bytes_per_s=1000)


def preview(seq: int) -> m.Preview:
    return m.Preview(seq=seq, x=0, y=0, best=0, masks=())


def gone(seq: int) -> m.Gone:
    return m.Gone(seq=seq, objects=(), can_undo=False, can_redo=False)


def file_of(nbytes: int) -> m.File:
    return m.File(seq=1, name="a", media_type="image/png", data=bytes(nbytes))


async def sent_by(outbox: Outbox, transport: FakeTransport, *, then: m.ServerMessage = PONG) -> list[m.ServerMessage]:
    """Return what an outbox sends, before a last message that is put behind."""
    sending = asyncio.create_task(outbox.run())
    outbox.put(then)
    await outbox.sent()
    sending.cancel()
    return [message for message in transport.messages if message != then]


async def test_replies_keep_their_order() -> None:
    outbox = outbox_on(transport := FakeTransport())
    for seq in range(5):
        outbox.put(gone(seq))
    assert await sent_by(outbox, transport) == [gone(seq) for seq in range(5)]


async def test_all_who_wait_for_what_is_to_be_sent_go_on_when_it_is() -> None:
    outbox = outbox_on(FakeTransport())
    outbox.put(gone(1))
    given_up, *waiting = [asyncio.create_task(outbox.sent()) for _ in range(3)]
    await asyncio.sleep(0)
    given_up.cancel()
    sending = asyncio.create_task(outbox.run())
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
    sending.cancel()


async def test_of_previews_only_the_newest_is_sent() -> None:
    outbox = outbox_on(transport := FakeTransport())
    for seq in range(50):
        outbox.put(preview(seq))
    assert await sent_by(outbox, transport) == [preview(49)]


async def test_replies_go_before_a_preview() -> None:
    outbox = outbox_on(transport := FakeTransport())
    outbox.put(preview(1))
    outbox.put(gone(2))
    assert await sent_by(outbox, transport) == [gone(2), preview(1)]


async def test_a_preview_goes_before_what_comes_next_where_it_knows_nothing_of_that() -> None:
    outbox = outbox_on(transport := FakeTransport())
    outbox.put(preview(1))
    outbox.send_preview()
    outbox.put(gone(2))
    assert await sent_by(outbox, transport) == [preview(1), gone(2)]


async def test_a_dropped_preview_is_not_sent() -> None:
    outbox = outbox_on(transport := FakeTransport())
    outbox.put(preview(1))
    outbox.drop_preview()
    outbox.put(preview(2))
    assert await sent_by(outbox, transport) == [preview(2)]


async def test_who_waits_is_woken_by_a_preview_that_was_not_dropped() -> None:
    outbox = outbox_on(transport := FakeTransport())
    sending = asyncio.create_task(outbox.run())
    await asyncio.sleep(0)
    outbox.put(preview(1))
    outbox.drop_preview()
    await asyncio.sleep(0)
    outbox.put(preview(2))
    await transport.took.wait()
    sending.cancel()
    assert transport.messages == [preview(2)]


async def test_the_last_message_of_an_answer_says_so() -> None:
    outbox = outbox_on(transport := FakeTransport())
    outbox.put_answer([gone(1), gone(1)])
    first, last = await sent_by(outbox, transport)
    assert isinstance(first, m.Gone)
    assert isinstance(last, m.Gone)
    assert (first.last, last.last) == (False, True)


async def test_as_many_replies_wait_as_allowed_and_one_more_cuts_the_client_off() -> None:
    outbox = outbox_on(transport := FakeTransport(), 2)
    outbox.put(gone(1))
    outbox.put(gone(2))
    outbox.put(preview(3))  # takes no place
    with pytest.raises(DisconnectedError, match="2 replies"):
        outbox.put(gone(4))
    await outbox.flush()
    assert transport.messages == [gone(1), gone(2)]


async def test_a_client_that_takes_nothing_is_given_up() -> None:
    outbox = outbox_on(FakeTransport(room_for=1))
    await outbox.send(PONG)
    with pytest.raises(DisconnectedError):
        await outbox.send(PONG)


async def test_what_follows_a_large_file_waits_as_long_as_the_file_may_take() -> None:
    outbox = outbox_on(transport := FakeTransport(room_for=1))
    await outbox.send(file_of(60_000))
    sending = asyncio.create_task(outbox.send(PONG))
    done, _ = await asyncio.wait([sending], timeout=10 * TIMEOUT_S)
    assert not done
    transport.make_room()
    await sending
    assert len(transport.messages) == 2


async def test_even_a_large_file_has_an_end() -> None:
    outbox = outbox_on(FakeTransport(room_for=1))
    await outbox.send(file_of(100))
    with pytest.raises(DisconnectedError):
        await outbox.send(PONG)
