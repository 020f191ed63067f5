from __future__ import annotations

import pytest

from app.client.book import Book, error_of
from app.errors import HoverError
from app.protocol import messages as m


@pytest.mark.parametrize("kind", HoverError.__subclasses__(), ids=lambda kind: kind.code)
def test_every_code_is_raised_as_its_class(kind: type[HoverError]) -> None:
    error = error_of(m.Error(code=kind.code, message="why", fatal=False, retry_after=1.5))
    assert (type(error), error.message, error.retry_after_s) == (kind, "why", 1.5)


def test_a_code_of_a_later_server_is_still_an_error_of_the_product() -> None:
    assert type(error_of(m.Error(code="too_sunny", message="why", fatal=False))) is HoverError


def test_what_can_be_undone_is_what_the_last_message_says() -> None:
    book = Book()
    book.note(m.Gone(seq=1, objects=(5,), can_undo=True, can_redo=False), 10)
    assert (book.can_undo, book.can_redo) == (True, False)


def test_the_same_picture_with_another_model_keeps_its_objects() -> None:
    book = Book()
    mask = m.Mask((1, 1), (0, 0, 0, 0), b"", 0.5, 0)
    opened = m.Image(seq=1, image_id="a", width=1, height=1, model="nano", cached=False, encode_ms=1.0)
    book.note(opened, 10)
    book.note(
        m.Object(
            seq=2, id=5, name="", color=0, points=(), chosen=0, masks=(mask,), can_undo=True, can_redo=False
        ), 10
    )  # fmt: skip
    book.note(m.Image(seq=3, image_id="a", width=1, height=1, model="tiny", cached=False, encode_ms=1.0), 10)
    assert set(book.objects) == {5}
