from __future__ import annotations

import asyncio

import pytest

from app.client.pending_requests import MAX_WAITING, UNNUMBERED, PendingRequests, Request
from app.client.values import Object, Preview
from app.errors import UnknownObjectError
from app.protocol import messages as m
from app.protocol.messages import Gone

pytestmark = pytest.mark.anyio

GONE = Gone(seq=1, objects=(), can_undo=False, can_redo=False, last=True)
FIRST, SECOND = OSError("first"), OSError("second")


def preview_of(seq: int) -> Preview:
    return Preview(seq=seq, x=0, y=0, best=0, masks=())


def hover() -> Request:
    return Request(m.Hover(seq=UNNUMBERED, x=1, y=1), (Preview,))


def change(kind: type = Gone) -> Request:
    return Request(m.Delete(seq=UNNUMBERED, object=1), (kind,))


async def test_a_change_to_what_is_gone_since_is_an_error() -> None:
    pending, asked = PendingRequests(), change(Object)
    pending.expect(1, asked)
    assert pending.resolve(1, [GONE]) is asked
    assert isinstance(asked.answer.exception(), UnknownObjectError)
    assert len(pending) == 0


async def test_of_an_answer_of_several_messages_the_caller_gets_the_first_of_its_kind() -> None:
    pending, asked = PendingRequests(), change()
    pending.expect(1, asked)
    first = Gone(seq=1, objects=(4,), can_undo=True, can_redo=False)
    picture = m.Image(seq=1, image_id="a", width=1, height=1, model="nano", cached=False, encode_ms=1.0)
    assert pending.resolve(1, [picture, first, GONE]) is asked
    assert asked.answer.result() is first


async def test_a_preview_ends_older_hovers_alone() -> None:
    pending = PendingRequests()
    click, older, shown, newer = change(Object), hover(), hover(), hover()
    for seq, each in enumerate((click, older, shown, newer)):
        pending.expect(seq, each)
    pending.resolve(2, [preview_of(2)])
    assert older.answer.result() is None
    assert isinstance(shown.answer.result(), Preview)
    assert not click.answer.done()
    assert not newer.answer.done()


async def test_who_was_forgotten_is_not_answered() -> None:
    pending, asked = PendingRequests(), change()
    pending.expect(1, asked)
    pending.forget(1)
    pending.resolve(1, [GONE])
    assert asked.answer.cancelled()


async def test_a_change_whose_caller_has_gone_is_still_answered() -> None:
    pending, asked = PendingRequests(), change()
    pending.expect(1, asked)
    asked.answer.cancel()
    assert pending.changes() == [(1, asked)]
    assert pending.resolve(1, [GONE]) is asked


async def test_an_error_meets_its_own_question_alone() -> None:
    pending, mine, other = PendingRequests(), change(), change()
    pending.expect(1, mine)
    pending.expect(2, other)
    pending.refuse(1, FIRST)
    assert mine.answer.exception() is FIRST
    assert not other.answer.done()


async def test_an_error_without_a_number_meets_everyone() -> None:
    pending, asked = PendingRequests(), [change(), hover()]
    for seq, each in enumerate(asked):
        pending.expect(seq, each)
    pending.refuse(None, FIRST)
    assert [each.answer.exception() for each in asked] == [FIRST, FIRST]


async def test_only_changes_are_sent_again_and_in_the_order_of_their_numbers() -> None:
    pending, late, early = PendingRequests(), change(), change()
    pending.expect(9, late)
    pending.expect(5, hover())
    pending.expect(3, early)
    pending.expect(4, Request(m.Clear(seq=UNNUMBERED), (Gone,), again=True))
    assert pending.changes() == [(3, early), (9, late)]


async def test_a_lost_socket_gives_every_hover_up() -> None:
    pending, asked = PendingRequests(), [hover(), hover()]
    for seq, each in enumerate(asked):
        pending.expect(seq, each)
    pending.overtake()
    assert [each.answer.result() for each in asked] == [None, None]
    assert len(pending) == 0


async def test_too_many_questions_give_the_oldest_up() -> None:
    pending, oldest = PendingRequests(), change()
    pending.expect(0, oldest)
    for seq in range(1, MAX_WAITING + 1):
        pending.expect(seq, change())
    assert isinstance(oldest.answer.exception(), TimeoutError)
    assert len(pending) == MAX_WAITING


async def test_an_error_that_nobody_reads_is_not_reported_as_lost() -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    pending, asked = PendingRequests(), change()
    pending.expect(1, asked)
    pending.refuse(None, FIRST)
    del asked
    assert reported == []
