"""Classes on the page: by keys and at the pointer, the last one sticks, changed everywhere at once, in and out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FilePayload, expect

from tests.helpers.studio import COFFEE, DISC_A, DISC_B, OpenStudio, Studio, discs

pytestmark = pytest.mark.browser

MIN_TARGET = 44
KEYBOARD_Y = 844 - 336
"""Where the keyboard of such a phone begins, CSS pixels."""
UNZOOMED_PX = 16
"""Safari zooms into fields of smaller text."""


def named(studio: Studio) -> list[str]:
    return [thing["name"] for thing in studio.state()["objects"]]


def listed(studio: Studio) -> list[str]:
    return [each["name"] for each in studio.state()["classes"]]


def pick(studio: Studio, written: str) -> None:
    """Give a class by the picker: C, a part of its name, Enter."""
    studio.press("c")
    expect(studio.page.locator("#class-written")).to_be_focused()
    studio.page.keyboard.type(written)
    studio.press("Enter")
    expect(studio.page.locator("#class-picker")).to_be_hidden()


def import_list(studio: Studio, name: str, text: str) -> None:
    file: FilePayload = {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
    studio.page.locator("#classes-file").set_input_files(file)


@pytest.fixture
def studio(open_studio: OpenStudio) -> Studio:
    """A picture with a cat and a dog."""
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    pick(studio, "cat")
    studio.until("s.sticky === 'cat'")
    studio.add_object(DISC_B)
    pick(studio, "dog")
    studio.until("s.sticky === 'dog'")
    return studio


def test_the_class_that_was_given_last_is_that_of_the_next_object(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    pick(studio, "cat")
    studio.until("s.sticky === 'cat' && s.objects[0].name === 'cat'")
    studio.add_object(DISC_B)
    assert named(studio) == ["cat", "cat"]
    studio.press("Control+z")
    studio.until("s.objects.length === 1")  # one step has made it a cat at once
    studio.deselect()
    studio.press("1")
    studio.until("s.sticky === null")
    studio.add_object(DISC_B)
    assert named(studio)[1].startswith("Object ")


def test_the_keys_1_to_9_give_the_classes_in_their_order(studio: Studio) -> None:
    assert named(studio) == ["cat", "dog"]
    studio.press("1")
    studio.until("s.objects[1].name === 'cat' && s.sticky === 'cat'")
    studio.press("Control+z")
    studio.until("s.objects[1].name === 'dog'")
    studio.press("7")
    studio.until("s.toast?.text === 'There is no class 7 yet.'")
    assert named(studio) == ["cat", "dog"]


def test_an_object_and_its_class_are_shown_in_one_colour(studio: Studio) -> None:
    state = studio.state()
    colors = {each["name"]: each["color"] for each in state["classes"]}
    assert len(set(colors.values())) == 2
    assert [thing["color"] for thing in state["objects"]] == [colors[thing["name"]] for thing in state["objects"]]


def test_the_picker_opens_at_the_pointer_and_a_part_of_the_name_finds_a_class(studio: Studio) -> None:
    studio.hover((300, 60))
    studio.press("c")
    expect(studio.page.locator("#class-picker")).to_be_visible()
    box = studio.page.locator("#class-picker").bounding_box()
    assert box
    x, y = studio.at((300, 60))
    assert 0 <= box["x"] - x <= 20
    assert 0 <= box["y"] - y <= 20
    studio.page.keyboard.type("AT")
    expect(studio.page.locator("#class-choices button")).to_have_count(2)  # cat, and a new class
    studio.press("Escape")
    expect(studio.page.locator("#class-picker")).to_be_hidden()
    assert named(studio) == ["cat", "dog"]


def test_a_class_is_taken_from_an_object_by_the_picker(studio: Studio) -> None:
    studio.press("c")
    studio.page.get_by_role("button", name="No class").click()
    studio.until("s.objects[1].name === 'Object 2' && s.sticky === null")
    assert listed(studio) == ["cat", "dog"]


def rename(studio: Studio, number: int, name: str) -> None:
    entry = studio.page.locator("#classes > li").nth(number)
    entry.get_by_title("Rename it everywhere").click()
    entry.locator("input").fill(name)
    studio.press("Enter")


def test_a_class_is_renamed_everywhere_and_merged_and_one_undo_takes_each_back(studio: Studio) -> None:
    rename(studio, 1, "wolf")
    studio.until("s.objects[1].name === 'wolf' && s.sticky === 'wolf'")
    rename(studio, 1, "cat")
    studio.until("s.classes.length === 1 && s.objects[1].name === 'cat'")
    expect(studio.page.locator("#toast-text")).to_have_text("wolf and cat are one class now.")
    studio.page.locator("#toast-undo").click()
    studio.until("s.classes.length === 2 && s.objects[1].name === 'wolf'")
    studio.press("Control+z")
    studio.until("s.objects[1].name === 'dog'")
    assert listed(studio) == ["cat", "dog"]


def test_a_list_is_imported_in_its_order_and_what_is_none_is_named_with_its_line(studio: Studio) -> None:
    import_list(studio, "data.yaml", "names: {0: bird, 1: dog, 2: no}")
    studio.until("s.classes.length === 4")
    assert listed(studio) == ["bird", "dog", "no", "cat"]
    assert named(studio) == ["cat", "dog"]
    expect(studio.page.locator("#toast-text")).to_contain_text("3 classes from data.yaml; 1 more")
    import_list(studio, "classes.txt", "a\n\nb\n")
    expect(studio.page.locator("#notice-text")).to_contain_text("classes.txt: line 2: a class without a name")
    studio.expected = ("400",)
    assert listed(studio) == ["bird", "dog", "no", "cat"]
    import_list(studio, "coco.json", json.dumps({"images": [], "categories": [{"id": 7, "name": "cat"}]}))
    studio.until("s.classes.length === 2")
    assert listed(studio) == ["cat", "dog"]


def test_the_list_is_exported(studio: Studio) -> None:
    assert exported(studio, "txt") == "cat\ndog\n"
    assert exported(studio, "yaml") == 'nc: 2\nnames:\n  0: "cat"\n  1: "dog"\n'
    categories: list[dict[str, Any]] = json.loads(exported(studio, "json"))["categories"]
    assert [(each["id"], each["name"]) for each in categories] == [(1, "cat"), (2, "dog")]


def exported(studio: Studio, kind: str) -> str:
    studio.page.locator("#show-classes-menu").click()
    with studio.page.expect_download() as download:
        studio.page.locator(f'#classes-menu [data-kind="{kind}"]').click()
    return Path(download.value.path()).read_text()


def test_the_list_goes_on_to_the_next_picture_and_outlives_a_reload_and_the_tab(
    studio: Studio, open_studio: OpenStudio
) -> None:
    studio.page.reload()
    studio.until("s.connection === 'ready' && s.objects.length === 2 && !s.restoring")
    assert (listed(studio), studio.state()["sticky"]) == (["cat", "dog"], "dog")
    studio.open(COFFEE)
    studio.add_object((260, 160))
    assert (named(studio), listed(studio)) == (["dog"], ["cat", "dog"])
    other = open_studio(beside=studio)
    other.until("s.classes.length === 2")
    other.open(discs())
    other.add_object(DISC_A)
    other.press("1")
    other.until("s.objects[0].name === 'cat'")
    assert listed(other) == ["cat", "dog"]


def test_everything_of_it_works_by_touch_with_targets_that_a_finger_hits(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    studio.open(discs())
    page = studio.page
    studio.show_panel()
    page.touchscreen.tap(*studio.at(DISC_A))
    studio.until("s.objects.length === 1")
    page.locator("#pick-class").tap()
    page.locator("#class-written").fill("cat")
    picker = page.locator("#class-picker").bounding_box()
    assert picker is not None
    assert picker["y"] >= 0
    assert picker["y"] + picker["height"] < KEYBOARD_Y
    assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).fontSize)") >= UNZOOMED_PX
    assert small(studio, "#class-picker button, #class-picker input") == []
    page.locator("#class-choices button").first.tap()
    studio.until("s.sticky === 'cat' && s.objects[0].name === 'cat'")
    page.locator("#classes .class-choose").tap()
    page.touchscreen.tap(*studio.at(DISC_B))
    studio.until("s.objects.length === 2")
    assert named(studio) == ["cat", "cat"]
    assert small(studio, "#classes button, #pick-class, #show-classes-menu") == []


def small(studio: Studio, selector: str) -> list[str]:
    """Return the controls that a finger may miss."""
    sizes: list[tuple[str, float, float]] = studio.page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility())
          .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect().width, e.getBoundingClientRect().height])""",
        selector,
    )
    assert sizes
    return [text for text, width, height in sizes if min(width, height) < MIN_TARGET]
