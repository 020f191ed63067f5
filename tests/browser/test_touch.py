"""A phone in a hand: the whole way by fingers alone, as the browser tells of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import expect

from tests.helpers.studio import ARTIFACTS, OpenStudio, Point, Studio

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
CUP: Point = (290, 170)
SPOON: Point = (470, 300)


@pytest.fixture
def address(live_server: str) -> str:
    return live_server


class Finger:
    """One finger on the glass."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.wire = studio.page.context.new_cdp_session(studio.page)

    def down(self, place: Point) -> None:
        self._send("touchStart", place)

    def up(self) -> None:
        self._send("touchEnd")

    def tap(self, place: Point) -> None:
        self.down(place)
        self.up()

    def tap_on(self, selector: str) -> None:
        """Tap the middle of a control, once it is in view."""
        control = self.studio.page.locator(selector)
        control.scroll_into_view_if_needed()
        box = control.bounding_box()
        assert box is not None
        self.tap((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))

    def _send(self, kind: str, *places: Point) -> None:
        self.wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in places]})


def test_whole_way_by_fingers_alone(open_studio: OpenStudio) -> None:
    studio = open_studio(**PHONE)
    finger = Finger(studio)
    finger.tap_on("#welcome .sample[data-name='coffee.jpg']")
    studio.until("s.image?.name === 'coffee.jpg'")
    expect(studio.page.locator("#canvas")).to_be_focused()

    finger.down(studio.at(CUP))
    studio.until("s.badge === 'new' && s.preview !== null")
    studio.until("s.resting")
    finger.up()
    pictures(studio, "hold")
    studio.until("s.preview !== null && s.objects.length === 0")  # it shows, and places nothing
    finger.tap(studio.at(CUP))
    studio.until("s.objects.length === 1 && s.active === s.objects[0].id")
    cup = studio.state()["objects"][0]["id"]

    finger.tap(studio.at(SPOON))
    studio.until("s.objects.length === 2 && s.active === s.objects[1].id")
    pictures(studio, "two")
    # On something that can be pressed a browser tints the whole element.
    assert studio.page.evaluate("getComputedStyle(canvas).webkitTapHighlightColor") == "rgba(0, 0, 0, 0)"
    finger.tap(studio.at((CUP[0], CUP[1] + 40)))
    studio.until(f"s.objects.length === 2 && s.active === {cup}")
    finger.tap_on("#remove")
    finger.tap(studio.at((CUP[0] - 70, CUP[1] + 20)))
    studio.until("s.objects[0].points.length === 2")
    finger.tap_on("#undo")
    studio.until("s.objects[0].points.length === 1")
    finger.tap_on("#undo")
    studio.until("s.objects.length === 1")

    # The list is open, the picture small: nothing of the brush lies on it.
    finger.tap_on("#show-panel")
    expect(studio.page.locator("#show-panel")).to_have_attribute("aria-expanded", "true")
    studio.until_it_lies_still()
    canvas = studio.page.locator("#canvas").bounding_box()
    finger.tap_on("#brush")
    expect(studio.page.locator("#brush-options")).to_be_visible()
    bar = studio.page.locator("#brush-options").bounding_box()
    assert bar is not None
    assert canvas is not None
    assert canvas == studio.page.locator("#canvas").bounding_box()
    assert bar["y"] >= canvas["y"] + canvas["height"]
    pictures(studio, "brush")
    assert_brush_and_eraser_leave_the_picture_in_its_place(studio, finger)
    finger.tap_on("#new")
    finger.tap_on("#show-panel")

    finger.tap_on("#save")
    expect(studio.page.get_by_role("radio", name="All 1")).to_be_checked()
    pictures(studio, "save")
    with studio.page.expect_download() as download:
        finger.tap_on("#save-menu [data-format='coco']")
    assert len(json.loads(Path(download.value.path()).read_text())["annotations"]) == 1
    expect(studio.page.locator("#toast")).to_contain_text("coffee.coco.json saved")
    pictures(studio, "saved")
    assert_help_speaks_of_fingers_and_has_the_keys_behind_a_line(studio, finger)


def assert_help_speaks_of_fingers_and_has_the_keys_behind_a_line(studio: Studio, finger: Finger) -> None:
    finger.tap_on("#show-help")
    expect(studio.page.locator("#sheet-by-touch")).to_contain_text("hold a finger still on it")
    expect(studio.page.locator("#help kbd").first).to_be_hidden()
    finger.tap_on("#sheet-of-keys summary")
    expect(studio.page.locator("#help kbd").first).to_be_visible()
    finger.tap_on("#close-help")


def assert_brush_and_eraser_leave_the_picture_in_its_place(studio: Studio, finger: Finger) -> None:
    """Try the narrowest screen, where one sentence is longer than the other."""
    studio.page.set_viewport_size({"width": 320, "height": 844})
    boxes = []
    for tool in ("#brush", "#eraser"):
        finger.tap_on(tool)
        studio.until("s.image !== null")  # and has drawn
        boxes.append(studio.page.locator("#canvas").bounding_box())
    assert boxes[0] == boxes[1]
    studio.page.set_viewport_size(PHONE["viewport"])


def pictures(studio: Studio, name: str) -> None:
    """Keep what the screen shows in dark and in light, for eyes."""
    ARTIFACTS.mkdir(exist_ok=True)
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme in schemes:
        studio.page.emulate_media(color_scheme=scheme)
        studio.pixel(CUP)  # once all is drawn
        studio.page.screenshot(path=ARTIFACTS / f"touch-{scheme}-{name}.png", animations="disabled")
