"""Who zooms in on something small and rests sees it sharp; on a computer and on a telephone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, discs

pytestmark = pytest.mark.browser

ZOOM = """([clientX, clientY, scale]) => {
  const turn = { deltaY: -300, clientX, clientY, bubbles: true, cancelable: true };
  while (hoversam.state().viewport.scale < scale) {
    document.getElementById("canvas").dispatchEvent(new WheelEvent("wheel", turn));
  }
}"""
"""Turns the wheel in one go: between two turns of a real one a slow machine would rest, and look at what is seen."""


def test_a_small_thing_is_answered_in_its_window_and_stays_as_it_is_when_all_is_seen_again(
    open_studio: OpenStudio,
) -> None:
    studio = open_studio()
    studio.open(discs())
    sign = studio.page.locator("#sharp")
    expect(sign).to_be_hidden()
    studio.hover(DISC_A)
    studio.page.evaluate(ZOOM, [*studio.at(DISC_A), 6])
    studio.until("s.viewport.scale >= 6 && s.sharp !== null")
    expect(sign).to_be_visible()
    window = studio.state()["sharp"]
    assert window[0] < DISC_A[0] < window[2] < DISC_B[0]

    def last(kind: str) -> dict[str, object]:
        return [message for message in studio.sent if message["t"] == kind][-1]

    before = last("hover")["seq"]
    studio.hover((DISC_A[0] + 5, DISC_A[1]))
    studio.until(f"s.preview?.seq > {before}")
    assert last("hover")["window"] == window
    studio.add_object(DISC_A)
    assert last("click")["window"] == window
    areas = studio.areas()

    # All of the picture again: the object is the same, and a click elsewhere takes both in.
    studio.press("0")
    studio.until("s.sharp === null")
    expect(sign).to_be_hidden()
    assert studio.areas() == areas
    studio.away()
    plain = studio.pixel((20, 20))
    assert studio.pixel(DISC_A) != (222, 84, 60, 255)
    studio.shift_click(DISC_B)
    studio.until("s.objects[0].points.length === 2")
    assert "window" not in last("click")
    studio.away()
    assert studio.areas()[0] > areas[0]
    assert studio.pixel(DISC_B) != (240, 206, 80, 255)
    assert studio.pixel((20, 20)) == plain
