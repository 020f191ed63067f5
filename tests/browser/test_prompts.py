"""Clicks, boxes and points, as hands know them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.studio import DISC_A, DISC_B, OpenStudio, Studio, discs

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
    studio.press("Enter")
    studio.add_object(DISC_B)
    areas, full = studio.areas(), shot(studio)

    for left in (1, 1, 0):
        studio.press("Control+z")
        studio.until(f"s.objects.length === {left}")
    studio.until("!s.canUndo")
    studio.press("Escape")
    assert shot(studio) == bare
    while studio.state()["canRedo"]:
        before = studio.state()
        studio.page.locator("#redo").click()
        studio.until(f"JSON.stringify(s.objects.map(o => o.points)) !== '{compact(before)}'")
    studio.press("Enter")
    studio.until("s.active === null")
    assert studio.areas() == areas
    assert shot(studio) == full


def compact(state: dict[str, Any]) -> str:
    return json.dumps([thing["points"] for thing in state["objects"]], separators=(",", ":"))


def test_point_can_be_dragged_and_taken_back(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    studio.click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")
    studio.hover(DISC_A)
    studio.until("s.badge === 'delete'")
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((DISC_A[0] - 30, DISC_A[1] + 20)), steps=3)
    studio.page.mouse.up()
    studio.until("Math.abs(s.objects[0].points[0][0] - 130) < 1 && Math.abs(s.objects[0].points[0][1] - 170) < 1")
    studio.click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 1")
    assert studio.state()["objects"][0]["points"][0][0] == pytest.approx(130, abs=1)


def test_drag_of_more_than_four_pixels_draws_a_box_and_a_shaky_click_none(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    x, y = studio.at(DISC_B)
    studio.page.mouse.move(x, y)
    studio.page.mouse.down()
    studio.page.mouse.move(x + 3, y - 2)
    studio.page.mouse.up()
    studio.until("s.objects.length === 1 && s.objects[0].box === null")
    studio.press("Enter")

    studio.page.mouse.move(*studio.at((70, 60)))
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((250, 240)), steps=3)
    studio.page.mouse.up()
    studio.until("s.objects.length === 2")
    assert studio.state()["objects"][1]["box"] == pytest.approx([70, 60, 250, 240], abs=1)
    studio.press("Backspace")  # it has no point: the box was its last prompt
    studio.until("s.objects.length === 1")


def test_ways_to_keep_arm_the_next_colour(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.page.mouse.dblclick(*studio.at(DISC_A))
    studio.until("s.objects.length === 1 && s.active === null")
    assert len(studio.state()["objects"][0]["points"]) == 1
    for keys, place in (("Enter", DISC_B), ("n", (DISC_B[0], DISC_B[1] - 100))):
        studio.click(place)
        studio.until("s.active !== null")
        studio.press(keys)
        studio.until("s.active === null")
    colors = [thing["color"] for thing in studio.state()["objects"]]
    assert len(set(colors)) == 3


def test_right_alt_shift_and_x_take_away_and_the_badge_says_so(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.click(DISC_A)
    studio.until("s.active !== null")
    for count, how in enumerate(("right", "Alt", "Shift", "x"), start=2):
        spot = (DISC_A[0] + 40, DISC_A[1] + 30 - 30 * (count - 2))
        studio.hover(spot)
        studio.until("s.badge === 'add'")
        if how in ("Alt", "Shift"):
            studio.page.keyboard.down(how)
        if how == "x":
            studio.press(how)
            expect(studio.page.locator("#remove")).to_have_attribute("aria-pressed", "true")
        if how != "right":
            studio.until("s.badge === 'remove'")
        studio.click(spot, button="right" if how == "right" else "left")
        if how in ("Alt", "Shift"):
            studio.page.keyboard.up(how)
        studio.until(f"s.objects[0].points.length === {count}")
        assert studio.state()["objects"][0]["points"][-1][2] == 0, how


def test_backspace_esc_and_delete_take_back_one_point_the_change_the_object(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    studio.click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")
    studio.press("Backspace")
    studio.until("s.objects[0].points.length === 1")
    studio.press("Enter")

    studio.click(DISC_B)
    studio.until("s.objects.length === 2")
    studio.press("Escape")
    studio.until("s.objects.length === 1 && s.active === null")
    studio.press("Control+z")
    studio.until("s.objects.length === 2")
    studio.press("Enter")

    studio.page.locator(".object-choose").first.click()
    studio.until("s.active !== null")
    studio.click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")
    studio.press("Escape")
    studio.until("s.objects[0].points.length === 1 && s.active === null && s.objects.length === 2")

    studio.page.locator(".object-choose").first.click()
    studio.until("s.active !== null")
    studio.press("Delete")
    studio.until("s.objects.length === 1 && s.active === null")
