from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exports.names import MAX_STEM_CHARS, class_name, file_stem, picture_name, readable
from app.session.objects import SessionObject
from app.session.session import OpenImage

IMAGE = OpenImage("0123456789abcdef", 4, 3)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("cat.jpg", "cat"),
        ("my cat (1).tar.gz", "my cat (1).tar"),
        ("C:\\photos\\cat.jpg", "cat"),
        ("../../etc/passwd", "passwd"),
        ("Käfer 猫.png", "Käfer 猫"),
        ('a<b>:"c|?*.png', "a_b___c___"),
        ("con.png", "_con"),
        (".hidden", "hidden"),
        ("gnp\u202egpj.exe", "gnp gpj"),
        ("x" * 300, "x" * MAX_STEM_CHARS),
        ("\x00\x1b[2J.png", "_2J"),
        ("", "picture-01234567"),
        ("..", "picture-01234567"),
        (" . / . ", "picture-01234567"),
        (None, "picture-01234567"),
    ],
)
def test_a_pictures_name_becomes_a_file_name(name: str | None, stem: str) -> None:
    assert file_stem(name, IMAGE) == stem


@given(st.text(st.characters(exclude_categories=()), max_size=256))
def test_any_name_becomes_one_that_every_system_takes(name: str) -> None:
    stem = file_stem(name, IMAGE)
    assert 0 < len(stem) <= MAX_STEM_CHARS + 1
    assert stem.isprintable()
    assert not set(stem) & set('/\\<>:"|?*')
    assert stem.strip(" .") == stem
    stem.encode()


@given(st.text(st.characters(exclude_categories=()), max_size=256))
def test_a_label_file_names_a_picture_in_its_own_folder(name: str) -> None:
    found = picture_name(name, IMAGE)
    assert found.strip(".")
    assert not set(found) & set("/\\")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cup", "cup"),
        (" a \n b\x00", "a b"),
        ("", "object"),
        ("\x07", "object"),
        ("Object 7", "object"),
        ("Object 8", "Object 8"),
    ],
)
def test_an_object_that_nobody_named_is_an_object(name: str, expected: str) -> None:
    assert class_name(SessionObject(id=7, name=name, color=0)) == expected


@given(st.text(st.characters(exclude_categories=())))
def test_a_readable_text_is_one_line_and_stays(name: str) -> None:
    assert readable(name).isprintable()
    assert readable(readable(name)) == readable(name)
