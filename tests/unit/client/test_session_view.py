from __future__ import annotations

import pytest

from app.client.errors import error_of
from app.client.session_view import SessionView
from app.errors import HoverError
from app.protocol.messages import Error, Gone, Image, Mask, Object


def opened(image_id: str = "a", model: str = "nano", *, last: bool = True) -> Image:
    return Image(
        seq=1, image_id=image_id, width=2, height=1, model=model, cached=False, encode_ms=1.0, last=last
    )  # fmt: skip


def made(number: int, *, last: bool = True) -> Object:
    mask = Mask((1, 1), (0, 0, 0, 0), b"", 0.5, 0)
    return Object(
        seq=2, id=number, name="", color=0, points=(), chosen=0, masks=(mask,), can_undo=True, can_redo=False, last=last
    )  # fmt: skip


def gone(*numbers: int, last: bool = True) -> Gone:
    return Gone(seq=3, objects=numbers, can_undo=False, can_redo=True, last=last)


def after(*messages: Image | Object | Gone) -> SessionView:
    view = SessionView()
    for message in messages:
        view.take(message, 10)
    return view


@pytest.mark.parametrize("kind", HoverError.__subclasses__(), ids=lambda kind: kind.code)
def test_every_code_is_raised_as_its_class(kind: type[HoverError]) -> None:
    error = error_of(Error(code=kind.code, message="why", fatal=False, retry_after=1.5))
    assert (type(error), error.message, error.retry_after_s) == (kind, "why", 1.5)


def test_a_code_of_a_later_server_is_still_an_error_of_the_product() -> None:
    error = error_of(Error(code="too_sunny", message="why", fatal=False))
    assert (type(error), error.code) == (HoverError, "too_sunny")
    assert HoverError.code == "internal"


def test_what_can_be_undone_is_what_the_last_message_says() -> None:
    view = after(opened(), made(5), gone(5))
    assert (view.can_undo, view.can_redo, set(view.objects)) == (False, True, set())


def test_an_object_that_is_back_has_its_old_place() -> None:
    assert list(after(opened(), made(4), made(5), made(6), gone(5), made(5)).objects) == [4, 5, 6]


def test_an_answer_is_taken_in_with_its_last_message_and_given_whole() -> None:
    view = after(opened(), made(4), made(5))
    assert view.take(made(6, last=False), 10) == []
    assert set(view.objects) == {4, 5}
    answer = view.take(gone(4, 5), 10)
    assert [type(each).__mro__[1].__name__ for each in answer] == ["Object", "FromServer"]
    assert set(view.objects) == {6}


def test_an_answer_that_was_cut_is_forgotten() -> None:
    view = after(opened(), made(5), opened("b", last=False))
    view.forget_parts()
    view.take(made(6), 10)
    assert view.image == opened()
    assert set(view.objects) == {5, 6}


@pytest.mark.parametrize("image", [opened("b"), opened(model="tiny")], ids=["another picture", "another model"])
def test_an_answer_with_a_picture_tells_everything(image: Image) -> None:
    view = after(opened(), made(5), image)
    assert (view.image, dict(view.objects), view.can_undo) == (image, {}, False)


def test_an_object_told_with_its_picture_has_that_pictures_size() -> None:
    view = after(opened(last=False), made(5))
    assert view.objects[5].size_hw == (1, 2)
    assert view.objects[5].nbytes == 10


def test_the_objects_are_one_mapping_that_lives() -> None:
    view = after(opened(), made(5))
    seen = view.objects
    view.take(opened(last=False), 10)
    view.take(made(7), 10)
    assert set(seen) == {7}
