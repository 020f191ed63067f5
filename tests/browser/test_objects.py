"""The list of objects, and how masks look."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, Studio, apart, discs

pytestmark = pytest.mark.browser

IN_A, IN_B = (DISC_A[0] + 25, DISC_A[1]), (DISC_B[0] + 25, DISC_B[1])
FOLDED = """async () => {
  while (hoversam.state().active !== hoversam.state().objects[1].id) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return document.querySelector("#objects li:last-child .object-choose").getBoundingClientRect().y;
}"""
"""Waits until the second object is selected and the first has folded up; tells where the second lies then."""


def with_two_objects(open_studio: OpenStudio) -> Studio:
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.add_object(DISC_B)
    studio.deselect()
    studio.away()
    return studio


def test_entry_shows_colour_name_area_score_and_points(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    entries = studio.page.locator("#objects li")
    swatches = [entries.nth(i).locator(".swatch").evaluate("e => getComputedStyle(e).backgroundColor") for i in (0, 1)]
    assert swatches[0] != swatches[1]
    area = studio.areas()[0]
    expect(entries.first.locator(".object-facts")).to_have_text(f"1 point · {area:,} px · 90%")

    entries.first.locator(".object-choose").focus()
    studio.press("F2")
    studio.page.keyboard.type("left disc")
    studio.press("Enter")
    expect(entries.first.locator(".object-name")).to_have_text("left disc")
    assert [message["t"] for message in studio.sent].count("label") == 1
    studio.press("Control+z")
    expect(entries.first.locator(".object-name")).to_have_text("Object 1")


def test_hiding_and_isolating_change_what_is_seen_and_deleting_what_is_there(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    page = studio.page
    both = studio.pixel(IN_A), studio.pixel(IN_B)
    page.get_by_role("button", name="Hide Object 1").click()
    bare = studio.pixel(IN_A)
    assert apart(bare, both[0]) > 15
    page.get_by_role("button", name="Hide Object 1").click()
    page.mouse.move(2, 2)
    assert studio.pixel(IN_A) == both[0]

    page.get_by_role("button", name="Show only Object 2").click()
    page.mouse.move(2, 2)
    assert studio.pixel(IN_A) == bare
    assert studio.pixel(IN_B) == both[1]
    page.get_by_role("button", name="Show only Object 2").click()

    page.get_by_role("button", name="Delete Object 1").click()
    studio.until("s.objects.length === 1")
    assert studio.pixel(IN_A) == bare


def test_entry_lights_its_object_up_and_selects_it(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    before = studio.pixel(IN_B)
    studio.page.locator("#objects li").first.hover()
    studio.until("s.pointed !== null")
    assert apart(studio.pixel(IN_B), before) > 5  # the others step back
    studio.page.locator(".object-choose").first.click()
    studio.until("s.active === s.objects[0].id")
    studio.shift_click((DISC_A[0] + 30, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")


def test_double_click_on_a_name_renames_it_though_the_list_moves_between_the_clicks(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    entries = studio.page.locator("#objects li")
    entries.first.locator(".object-choose").click()
    studio.until("s.active === s.objects[0].id")
    box = entries.last.locator(".object-choose").bounding_box()
    assert box is not None
    place = box["x"] + 60, box["y"] + box["height"] - 4
    studio.page.mouse.click(*place)
    moved_y = studio.page.evaluate(FOLDED)  # asked once, since the second press is to come within half a second
    studio.page.mouse.down(click_count=2)
    studio.page.mouse.up(click_count=2)
    studio.page.keyboard.type("second")
    studio.press("Enter")
    expect(entries.last.locator(".object-name")).to_have_text("second")
    assert moved_y < box["y"] - 10
    assert studio.state()["active"] == studio.state()["objects"][1]["id"]


def test_opacity_outlines_and_a_held_h_change_how_masks_look(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    page = studio.page
    tinted = studio.pixel(IN_A)
    page.keyboard.down("h")
    bare = studio.pixel(IN_A)
    page.keyboard.up("h")
    assert apart(tinted, bare) > 15
    assert studio.pixel(IN_A) == tinted

    studio.press("l")
    assert studio.pixel(IN_A) == bare
    studio.press("l")
    studio.press("o")
    assert apart(studio.pixel(IN_A), bare) > apart(tinted, bare) + 10
    page.get_by_role("button", name="How it looks").click()
    page.locator("#opacity").fill("0")
    expect(page.locator("#opacity-text")).to_have_text("0%")
    assert studio.pixel(IN_A) == bare
    page.reload()
    studio.until("s.objects.length === 2")
    assert studio.pixel(IN_A) == bare  # this browser remembers


def test_list_scrolls_to_the_object_that_is_selected_or_that_tab_comes_to(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 1100, "height": 560})
    studio.open(discs())
    for number in range(12):
        studio.add_on_top((40 + 50 * number, 340))
    panel = """(selector) => {
      const [item, panel] = [document.querySelector(selector), document.querySelector(".panel")];
      const [inner, outer] = [item.getBoundingClientRect(), panel.getBoundingClientRect()];
      return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
    }"""
    studio.page.wait_for_function(panel, arg=".object.active")
    studio.click((14, 340))  # on the first, and on no other
    studio.until("s.active === s.objects[0].id")
    studio.page.wait_for_function(panel, arg=".object.active")
    studio.press("Shift+Tab")
    studio.until("s.pointed === s.objects.at(-1).id")
    studio.page.wait_for_function(panel, arg=".object.pointed")


def test_f2_renames_the_selected_object_from_the_picture_and_typing_fires_nothing(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    studio.click(IN_B)
    studio.until("s.active === s.objects[1].id")
    studio.press("F2")
    expect(studio.page.locator(".object-input").last).to_be_focused()
    studio.page.keyboard.type("no ratio, Lfht? [0]")
    studio.press("Enter")
    studio.until("s.objects[1].name === 'no ratio, Lfht? [0]' && s.tool === 'new' && s.active !== null")
    assert len(studio.state()["objects"]) == 2
    expect(studio.page.locator("#help")).to_be_hidden()
