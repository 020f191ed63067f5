from __future__ import annotations

from app.service.hover_slot import HoverSlot
from app.session.objects import SessionObject
from app.session.query import HoverQuery, Query
from app.session.values import OpenImage

CAT, DOG = OpenImage("cat", 9, 9), OpenImage("dog", 9, 9)


def hover(seq: int, image: OpenImage = CAT, model: str = "nano") -> HoverQuery:
    return HoverQuery(Query(seq, SessionObject(id=1, name="", color=0)), image, 1.0, 1.0, None, model)


def test_only_the_newest_is_taken_and_only_once() -> None:
    slot = HoverSlot()
    assert [slot.put(hover(1)), slot.put(hover(2))] == [False, True]
    taken = slot.take(CAT, "nano")
    assert taken is not None
    assert taken.query.seq == 2
    assert slot.take(CAT, "nano") is None


def test_what_asks_another_model_or_about_another_picture_waits_for_its_turn() -> None:
    slot = HoverSlot()
    slot.put(hover(1, DOG, "tiny"))
    assert slot.take(CAT, "tiny") is None
    assert slot.take(DOG, "nano") is None
    assert slot.seq == 1
    assert slot.take(DOG, "tiny") is not None


def test_a_hover_that_was_dropped_is_not_taken() -> None:
    slot = HoverSlot()
    slot.put(hover(1))
    assert slot.drop() is not None
    assert (slot.seq, slot.drop(), slot.take(CAT, "nano")) == (None, None, None)
