"""The list of objects, and how masks look."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.studio import DISC_A, DISC_B, OpenStudio, Studio, apart, discs

pytestmark = pytest.mark.browser

IN_A, IN_B = (DISC_A[0] + 25, DISC_A[1]), (DISC_B[0] + 25, DISC_B[1])


def with_two_objects(open_studio: OpenStudio) -> Studio:
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.add_object(DISC_B)
    studio.away()
    return studio


def test_entry_shows_colour_name_area_score_and_points(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    entries = studio.page.locator("#objects li")
    swatches = [entries.nth(i).locator(".swatch").evaluate("e => getComputedStyle(e).backgroundColor") for i in (0, 1)]
    assert swatches[0] != swatches[1]
    area = studio.areas()[0]
    expect(entries.first.locator(".object-facts")).to_have_text(f"1 point · {area:,} px · 90 %")

    entries.first.locator(".object-choose").focus()
    studio.press("F2")
    studio.page.keyboard.type("left disc")
    studio.press("Enter")
    expect(entries.first.locator(".object-name")).to_have_text("left disc")
    assert studio.sent[-1]["t"] == "label"
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


def test_entry_lights_its_object_up_and_reopens_it_with_its_prompts(open_studio: OpenStudio) -> None:
    studio = with_two_objects(open_studio)
    before = studio.pixel(IN_B)
    studio.page.locator("#objects li").first.hover()
    studio.until("s.pointed !== null")
    assert apart(studio.pixel(IN_B), before) > 5  # the others step back
    studio.page.locator(".object-choose").first.click()
    studio.until("s.active === s.objects[0].id")
    studio.click((DISC_A[0] + 30, DISC_A[1]))
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
    studio.until("s.active === s.objects[1].id")  # the first has folded up
    moved = entries.last.locator(".object-choose").bounding_box()
    assert moved is not None
    assert moved["y"] < box["y"] - 10
    studio.page.mouse.down(click_count=2)
    studio.page.mouse.up(click_count=2)
    studio.page.keyboard.type("second")
    studio.press("Enter")
    expect(entries.last.locator(".object-name")).to_have_text("second")
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
    expect(page.locator("#opacity-text")).to_have_text("0 %")
    assert studio.pixel(IN_A) == bare
    page.reload()
    studio.until("s.objects.length === 2")
    assert studio.pixel(IN_A) == bare  # this browser remembers
