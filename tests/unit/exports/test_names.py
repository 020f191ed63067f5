from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exports.names import MAX_FILE_NAME_BYTES, file_name, label_name, picture_name
from app.session.names import class_name, readable
from app.session.objects import SessionObject
from app.session.values import OpenImage
from tests.helpers.strange_names import STRANGE_NAMES

IMAGE = OpenImage("0123456789abcdef", 4, 3)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=ascii)
def test_a_pictures_name_stays_as_its_disk_has_it(name: str) -> None:
    assert picture_name(name, IMAGE) == name
    assert picture_name(f"C:\\photos\\{name}", IMAGE) == name
    assert picture_name(f"/home/me/{name}", IMAGE) == name


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=ascii)
def test_a_file_of_a_picture_has_its_stem(name: str) -> None:
    assert file_name(name, IMAGE, ".txt") == name.rpartition(".")[0] + ".txt"


@pytest.mark.parametrize(
    ("name", "kept", "label"),
    [
        ("../../etc/passwd", "passwd", "passwd.txt"),
        ("gnp\u202egpj.exe", "gnpgpj.exe", "gnpgpj.txt"),
        ("a\u202db.png", "ab.png", "ab.txt"),
        ("\x00\x1b[2J\t\n\x85.png", "[2J.png", "[2J.txt"),
        ("caf\udce9 \ud83d.png", "caf .png", "caf .txt"),
        ('a<b>:"c|?*.png', 'a<b>:"c|?*.png', "a_b___c___.txt"),
        ("con.png", "con.png", "_con.txt"),
        ("Com1 .tar.gz", "Com1 .tar.gz", "_Com1 .tar.txt"),
        ("console.png", "console.png", "console.txt"),
        (".hidden.png", ".hidden.png", ".hidden.txt"),
        (".hidden", ".hidden", ".hidden.txt"),
        ("name", "name", "name.txt"),
        ("...", "picture-01234567", "picture-01234567.txt"),
        ("..", "picture-01234567", "picture-01234567.txt"),
        (" / . ", "picture-01234567", "picture-01234567.txt"),
        ("folder/", "picture-01234567", "picture-01234567.txt"),
        ("", "picture-01234567", "picture-01234567.txt"),
        (None, "picture-01234567", "picture-01234567.txt"),
    ],
)
def test_what_can_not_be_a_name_goes(name: str | None, kept: str, label: str) -> None:
    assert picture_name(name, IMAGE) == kept
    assert file_name(name, IMAGE, ".txt") == label


def test_the_longest_names_stay_whole_where_they_have_room() -> None:
    longest = "x" * 251 + ".jpg"
    assert picture_name(longest, IMAGE) == longest
    assert file_name(longest, IMAGE, ".txt") == "x" * 251 + ".txt"


def test_a_stem_that_has_no_room_is_cut_between_characters_and_told_from_its_neighbours() -> None:
    first, second = (file_name("\u732b" * 100 + ".jpg", OpenImage(each * 32, 4, 3), ".yolo.zip") for each in "ab")
    assert first == "\u732b" * 79 + "-aaaaaaaa.yolo.zip"
    assert first != second


def test_a_label_is_as_long_as_its_picture_where_a_disk_counts_characters() -> None:
    assert label_name("\u732b" * 200 + ".png", IMAGE, ".txt") == "\u732b" * 200 + ".txt"
    assert label_name("x" * 300 + ".png", IMAGE, ".txt") == file_name("x" * 300 + ".png", IMAGE, ".txt")


@given(ANY_TEXT)
def test_any_name_becomes_one_that_every_system_takes(name: str) -> None:
    made = file_name(name, IMAGE, ".recipe.json")
    stem = made.removesuffix(".recipe.json")
    assert stem.strip(". ")
    assert len(made.encode()) <= MAX_FILE_NAME_BYTES
    assert not set(made) & set('/\\<>:"|?*\u202d\u202e')
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in made)


@given(ANY_TEXT)
def test_a_label_file_names_a_picture_in_its_own_folder(name: str) -> None:
    found = picture_name(name, IMAGE)
    assert found.strip(". ")
    assert not set(found) & set("/\\")
    assert picture_name(found, IMAGE) == found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cup", "cup"),
        (" a \n b\x00", "a b"),
        ("a\u2028b\x85c\td", "a b c d"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("two  spaces\u00a0x", "two  spaces\u00a0x"),
        ("e\u0301", "e\u0301"),
        ("\u202eevil\ud800\uffff", "evil"),
        ("", "object"),
        ("\x07", "object"),
        ("Object 7", "object"),
        ("Object 8", "Object 8"),
    ],
)
def test_a_class_is_what_a_person_wrote(name: str, expected: str) -> None:
    assert class_name(SessionObject(id=7, name=name, color=0)) == expected


@given(st.text(st.characters(exclude_categories=())))
def test_a_readable_text_is_one_line_and_stays(name: str) -> None:
    text = readable(name)
    assert len(text.splitlines()) <= 1
    assert readable(text) == text
    text.encode()
