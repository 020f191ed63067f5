from __future__ import annotations

import asyncio

import pytest

from app.client.book import Reply
from app.client.values import Object, Preview
from app.client.waiters import Waiters
from app.protocol import messages as m

pytestmark = pytest.mark.anyio

GONE = m.Gone(seq=1, objects=(), can_undo=False, can_redo=False)
FIRST, SECOND = OSError("first"), OSError("second")


def preview_of(seq: int) -> Reply:
    return Preview(m.Preview(seq=seq, x=0, y=0, best=0, masks=()), (1, 1), 10)


async def test_a_reply_of_another_kind_is_not_the_answer() -> None:
    waiters = Waiters()
    answer = waiters.expect(1, (Object,))
    waiters.resolve(1, GONE)
    assert not answer.done()


async def test_a_preview_ends_older_hovers_alone() -> None:
    waiters = Waiters()
    click, older, shown, newer = (waiters.expect(seq, (kind,)) for seq, kind in
                                  [(1, Object), (2, Preview), (3, Preview), (4, Preview)])  # fmt: skip
    waiters.resolve(3, preview_of(3))
    assert older.result() is None
    assert isinstance(shown.result(), Preview)
    assert not click.done()
    assert not newer.done()


async def test_who_was_forgotten_is_not_answered() -> None:
    waiters = Waiters()
    answer = waiters.expect(1, (m.Gone,))
    waiters.forget(1)
    waiters.resolve(1, GONE)
    assert answer.cancelled()


async def test_an_answer_that_is_no_longer_awaited_is_passed_over() -> None:
    waiters = Waiters()
    waiters.expect(1, (m.Gone,)).cancel()
    waiters.resolve(1, GONE)
    waiters.expect(2, (m.Gone,)).cancel()
    waiters.refuse(2, FIRST)


async def test_an_error_meets_its_own_question_alone() -> None:
    waiters = Waiters()
    mine, other = waiters.expect(1, (m.Gone,)), waiters.expect(2, (m.Gone,))
    waiters.refuse(1, FIRST)
    assert mine.exception() is FIRST
    assert not other.done()


async def test_the_first_reason_to_close_stays() -> None:
    waiters = Waiters()
    answer = waiters.expect(1, (m.Gone,))
    waiters.close(FIRST)
    waiters.close(SECOND)
    assert answer.exception() is FIRST
    with pytest.raises(OSError, match="first"):
        waiters.expect(2, (m.Gone,))


async def test_an_error_that_nobody_reads_is_not_reported_as_lost() -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    waiters = Waiters()
    answer = waiters.expect(1, (m.Gone,))
    waiters.close(FIRST)
    del answer
    assert reported == []
