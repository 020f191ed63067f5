"""The page as it looks at a desk, on a tablet and on a phone, in light and dark, for eyes: `tests/artifacts/*.png`.

The picture in the README, `static/screenshot.jpg`, is `desk-light.png` of a run, as a JPEG.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.studio import ARTIFACTS, ROOT, OpenStudio, Point, Studio

pytestmark = pytest.mark.browser

SIZES: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "tablet": {"viewport": {"width": 820, "height": 1180}, "has_touch": True, "is_mobile": True},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
}
ASTRONAUT = ROOT / "static" / "samples" / "astronaut.jpg"
THINGS: tuple[tuple[str, Point], ...] = (("hair", (222, 55)), ("patch", (176, 392)), ("tank", (420, 60)))
SUIT: Point = (130, 300)
OTHER_SIDE: Point = (300, 310)


@pytest.fixture
def address(live_server: str) -> str:
    return live_server


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_page_is_whole_at_every_size_in_light_and_dark(open_studio: OpenStudio, size: str, scheme: str) -> None:
    studio = open_studio(color_scheme=scheme, **SIZES[size])
    ARTIFACTS.mkdir(exist_ok=True)
    studio.page.screenshot(path=ARTIFACTS / f"{size}-{scheme}-welcome.png")
    studio.open(ASTRONAUT)
    if size != "desk":
        studio.show_panel()
    for number, (name, place) in enumerate(THINGS):
        touch(studio, place, size)
        studio.until(f"s.objects.length === {number + 1} && s.active !== null")
        rename(studio, number, name)
    touch(studio, SUIT, size)
    studio.until(f"s.objects.length === {len(THINGS) + 1} && s.active !== null")
    if size == "desk":
        studio.page.keyboard.down("Shift")
        studio.hover(OTHER_SIDE)
        studio.until("s.preview?.object === s.active")
    studio.pixel(SUIT)  # once all is drawn
    studio.page.screenshot(path=ARTIFACTS / f"{size}-{scheme}.png")
    assert studio.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown = studio.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert shown == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 29)"}[scheme]


def touch(studio: Studio, place: Point, size: str) -> None:
    if size == "desk":
        studio.click(place)
    else:
        studio.page.touchscreen.tap(*studio.at(place))


def rename(studio: Studio, number: int, name: str) -> None:
    entry = studio.page.locator("#objects li").nth(number)
    entry.locator(".object-choose").dblclick()
    entry.locator(".object-input").fill(name)
    studio.press("Enter")
    studio.until(f"s.objects[{number}].name === '{name}'")
