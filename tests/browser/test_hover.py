"""What lights up under the pointer, and what of it is asked of the server."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.helpers.shop import Shop
from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, Studio, apart, discs

pytestmark = pytest.mark.browser


def opened(open_studio: OpenStudio) -> Studio:
    studio = open_studio()
    studio.open(discs())
    return studio


def test_preview_ends_where_the_picture_ends(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.hover(DISC_A)
    studio.until("s.preview !== null && s.badge === 'new'")
    studio.hover((320, -8))
    studio.until("s.preview === null && s.badge === null")


def test_pointer_that_rests_on_the_picture_sees_a_mask_once_it_is_ready(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.hover(DISC_A)
    studio.until("s.preview !== null")
    studio.open({**discs(ground=(60, 70, 90)), "name": "next.png"})
    studio.until("s.preview !== null")


def test_refining_hover_is_hatched_where_a_click_would_add_and_where_it_would_remove(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.click(DISC_A)
    studio.until("s.active !== null")
    studio.away()
    radius = math.sqrt(studio.areas()[0] / math.pi)
    beside, within = (DISC_A[0] + radius + 15, DISC_A[1]), (DISC_A[0] - 30.0, DISC_A[1])
    bare, filled = stripe(studio, beside), stripe(studio, within)

    studio.page.keyboard.down("Shift")
    studio.hover((DISC_A[0] + radius - 5, DISC_A[1]))
    studio.until("s.badge === 'add' && s.preview?.object === s.active")
    expect(studio.page.locator("#legend")).to_be_visible()
    assert shades(stripe(studio, beside)) > shades(bare) + 2  # lines, not one even tint
    assert stripe(studio, within) == filled
    studio.page.keyboard.up("Shift")

    studio.page.keyboard.down("Alt")
    studio.hover((within[0], within[1] + 4))
    studio.until("s.badge === 'remove' && s.preview !== null")
    assert apart(stripe(studio, beside)[0], bare[0]) < 4
    assert shades(stripe(studio, within)) > shades(filled) + 2
    studio.page.keyboard.up("Alt")
    studio.until("s.badge === 'select' && s.preview === null")


def stripe(studio: Studio, point: tuple[float, float]) -> list[tuple[int, ...]]:
    """Return the pixels of a short line that crosses a hatch, away from the pointer's own signs."""
    return [studio.pixel((point[0] + step, point[1] - 14)) for step in range(0, 10, 2)]


def shades(pixels: list[tuple[int, ...]]) -> int:
    """Return how far apart the pixels are, in twentieths of the range of a channel."""
    ranges = [max(channel) - min(channel) for channel in zip(*pixels, strict=True)]
    return int(max(ranges)) * 20 // 255


def test_candidates_are_gone_through_without_a_round_trip(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.hover(DISC_A)
    studio.until("s.preview?.areas.length === 3")
    small, middle, large = sorted(studio.state()["preview"]["areas"])
    assert studio.state()["preview"]["area"] == middle
    scale = studio.state()["viewport"]["scale"]
    seqs = [message["seq"] for message in studio.sent if "seq" in message]

    studio.press("]")
    studio.until(f"s.preview.area === {large}")
    studio.press("]")
    studio.until(f"s.preview.area === {small}")
    studio.page.keyboard.down("Alt")
    studio.page.mouse.wheel(0, 100)
    studio.until(f"s.preview.area === {large}")
    studio.page.keyboard.up("Alt")
    studio.until("s.badge === 'new'")
    asked = [message["t"] for message in studio.sent if message.get("seq", 0) > max(seqs)]
    assert set(asked) <= {"hover"}  # the one that Alt's end asks for
    assert studio.state()["viewport"]["scale"] == scale

    studio.click(DISC_A)
    expect(studio.page.locator('[data-part="candidate"]')).to_have_text("3 of 3")
    studio.press("[")
    expect(studio.page.locator('[data-part="candidate"]')).to_have_text("2 of 3")


def test_wheel_goes_through_what_was_lit_before_alt_though_an_object_is_selected(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.add_object(DISC_A)
    studio.hover(DISC_B)
    studio.until("s.preview?.areas.length === 3")
    large = max(studio.state()["preview"]["areas"])
    studio.page.keyboard.down("Alt")
    studio.until("s.badge === 'remove'")
    studio.page.mouse.wheel(0, -100)
    studio.until(f"s.badge === 'new' && s.preview?.area === {large}")
    studio.page.mouse.click(*studio.at(DISC_B))  # Alt is still held: what is lit is what the click gives
    studio.page.keyboard.up("Alt")
    studio.until("s.objects.length === 2")
    assert studio.state()["objects"][1]["area"] == pytest.approx(large, rel=0.1)


def test_click_on_another_candidate_is_one_step_to_undo_and_to_redo(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    studio.hover(DISC_A)
    studio.until("s.preview?.areas.length === 3")
    best = studio.state()["preview"]["area"]
    studio.press("]")
    studio.until(f"s.preview.area > {best}")
    large = studio.state()["preview"]["area"]
    studio.click(DISC_A)
    studio.until(f"s.objects.length === 1 && Math.abs(s.objects[0].area / {large} - 1) < 0.1")
    studio.press("Control+z")
    studio.until("s.objects.length === 0 && !s.canUndo && s.canRedo")
    studio.press("Control+Shift+z")
    studio.until(f"s.objects.length === 1 && Math.abs(s.objects[0].area / {large} - 1) < 0.1 && !s.canRedo")
    studio.page.reload()
    studio.until("s.objects.length === 1 && !s.restoring && s.canUndo")
    studio.press("Control+z")
    studio.until("s.objects.length === 0 && !s.canUndo")


def test_hovers_follow_the_pointer_and_carry_what_was_painted(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    for step in range(40):
        studio.hover((80 + step * 6, 100 + step * 3))
    studio.until("s.preview !== null")
    last = [pytest.approx(80 + 39 * 6, abs=1), pytest.approx(100 + 39 * 3, abs=1)]
    studio.until_sent(lambda _: [hovers(studio)[-1]["x"], hovers(studio)[-1]["y"]] == last)
    studio.page.wait_for_function("() => hoversam.latency().find(row => row.kind === 'total').count > 0")
    asked = hovers(studio)
    assert any("ack" in message for message in asked)
    assert len({message["seq"] for message in asked}) == len(asked)


class TestBusyDevice:
    """In a class of its own, for the server of its own."""

    @pytest.fixture
    def address(self, shop: Shop) -> str:
        return shop.server.url

    def test_two_hovers_are_on_the_way_at_most_the_newest_wins_and_the_last_mask_stays(
        self, open_studio: OpenStudio, shop: Shop
    ) -> None:
        studio = opened(open_studio)
        studio.hover(DISC_A)
        studio.until("s.preview !== null")
        before, kept = len(hovers(studio)), studio.state()["preview"]["seq"]
        shop.engine.decode_gate = threading.Event()
        for step in range(12):
            studio.hover((200 + step * 12, 200))
        studio.pixel(DISC_A)
        assert 1 <= len(hovers(studio)) - before <= 2
        assert studio.state()["preview"]["seq"] == kept

        shop.engine.decode_gate.set()
        newest = pytest.approx(200 + 11 * 12, abs=1)
        studio.until(f"s.preview !== null && s.preview.seq > {kept}")
        studio.page.wait_for_function("() => hoversam.latency().find(row => row.kind === 'total').count > 1")
        studio.until_sent(lambda _: hovers(studio)[-1]["x"] == newest)
        studio.until(f"s.preview.seq === {hovers(studio)[-1]['seq']}")
        assert len(hovers(studio)) - before <= 4  # those between were never asked


def hovers(studio: Studio) -> list[dict[str, Any]]:
    return [message for message in studio.sent if message["t"] == "hover"]


def test_pen_that_hovers_sees_and_its_tip_clicks(open_studio: OpenStudio) -> None:
    studio = opened(open_studio)
    wire = studio.page.context.new_cdp_session(studio.page)
    x, y = studio.at(DISC_A)

    def pen(kind: str, **more: Any) -> None:
        wire.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "pointerType": "pen", **more})

    pen("mouseMoved")
    studio.until("s.preview !== null && s.badge === 'new'")
    pen("mousePressed", button="left", buttons=1, clickCount=1, force=0.5)
    pen("mouseReleased", button="left", clickCount=1)
    studio.until("s.objects.length === 1 && s.objects[0].points.length === 1")
