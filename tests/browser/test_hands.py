"""Hands that do the unexpected: another view in mid-drag, fingers that rest, foreign keyboards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.helpers.studio import BACKGROUND, COFFEE, DISC_A, DISC_B, OpenStudio, Point, Studio, apart, discs

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 800},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 3,
}


def selected(open_studio: OpenStudio, **options: Any) -> Studio:
    """Return a page on which the left disc is the selected object."""
    studio = open_studio(**options)
    studio.open(discs())
    if "has_touch" in options:
        studio.page.touchscreen.tap(*studio.at(DISC_A))
    else:
        studio.click(DISC_A)
    studio.until("s.objects.length === 1 && s.active !== null")
    return studio


def key(studio: Studio, **fields: Any) -> None:
    """Press a key of a keyboard that Playwright doesn't have."""
    studio.page.evaluate(
        """fields => document.getElementById("canvas").dispatchEvent(
          new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...fields }))""",
        fields,
    )


# ---- dragging


def wheel(page: Page) -> None:
    page.mouse.wheel(0, -300)


def smaller_window(page: Page) -> None:
    page.set_viewport_size({"width": 1000, "height": 600})


@pytest.mark.parametrize("change", [wheel, smaller_window])
def test_box_keeps_its_corner_though_the_view_changes_in_mid_drag(
    open_studio: OpenStudio, change: Callable[[Page], None]
) -> None:
    studio = open_studio()
    studio.open(discs())
    before = studio.state()["viewport"]["scale"]
    studio.hover((400, 180))
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((450, 230)), steps=3)
    change(studio.page)
    studio.until(f"s.viewport.scale !== {before}")
    studio.page.mouse.move(*studio.at((500, 300)), steps=3)
    studio.page.mouse.up()
    studio.until("s.objects.length === 1")
    assert studio.state()["objects"][0]["box"] == pytest.approx([400, 180, 500, 300], abs=1)


@pytest.mark.parametrize("modifier", ["right", "Alt"])
def test_drag_that_would_remove_is_given_up_and_a_shaky_click_is_not(open_studio: OpenStudio, modifier: str) -> None:
    studio = selected(open_studio)
    button: Any = "right" if modifier == "right" else "left"
    if modifier == "Alt":
        studio.page.keyboard.down("Alt")
    for far, points in ((120, 1), (8, 2)):
        x, y = studio.at((DISC_A[0] - 30, DISC_A[1] + 30))
        studio.page.mouse.move(x, y)
        studio.page.mouse.down(button=button)
        studio.page.mouse.move(x + far, y, steps=3)
        studio.page.mouse.up(button=button)
        if points == 2:
            studio.until("s.objects[0].points.length === 2")
        assert [message["t"] for message in studio.sent].count("click") == points
    assert studio.state()["objects"][0]["points"][1][2] == 0


def test_buttons_that_lead_back_and_forward_place_no_point(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    for button in (3, 4):
        for kind in ("pointerdown", "pointerup"):
            studio.page.evaluate(
                """([kind, button, x, y]) => document.getElementById("canvas").dispatchEvent(
                  new PointerEvent(kind, { button, clientX: x, clientY: y, pointerId: 1, pointerType: "mouse" }))""",
                [kind, button, *studio.at(DISC_A)],
            )
    studio.add_object(DISC_B)
    assert [message["t"] for message in studio.sent].count("click") == 1


# ---- fingers


def test_finger_that_rests_sees_what_a_tap_gives_and_places_nothing(open_studio: OpenStudio) -> None:
    studio = selected(open_studio, **PHONE)
    wire = studio.page.context.new_cdp_session(studio.page)

    def touch(kind: str, *fingers: Point) -> None:
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in fingers]})

    beside = (DISC_A[0] + 40, DISC_A[1] + 20)
    for tool, does, place in (("new", "select", beside), ("remove", "remove", beside), ("new", "new", BACKGROUND)):
        studio.page.locator(f"#{tool}").tap()
        touch("touchStart", studio.at(place))
        shown = "s.preview === null" if does == "select" else "s.preview !== null"
        studio.until(f"s.badge === '{does}' && {shown}")
        studio.until("s.resting")
        touch("touchEnd")
        studio.until(f"s.badge === '{does}' && {shown}")  # it stays lit, for the finger was in the way
        assert [len(thing["points"]) for thing in studio.state()["objects"]] == [1]
    studio.page.touchscreen.tap(*studio.at(BACKGROUND))
    studio.until("s.objects.length === 2")
    studio.page.touchscreen.tap(*studio.at(beside))
    studio.until("s.active === s.objects[0].id")


def test_double_tap_of_a_finger_makes_one_object(open_studio: OpenStudio) -> None:
    studio = open_studio(**PHONE)
    studio.open(discs())
    x, y = studio.at(DISC_A)
    studio.page.touchscreen.tap(x, y)
    studio.page.touchscreen.tap(x + 9, y + 4)  # no finger comes down twice on one pixel
    studio.until("s.objects.length === 1 && s.point === 0")
    assert len(studio.state()["objects"][0]["points"]) == 1


def test_what_needs_a_key_elsewhere_a_finger_does_on_a_phone(open_studio: OpenStudio) -> None:
    studio = selected(open_studio, **PHONE)
    page = studio.page
    studio.show_panel()
    spot = (DISC_A[0] + 30, DISC_A[1] + 30)
    shown = studio.pixel(spot)
    page.locator('[popovertarget="look-menu"]').tap()
    expect(page.locator("#look-menu kbd").first).to_be_hidden()
    held = page.locator("#hide-held").bounding_box()
    assert held is not None
    wire = page.context.new_cdp_session(page)
    place = {"x": held["x"] + held["width"] / 2, "y": held["y"] + held["height"] / 2}
    wire.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [place]})
    assert apart(studio.pixel(spot), shown) > 10
    wire.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert studio.pixel(spot) == shown
    studio.press("Escape")
    page.locator("#credits summary").tap()
    expect(page.locator("#credits li").first).to_be_in_viewport(ratio=0.5)


# ---- keys


def test_keyboards_cursor_stays_in_sight_and_reaches_all_of_a_zoomed_picture(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.page.locator("#canvas").focus()
    for _ in range(4):
        studio.press("Shift+ArrowRight")
    seen = studio.at(cursor(studio))
    for _ in range(6):
        studio.press("+")
    studio.until("s.viewport.scale > 5")
    assert studio.at(cursor(studio)) == pytest.approx(seen, abs=1)  # it zooms where the cursor is
    stage = studio.page.locator("#stage").bounding_box()
    assert stage is not None
    for _ in range(45):
        studio.press("Shift+ArrowRight")
        x, _ = studio.at(cursor(studio))
        assert stage["x"] <= x <= stage["x"] + stage["width"]
    assert cursor(studio)[0] == 640
    studio.press("Enter")
    studio.until("s.objects.length === 1 && s.objects[0].points[0][0] === 640")


def cursor(studio: Studio) -> Point:
    at = studio.state()["cursor"]
    return at["x"], at["y"]


def test_brackets_behind_altgr_and_letters_of_another_alphabet_work(open_studio: OpenStudio) -> None:
    studio = selected(open_studio)
    studio.away()
    before = studio.state()["objects"][0]["chosen"]
    key(studio, key="]", code="Digit9", ctrlKey=True, altKey=True)  # German, on Windows
    studio.until(f"s.objects[0].chosen !== {before}")
    key(studio, key="[", code="Digit5", altKey=True)  # German, on a Mac
    studio.until(f"s.objects[0].chosen === {before}")
    key(studio, key="к", code="KeyR")  # Russian
    expect(studio.page.locator("#remove")).to_be_checked()
    for _ in range(3):
        key(studio, key="я", code="KeyZ", ctrlKey=True)
    studio.until("s.objects.length === 0")


def test_masks_come_back_when_h_is_let_go_with_another_key_down(open_studio: OpenStudio) -> None:
    studio = selected(open_studio)
    studio.away()
    spot = (DISC_A[0] + 30, DISC_A[1] + 30)
    shown = studio.pixel(spot)
    studio.page.keyboard.down("h")
    assert apart(studio.pixel(spot), shown) > 10
    studio.page.keyboard.down("Control")
    studio.page.keyboard.up("h")
    studio.page.keyboard.up("Control")
    assert studio.pixel(spot) == shown


def test_keys_of_the_sheet_that_open_rename_and_fill(open_studio: OpenStudio) -> None:
    studio = selected(open_studio)
    studio.chooser_of(lambda: studio.press("Control+o"))
    studio.away()
    spot = (DISC_A[0] + 24, DISC_A[1] + 24)
    seen = {studio.pixel(spot)}
    studio.press("o")
    seen.add(studio.pixel(spot))
    studio.press("l")
    seen.add(studio.pixel(spot))
    assert len(seen) == 3
    studio.press("f")
    studio.press("F2")
    expect(studio.page.locator(".object-input")).to_be_focused()
    studio.press("Escape")
    studio.press("Meta+z")
    studio.until("s.objects.length === 0")
    studio.press("Meta+Shift+z")
    studio.until("s.objects.length === 1")


def test_enter_of_an_input_method_doesnt_end_the_naming(open_studio: OpenStudio) -> None:
    studio = selected(open_studio)
    field = studio.page.locator(".object-input")
    studio.page.locator('[data-part="rename"]').click()
    field.fill("かっぷ")
    field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(field).to_be_visible()
    studio.press("Enter")
    studio.until("s.objects[0].name === 'かっぷ'")


def test_sheet_and_menus_that_a_mouse_opened_leave_the_keys_to_the_picture(open_studio: OpenStudio) -> None:
    studio = selected(open_studio)
    for opener, sheet in (("#show-help", "#help"), ("#save", "#save-menu"), ("#show-models", "#model-menu")):
        studio.page.locator(opener).click()
        expect(studio.page.locator(sheet)).to_be_visible()
        studio.press("Escape")
        expect(studio.page.locator(sheet)).to_be_hidden()
        expect(studio.page.locator("#canvas")).to_be_focused()
    studio.press("Escape")
    studio.until("s.active === null")


def test_word_that_was_marked_before_doesnt_keep_the_cutout_from_being_copied(open_studio: OpenStudio) -> None:
    studio = open_studio(permissions=["clipboard-read", "clipboard-write"])
    studio.open(discs())
    studio.page.locator("#model-title-name").dblclick()
    assert studio.page.evaluate("getSelection().toString()") != ""
    studio.click(DISC_A)
    studio.until("s.active !== null")
    studio.press("Control+c")
    expect(studio.page.locator("#live")).to_contain_text("copied")
    kinds = studio.page.evaluate("async () => (await navigator.clipboard.read()).flatMap(item => item.types)")
    assert kinds == ["image/png"]


# ---- pictures


def test_sample_that_was_chosen_last_wins_though_the_one_before_comes_later(open_studio: OpenStudio) -> None:
    held: list[Route] = []

    def hold(page: Page) -> None:
        page.route("**/astronaut.jpg*", lambda route: held.append(route) if held_open else route.continue_())

    held_open: list[bool] = []
    studio = open_studio(before=hold)
    studio.page.wait_for_load_state("networkidle")
    held_open.append(True)
    studio.page.evaluate(
        """() => { const { fetch } = globalThis; globalThis.fetch = (url) => fetch(url, { cache: "reload" }); }"""
    )
    samples = studio.page.locator("#welcome .sample")
    with studio.page.expect_request("**/astronaut.jpg*"):
        samples.nth(0).click()
    samples.nth(2).click()
    studio.until("s.image?.name === 'coffee.jpg'")
    with studio.page.expect_response("**/astronaut.jpg*"):
        held[0].continue_()
    studio.add_object((290, 170))
    assert studio.state()["shown"] == COFFEE.name
    assert [message["t"] for message in studio.sent].count("open") == 1
