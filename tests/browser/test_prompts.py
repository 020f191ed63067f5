"""Clicks, boxes and points, as hands know them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.helpers.studio import BACKGROUND, DISC_A, DISC_B, OpenStudio, Studio, apart, discs

pytestmark = pytest.mark.browser


def opened(open_studio: OpenStudio) -> Studio:
    studio = open_studio()
    studio.open(discs())
    return studio


def shot(studio: Studio) -> bytes:
    """Return what the stage looks like, once all is drawn and nothing is pointed at."""
    studio.away()
    studio.pixel(DISC_A)
    return studio.page.locator("#stage").screenshot()


def test_undo_to_the_start_and_redo_to_the_end_gives_the_same_picture(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    bare = shot(studio)
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    studio.click((DISC_A[0] + 45, DISC_A[1] + 40), button="right")
    studio.until("s.objects[0].points.length === 2")
    assert studio.state()["objects"][0]["points"][1][2] == 0
    studio.add_object(DISC_B)
    studio.deselect()
    areas, full = studio.areas(), shot(studio)

    for left in (1, 1, 0):
        studio.press("Control+z")
        studio.until(f"s.objects.length === {left}")
    studio.until("!s.canUndo && s.active === null")
    assert shot(studio) == bare
    while studio.state()["canRedo"]:
        before = studio.state()
        studio.page.locator("#redo").click()
        studio.until(f"JSON.stringify(s.objects.map(o => o.points)) !== '{compact(before)}'")
    studio.deselect()
    assert studio.areas() == areas
    assert shot(studio) == full


def compact(state: dict[str, Any]) -> str:
    return json.dumps([thing["points"] for thing in state["objects"]], separators=(",", ":"))


def test_point_is_dragged_selected_by_a_second_click_and_deleted(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    studio.shift_click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")
    studio.hover(DISC_A)
    studio.until("s.badge === 'point'")
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((DISC_A[0] - 30, DISC_A[1] + 20)), steps=3)
    studio.page.mouse.up()
    studio.until("Math.abs(s.objects[0].points[0][0] - 130) < 1 && Math.abs(s.objects[0].points[0][1] - 170) < 1")
    studio.click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.point === 1")
    assert len(studio.state()["objects"]) == 1
    studio.press("Delete")
    studio.until("s.objects[0].points.length === 1 && s.point === null")
    assert studio.state()["objects"][0]["points"][0][0] == pytest.approx(130, abs=1)
    expect(studio.page.locator("#toast")).to_contain_text("Point of Object 1 deleted.")
    studio.page.get_by_role("button", name="Undo").last.click()  # of the toast
    studio.until("s.objects[0].points.length === 2")
    expect(studio.page.locator("#toast")).to_be_hidden()


def test_drag_of_more_than_four_pixels_draws_a_box_and_a_shaky_click_none(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    x, y = studio.at(DISC_B)
    studio.page.mouse.move(x, y)
    studio.page.mouse.down()
    studio.page.mouse.move(x + 3, y - 2)
    studio.page.mouse.up()
    studio.until("s.objects.length === 1 && s.objects[0].box === null")

    studio.page.mouse.move(*studio.at((70, 60)))
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((250, 240)), steps=3)
    studio.page.mouse.up()
    studio.until("s.objects.length === 2")
    assert studio.state()["objects"][1]["box"] == pytest.approx([70, 60, 250, 240], abs=1)
    studio.press("Backspace")  # it has no point: the box was its last prompt
    studio.until("s.objects.length === 1")


def test_every_plain_click_on_a_new_thing_makes_an_object_and_one_on_an_object_selects_it(
    open_studio: OpenStudio,
) -> None:
    studio = opened(open_studio)
    studio.page.mouse.dblclick(*studio.at(DISC_A))
    studio.until("s.objects.length === 1 && s.point === 0")  # the second click found the first one's point
    studio.add_object(DISC_B)
    first, second = studio.state()["objects"]
    assert first["color"] != second["color"]
    assert [len(thing["points"]) for thing in (first, second)] == [1, 1]

    beside = (DISC_A[0] + 24, DISC_A[1] + 10)
    studio.hover(beside)
    studio.until(f"s.aim.does === 'select' && s.aim.object === {first['id']} && s.preview === null")
    studio.click(beside)
    studio.until(f"s.active === {first['id']}")
    studio.page.mouse.dblclick(*studio.at(beside))
    studio.click((DISC_B[0] + 24, DISC_B[1]))
    studio.until(f"s.active === {second['id']}")
    assert len(studio.state()["objects"]) == 2
    assert [message["t"] for message in studio.sent].count("click") == 2


def test_object_under_the_pointer_is_outlined_and_named_before_the_click(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.add_object(DISC_A)
    studio.deselect()
    studio.hover(BACKGROUND)
    studio.until("s.aim.does === 'new'")
    pill = (DISC_A[0] + 24 + 60, DISC_A[1] + 10 - 24)
    before = studio.pixel(pill)
    studio.hover((DISC_A[0] + 24, DISC_A[1] + 10))
    studio.until("s.badge === 'select'")
    assert apart(studio.pixel(pill), before) > 60


def test_new_on_top_makes_an_object_where_there_is_one(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.add_object(DISC_A)
    eye = (DISC_A[0] + 24, DISC_A[1] + 10)
    studio.hover(eye)
    studio.until("s.badge === 'select'")
    studio.press("t")
    studio.until("s.onTop && s.badge === 'new' && s.preview !== null")
    studio.press("Escape")
    studio.until("!s.onTop && s.badge === 'select' && s.active !== null")
    studio.press("t")
    studio.click(eye)
    studio.until("s.objects.length === 2 && !s.onTop")
    studio.hover((eye[0], eye[1] - 30))
    studio.until("s.badge === 'select'")  # it was for one click


def test_shift_adds_alt_and_right_remove_and_so_do_the_tools(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.add_object(DISC_A)
    for count, (how, label) in enumerate(
        [("right", 0), ("Alt", 0), ("Shift", 1), ("r", 0), ("a", 1), ("#remove", 0), ("#add", 1)], start=2
    ):
        spot = (DISC_A[0] + 40 - 10 * (count % 2), DISC_A[1] + 80 - 22 * (count - 2))
        if how in ("Alt", "Shift"):
            studio.page.keyboard.down(how)
        elif how.startswith("#"):
            studio.page.locator(how).click()
        elif how != "right":
            studio.press(how)
        studio.hover(spot)
        if how != "right":
            studio.until(f"s.badge === '{'add' if label else 'remove'}' && s.preview !== null")
        studio.click(spot, button="right" if how == "right" else "left")
        if how in ("Alt", "Shift"):
            studio.page.keyboard.up(how)
        studio.until(f"s.objects.length === 1 && s.objects[0].points.length === {count}")
        assert studio.state()["objects"][0]["points"][-1][2] == label, how
    expect(studio.page.get_by_role("radio", name="Add")).to_be_checked()
    studio.press("n")
    expect(studio.page.get_by_role("radio", name="New")).to_be_checked()


def test_add_on_a_fresh_picture_makes_an_object_and_remove_says_why_it_cant(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.press("r")
    studio.click(DISC_A)
    expect(studio.page.locator("#notice-text")).to_contain_text("nothing to remove")
    studio.press("a")
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    studio.click(DISC_B)
    studio.until("s.objects[0].points.length === 2")
    expect(studio.page.locator("#notice")).to_be_hidden()


def test_esc_closes_one_thing_after_the_other_and_undoes_nothing(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.add_object(DISC_A)
    studio.shift_click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")
    studio.press("F2")
    studio.page.keyboard.type("near")  # n, e, a and r are no shortcuts here
    studio.press("Enter")
    studio.until("s.objects[0].name === 'near' && s.tool === 'new'")
    expect(studio.page.locator("#canvas")).to_be_focused()
    studio.press("F2")
    studio.page.keyboard.type("far")
    studio.press("Escape")
    expect(studio.page.locator(".object-input")).to_be_hidden()
    assert studio.state()["active"] is not None
    studio.click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.point === 1")
    studio.press("Escape")
    studio.until("s.point === null && s.active !== null")
    studio.press("Escape")
    studio.until("s.active === null")
    for _ in range(3):
        studio.press("Escape")
    (thing,) = studio.state()["objects"]
    assert (thing["name"], len(thing["points"])) == ("near", 2)


def test_backspace_deletes_the_last_point_and_delete_the_object(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.add_object(DISC_A)
    studio.shift_click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")
    studio.press("Backspace")
    studio.until("s.objects[0].points.length === 1")
    studio.press("Delete")
    studio.until("s.objects.length === 0 && s.active === null")
    studio.press("Control+z")
    studio.until("s.objects.length === 1 && s.objects[0].points.length === 1")
