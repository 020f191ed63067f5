"""The page in a real Chromium, on the real server: what a person does, and what they must see."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.studio import (
    ARTIFACTS,
    COFFEE,
    DISC_A,
    DISC_B,
    OpenStudio,
    apart,
    discs,
)

pytestmark = pytest.mark.browser


def test_mask_lights_up_under_the_pointer_and_a_click_keeps_it(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(COFFEE)
    inside, beside, corner = (290.0, 170.0), (290.0, 182.0), (12.0, 12.0)
    bare, bare_beside, bare_corner = studio.pixel(inside), studio.pixel(beside), studio.pixel(corner)

    studio.hover(inside)
    studio.until("s.preview !== null && s.preview.area > 0")
    assert studio.state()["objects"] == []
    assert apart(studio.pixel(inside), bare) > 15
    assert studio.pixel(corner) == bare_corner

    studio.click(inside)
    studio.until("s.objects.length === 1")
    studio.page.keyboard.press("Enter")
    studio.page.mouse.move(2, 2)
    studio.until("s.active === null && s.preview === null")
    assert apart(studio.pixel(beside), bare_beside) > 15
    assert studio.pixel(corner) == bare_corner
    assert studio.state()["objects"][0]["points"] == [[pytest.approx(290, abs=1), pytest.approx(170, abs=1), 1]]
    expect(studio.page.locator("#objects li")).to_have_count(1)
    ARTIFACTS.mkdir(exist_ok=True)
    studio.page.screenshot(path=ARTIFACTS / "studio.png")


def test_preview_ends_where_the_picture_ends(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.hover(DISC_A)
    studio.until("s.preview !== null")
    studio.hover((320, -8))
    studio.until("s.preview === null")


def test_picture_that_is_dropped_opens(open_studio: OpenStudio) -> None:
    studio = open_studio()
    transfer = studio.page.evaluate_handle(
        """async () => {
          const blob = await (await fetch(document.querySelector("[data-sample]").dataset.sample)).blob();
          const transfer = new DataTransfer();
          transfer.items.add(new File([blob], "dropped.jpg", { type: blob.type }));
          return transfer;
        }"""
    )
    studio.page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    expect(studio.page.locator("#drop")).to_be_visible()
    studio.page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    studio.until("s.image?.name === 'dropped.jpg'")
    expect(studio.page.locator("#drop")).to_be_hidden()


def test_sample_opens_by_a_click(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.page.locator("#welcome .sample").first.click()
    studio.until("s.image?.name === 'astronaut.jpg'")
    expect(studio.page.locator("#file-name")).to_have_text("astronaut.jpg")


def test_right_click_takes_away_and_undo_and_redo_restore_the_same_areas(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    first = studio.areas()
    studio.click((DISC_A[0] + 45, DISC_A[1] + 40), button="right")
    studio.until("s.objects[0].points.length === 2")
    assert studio.state()["objects"][0]["points"][1][2] == 0
    second = studio.areas()

    studio.page.keyboard.press("Control+z")
    studio.until("s.objects[0].points.length === 1")
    assert studio.areas() == first
    studio.page.keyboard.press("Control+z")
    studio.until("s.objects.length === 0 && !s.canUndo")
    studio.page.keyboard.press("Control+Shift+z")
    studio.until("s.objects.length === 1")
    assert studio.areas() == first
    studio.page.locator("#redo").click()
    studio.until("s.objects[0].points.length === 2 && !s.canRedo")
    assert studio.areas() == second


def test_two_objects_have_two_colours_and_one_can_be_deleted(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    bare = studio.pixel((DISC_B[0] + 20, DISC_B[1]))
    studio.add_object(DISC_A)
    studio.add_object(DISC_B)
    first, second = studio.state()["objects"]
    assert first["color"] != second["color"]
    swatches = studio.page.locator("#objects .swatch")
    colors = [swatches.nth(i).evaluate("element => getComputedStyle(element).backgroundColor") for i in range(2)]
    assert colors[0] != colors[1]

    studio.page.get_by_role("button", name=f"Delete {second['name']}").click()
    studio.until("s.objects.length === 1")
    assert [thing["id"] for thing in studio.state()["objects"]] == [first["id"]]
    assert studio.pixel((DISC_B[0] + 20, DISC_B[1])) == bare


def test_entry_in_the_list_makes_its_object_the_one_that_clicks_refine(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.add_object(DISC_B)
    studio.page.locator(".object-choose").first.click()
    studio.click((DISC_A[0] + 30, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")
    studio.page.keyboard.press("Delete")
    studio.until("s.objects.length === 1")


def test_point_can_be_dragged_and_taken_back(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    studio.click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 2")
    studio.hover(DISC_A)
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((DISC_A[0] - 30, DISC_A[1] + 20)), steps=3)
    studio.page.mouse.up()
    studio.until("Math.abs(s.objects[0].points[0][0] - 130) < 1 && Math.abs(s.objects[0].points[0][1] - 170) < 1")
    studio.click((DISC_A[0] + 50, DISC_A[1]))
    studio.until("s.objects[0].points.length === 1")
    assert studio.state()["objects"][0]["points"][0][0] == pytest.approx(130, abs=1)


def test_drag_draws_a_box(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.page.mouse.move(*studio.at((70, 60)))
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((250, 240)), steps=3)
    studio.page.mouse.up()
    studio.until("s.objects.length === 1")
    assert studio.state()["objects"][0]["box"] == pytest.approx([70, 60, 250, 240], abs=1)


def test_double_click_keeps_the_object_with_one_point(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.page.mouse.dblclick(*studio.at(DISC_A))
    studio.until("s.objects.length === 1 && s.active === null")
    assert len(studio.state()["objects"][0]["points"]) == 1


@pytest.mark.parametrize(
    ("width", "height", "ratio"), [(390, 780, 2), (360, 640, 3), (1280, 800, 2), (1100, 700, 1.25)]
)
def test_click_lands_on_its_pixel_on_any_screen(open_studio: OpenStudio, width: int, height: int, ratio: float) -> None:
    studio = open_studio(viewport={"width": width, "height": height}, device_scale_factor=ratio)
    studio.open(discs())
    studio.click(DISC_B)
    studio.until("s.objects.length === 1")
    assert studio.state()["objects"][0]["points"][0] == [
        pytest.approx(DISC_B[0], abs=1),
        pytest.approx(DISC_B[1], abs=1),
        1,
    ]
    backing = studio.page.evaluate(
        "() => { const c = document.querySelector('canvas'); return c.width / c.clientWidth; }"
    )
    assert backing == pytest.approx(ratio, rel=0.01)
    assert studio.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_wheel_zooms_at_the_pointer_and_clicks_stay_exact(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    before = studio.at(DISC_A)
    scale = studio.state()["viewport"]["scale"]
    studio.page.mouse.move(*before)
    studio.page.mouse.wheel(0, -400)
    studio.until(f"s.viewport.scale > {scale * 1.2}")
    assert studio.at(DISC_A) == pytest.approx(before, abs=0.5)

    studio.page.keyboard.down("Space")
    studio.page.mouse.down()
    studio.page.mouse.move(before[0] + 60, before[1] - 30, steps=3)
    studio.page.mouse.up()
    studio.page.keyboard.up("Space")
    assert studio.at(DISC_A) == pytest.approx((before[0] + 60, before[1] - 30), abs=0.5)
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    assert studio.state()["objects"][0]["points"][0][:2] == pytest.approx(list(DISC_A), abs=0.6)
    studio.page.keyboard.press("0")
    studio.until(f"Math.abs(s.viewport.scale - {scale}) < 1e-6")


def test_text_file_is_refused_in_the_servers_words_and_the_work_stays(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.expected = ("Failed to load resource",)  # Chromium's own line for the refusal
    studio.open(discs())
    studio.add_object(DISC_A)
    with studio.page.expect_response("**/api/upload") as answer:
        studio.choose({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"})
    message = answer.value.json()["detail"]["message"]
    expect(studio.page.locator("#notice-text")).to_have_text(message)
    assert studio.state()["image"]["name"] == "discs.png"
    assert len(studio.state()["objects"]) == 1
    studio.add_object(DISC_B)
    expect(studio.page.locator("#notice")).to_be_hidden()


def test_page_names_the_model_and_says_what_nano_is(open_studio: OpenStudio) -> None:
    studio = open_studio()
    assert studio.state()["model"] == "nano"
    expect(studio.page.locator("#model-name")).to_have_text("nano")
    expect(studio.page.locator("#model-note")).to_have_text(
        "nano is a small demonstration model that ships with HoverSAM so that it works offline; "
        "for real work start with --model tiny (published SAM 2.1 weights)."
    )


def test_hostile_file_name_stays_text(open_studio: OpenStudio) -> None:
    studio = open_studio()
    name = "<img src=x onerror=alert(1)>.png"
    studio.open({**discs(), "name": name})
    expect(studio.page.locator("#file-name")).to_have_text(name)
    assert studio.page.locator("#file-name *").count() == 0
    assert studio.page.title() == f"{name} · HoverSAM"


def test_taps_add_and_the_tool_takes_away_on_a_phone(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)
    studio.open(discs())
    studio.page.touchscreen.tap(*studio.at(DISC_A))
    studio.until("s.objects.length === 1 && s.active !== null")
    studio.page.locator("#remove").tap()
    studio.page.touchscreen.tap(*studio.at((DISC_A[0] + 50, DISC_A[1] + 30)))
    studio.until("s.objects[0].points.length === 2")
    assert studio.state()["objects"][0]["points"][1] == [pytest.approx(210, abs=2), pytest.approx(180, abs=2), 0]
    studio.page.locator("#commit").tap()
    studio.until("s.active === null")


def test_pointer_that_rests_on_the_picture_sees_a_mask_once_it_is_ready(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.hover(DISC_A)
    studio.until("s.preview !== null")
    studio.open(COFFEE)
    studio.until("s.preview !== null")


def test_keyboard_alone_adds_and_keeps_an_object(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.page.locator("#canvas").focus()
    studio.page.keyboard.press("ArrowRight")
    studio.until("s.preview !== null")
    studio.page.keyboard.press("Enter")
    studio.until("s.objects.length === 1")
    studio.page.keyboard.press("Control+Enter")
    studio.until("s.active === null")
