from __future__ import annotations

import pytest

from app.client.errors import error_of
from app.client.session_view import SessionView
from app.client.values import Gone, Image, Mask, Object, Refusal
from app.errors import HoverError


def opened(image_id: str = "a", model: str = "nano") -> Image:
    return Image(seq=1, image_id=image_id, width=1, height=1, model=model, cached=False, encode_ms=1.0)


def made(number: int) -> Object:
    mask = Mask((1, 1), (0, 0, 0, 0), b"", 0.5, 0)
    return Object(
        seq=2, id=number, name="", color=0, points=(), chosen=0, masks=(mask,), can_undo=True, can_redo=False
    )  # fmt: skip


@pytest.mark.parametrize("kind", HoverError.__subclasses__(), ids=lambda kind: kind.code)
def test_every_code_is_raised_as_its_class(kind: type[HoverError]) -> None:
    error = error_of(Refusal(code=kind.code, message="why", fatal=False, retry_after=1.5))
    assert (type(error), error.message, error.retry_after_s) == (kind, "why", 1.5)


def test_a_code_of_a_later_server_is_still_an_error_of_the_product() -> None:
    error = error_of(Refusal(code="too_sunny", message="why", fatal=False))
    assert (type(error), error.code) == (HoverError, "too_sunny")
    assert HoverError.code == "internal"


def test_what_can_be_undone_is_what_the_last_message_says() -> None:
    view = SessionView()
    view.note(Gone(seq=1, objects=(5,), can_undo=True, can_redo=False), 10)
    assert (view.can_undo, view.can_redo) == (True, False)


def test_the_same_picture_with_another_model_keeps_its_objects() -> None:
    view = SessionView()
    view.note(opened(), 10)
    view.note(made(5), 10)
    view.note(opened(model="tiny"), 10)
    assert set(view.objects) == {5}


def test_another_picture_begins_without_objects() -> None:
    view = SessionView()
    view.note(opened(), 10)
    view.note(made(5), 10)
    view.note(opened("b"), 10)
    assert not view.objects


def test_a_book_that_becomes_another_is_seen_through_the_same_view() -> None:
    old, new = SessionView(), SessionView()
    old.note(made(1), 10)
    new.note(made(2), 10)
    view = old.objects
    old.become(new)
    assert set(view) == {2}
