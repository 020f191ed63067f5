"""The page as it looks at a desk, on a tablet and on a phone, in light and dark, for eyes: `tests/artifacts/*.png`.

The picture in the README, `static/screenshot.jpg`, is `desk-light.png` of a run, as a JPEG.
"""

from __future__ import annotations

from typing import Any, Literal

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
PAPERS: dict[Literal["light", "dark"], str] = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 29)"}
ASTRONAUT = ROOT / "static" / "samples" / "astronaut.jpg"
THINGS: tuple[tuple[str, Point], ...] = (("hair", (222, 55)), ("patch", (176, 392)), ("tank", (420, 60)))
SUIT: Point = (130, 300)
OTHER_SIDE: Point = (300, 310)


@pytest.fixture
def address(live_server: str) -> str:
    return live_server


@pytest.mark.parametrize("size", SIZES)
def test_page_is_whole_at_every_size_in_light_and_dark(open_studio: OpenStudio, size: str) -> None:
    studio = open_studio(**SIZES[size])
    pictures(studio, size, "-welcome")
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
    pictures(studio, size, "")
    assert studio.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def pictures(studio: Studio, size: str, what: str) -> None:
    """Keep what the screen shows in light and in dark, for eyes."""
    ARTIFACTS.mkdir(exist_ok=True)
    for scheme, paper in PAPERS.items():
        studio.page.emulate_media(color_scheme=scheme)
        studio.pixel((0, 0))  # once all is drawn
        studio.page.screenshot(path=ARTIFACTS / f"{size}-{scheme}{what}.png", animations="disabled")
        assert studio.page.evaluate("getComputedStyle(document.body).backgroundColor") == paper


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
