"""Zooming and panning: clicks land where they are seen to land, on any screen."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.helpers.image_files import file_of
from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, Studio, apart, discs

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "height", "ratio"), [(360, 640, 3), (1280, 800, 2), (1100, 700, 1.25)])
def test_click_lands_on_its_pixel_on_any_screen(open_studio: OpenStudio, width: int, height: int, ratio: float) -> None:
    studio = open_studio(viewport={"width": width, "height": height}, device_scale_factor=ratio)
    studio.open(discs())
    studio.click(DISC_B)
    studio.until("s.objects.length === 1")
    assert studio.state()["objects"][0]["points"][0] == [*(pytest.approx(at, abs=1) for at in DISC_B), 1]
    ratios = studio.page.evaluate("[...document.querySelectorAll('#stage canvas')].map(c => c.width / c.clientWidth)")
    assert ratios == pytest.approx([ratio] * 3, rel=0.01)
    assert studio.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_wheel_zooms_at_the_pointer_space_pans_and_a_click_at_400_percent_is_exact(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    before = (300.0, 330.0)  # whole pixels: wheel events know no others
    seen = studio.under(before)
    fitted = studio.state()["viewport"]["scale"]
    studio.page.mouse.move(*before)
    while studio.state()["viewport"]["scale"] < 4:
        scale = studio.state()["viewport"]["scale"]
        studio.page.mouse.wheel(0, -200)
        studio.until(f"s.viewport.scale > {scale}")
    assert studio.at(seen) == pytest.approx(before, abs=0.5)

    studio.page.keyboard.down("Space")
    studio.page.mouse.down()
    studio.page.mouse.move(before[0] + 60, before[1] - 30, steps=3)
    studio.page.mouse.up()
    studio.page.keyboard.up("Space")
    assert studio.at(seen) == pytest.approx((before[0] + 60, before[1] - 30), abs=0.5)
    studio.page.mouse.down(button="middle")
    studio.page.mouse.move(*before, steps=3)
    studio.page.mouse.up(button="middle")
    assert studio.at(seen) == pytest.approx(before, abs=0.5)

    target = (seen[0] + 20.3, seen[1] - 15.6)
    studio.click(target)
    studio.until("s.objects.length === 1")
    assert studio.state()["objects"][0]["points"][0][:2] == pytest.approx(list(target), abs=0.3)
    studio.press("0")
    studio.until(f"Math.abs(s.viewport.scale - {fitted}) < 1e-6")
    studio.press("+")
    studio.until(f"s.viewport.scale > {fitted}")
    studio.press("-")
    studio.until(f"Math.abs(s.viewport.scale - {fitted}) < 1e-6")


def test_two_fingers_pinch_and_pan(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    studio.open(discs())
    fitted = studio.state()["viewport"]["scale"]
    x, y = studio.at((320, 200))
    wire = studio.page.context.new_cdp_session(studio.page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": at[0], "y": at[1], "id": number} for number, at in enumerate(fingers)]
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x - 30, y), (x + 30, y))
    for step in range(1, 7):
        touch("touchMove", (x - 30 - step * 10, y + step * 4), (x + 30 + step * 10, y + step * 4))
    touch("touchEnd")
    studio.until(f"s.viewport.scale > {2.5 * fitted}")
    assert studio.at((320, 200)) == pytest.approx((x, y + 24), abs=2)
    assert studio.state()["objects"] == []


def test_picture_of_twelve_megapixels_is_drawn_from_a_smaller_copy_and_sharp_when_near(open_studio: OpenStudio) -> None:
    big = Image.new("RGB", (4000, 3000), (30, 60, 90))
    for x in range(2000, 2040, 2):
        big.paste((255, 255, 255), (x, 1500, x + 1, 1540))
    studio = open_studio()
    studio.page.evaluate("""() => {
      globalThis.drawn = [];
      const draw = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
        if (image instanceof ImageBitmap) globalThis.drawn.push(image.width);
        return draw.call(this, image, ...rest);
      };
    }""")
    studio.open({"name": "big.png", "mimeType": "image/png", "buffer": file_of(big, "PNG", compress_level=1)})
    studio.page.wait_for_function("() => globalThis.drawn.at(-1) === 1000")
    drawn = studio.page.evaluate("() => globalThis.drawn.length")
    for step in range(8):
        studio.hover((800 + 200 * step, 1500))
    studio.until("s.preview !== null")
    studio.pixel((2020, 1520))
    assert studio.page.evaluate("() => globalThis.drawn.length") == drawn  # hovers leave the picture alone

    studio.page.mouse.move(*studio.at((2020, 1520)))
    for _ in range(12):
        studio.page.mouse.wheel(0, -240)
    studio.until("s.viewport.scale > 8")
    assert studio.page.evaluate("() => globalThis.drawn.at(-1)") == 4000
    studio.away()
    assert studio.pixel((2020.5, 1520.5)) == (255, 255, 255, 255)
    assert studio.pixel((2021.5, 1520.5)) == (30, 60, 90, 255)


WATCH = """() => {
  globalThis.fills = 0;
  globalThis.changes = [];
  const { fill } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fill = function (...rest) {
    if (rest[0] instanceof Path2D) globalThis.fills += 1;
    return fill.apply(this, rest);
  };
  const { setTimeout, clearTimeout } = globalThis;
  globalThis.late = new Map();
  globalThis.setTimeout = (run, ms) => {
    const id = setTimeout(() => (globalThis.moves ? globalThis.late.set(id, run) : run()), ms);
    return id;
  };
  globalThis.clearTimeout = (id) => {
    globalThis.late.delete(id);
    clearTimeout(id);
  };
  const note = (records) => globalThis.changes.push(...records.map(({ target }) => target.nodeName));
  for (const part of document.querySelectorAll(".panel, .dock, .bar")) {
    new MutationObserver(note).observe(part, { childList: true, subtree: true, attributes: true, characterData: true });
  }
}"""
"""Counts masks that are filled, and notes what of the page around the picture changes.

No time is over while something moves: between two events on a slow machine the view would rest.
"""

MOVE = """async ([type, event, frames]) => {
  const canvas = document.getElementById("canvas");
  const before = globalThis.fills;
  globalThis.moves = true;
  for (let i = 0; i < frames; i += 1) {
    const more = { bubbles: true, cancelable: true, pointerId: 1, pointerType: "mouse", ...event(i) };
    canvas.dispatchEvent(type === "wheel" ? new WheelEvent(type, more) : new PointerEvent(type, more));
    await new Promise(requestAnimationFrame);
  }
  const filled = globalThis.fills - before;
  globalThis.moves = false;
  for (const [id, run] of globalThis.late) {
    globalThis.late.delete(id);
    run();
  }
  return filled;
}"""


def moved(studio: Studio, kind: str, event: str, frames: int = 5) -> int:
    """Send an event a frame and return how many masks were filled meanwhile."""
    filled: int = studio.page.evaluate(f"([type, frames]) => ({MOVE})([type, {event}, frames])", [kind, frames])
    return filled


def test_masks_move_as_bitmaps_and_are_sharp_at_rest_and_nothing_beside_is_touched(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    for at in (DISC_A, DISC_B, (DISC_A[0] + 8, DISC_A[1])):
        studio.add_on_top(at)
    studio.deselect()
    studio.away()
    inside, beside = (DISC_B[0] - 30, DISC_B[1] + 30), (DISC_B[0] - 105, DISC_B[1])
    tinted, bare = studio.pixel(inside), studio.pixel(beside)
    studio.page.evaluate(WATCH)

    x, y = studio.at(DISC_B)
    assert moved(studio, "wheel", f"() => ({{ deltaY: -30, clientX: {x}, clientY: {y} }})") == 0
    assert (apart(studio.pixel(inside), tinted) < 6, apart(studio.pixel(beside), bare) < 6) == (True, True)
    studio.page.wait_for_function("() => globalThis.fills >= 3")  # it rests
    assert (apart(studio.pixel(inside), tinted) < 6, apart(studio.pixel(beside), bare) < 6) == (True, True)

    studio.page.evaluate("() => { globalThis.changes.length = 0; }")
    moved(studio, "pointerdown", f"() => ({{ button: 1, clientX: {x}, clientY: {y} }})", 1)
    studio.page.wait_for_function("() => globalThis.fills >= 6")  # what lies beside is drawn ahead, too
    far = f"i => ({{ clientX: {x} - 40 * i, clientY: {y} }})"
    assert moved(studio, "pointermove", far, 8) == 0
    assert (apart(studio.pixel(inside), tinted) < 6, apart(studio.pixel(beside), bare) < 6) == (True, True)
    moved(studio, "pointerup", f"() => ({{ button: 1, clientX: {x} - 280, clientY: {y} }})", 1)
    assert studio.page.evaluate("() => globalThis.changes") == []


def test_panorama_is_fitted_by_height_too_and_transparency_has_squares_behind_it(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 844, "height": 390})
    panorama = Image.new("RGBA", (6000, 300), (0, 0, 0, 0))
    panorama.paste((200, 40, 40, 255), (0, 0, 3000, 300))
    studio.open({"name": "panorama.png", "mimeType": "image/png", "buffer": file_of(panorama, "PNG")})
    whole = studio.state()["viewport"]["scale"]
    studio.press("0")
    studio.until(f"s.viewport.scale > {whole}")
    stage = studio.page.locator("#stage").bounding_box()
    assert stage is not None
    assert 0.8 * stage["height"] < 300 * studio.state()["viewport"]["scale"] <= stage["height"]
    (left, _), (right, _) = studio.under((stage["x"], 0)), studio.under((stage["x"] + stage["width"], 0))
    assert (left + right) / 2 == pytest.approx(3000, abs=2)
    side = 8 / studio.state()["viewport"]["scale"]
    shades = [studio.pixel((3000 + side * (n + 0.75), side / 2)) for n in range(4)]
    assert (apart(shades[0], shades[2]), apart(shades[1], shades[3])) == (0, 0)
    assert apart(shades[0], shades[1]) > 30
    assert studio.pixel((2900, 150)) == (200, 40, 40, 255)
    studio.press("0")
    studio.until(f"Math.abs(s.viewport.scale - {whole}) < 1e-6")


def test_toast_and_first_hint_stand_one_above_the_other(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.keep_toasts()
    studio.page.locator("#delete").tap()
    studio.until("s.objects.length === 0 && s.toast !== null")
    coach, toast = (studio.page.locator(name).bounding_box() for name in ("#coach", "#toast"))
    assert coach is not None
    assert toast is not None
    assert coach["y"] + coach["height"] <= toast["y"]
    wire = studio.page.context.new_cdp_session(studio.page)  # a phone with a notch and a line at the bottom
    wire.send("Emulation.setSafeAreaInsetsOverride", {"insets": {"top": 47, "bottom": 34, "left": 20, "right": 20}})
    studio.page.wait_for_function("""() => {
      const probe = document.body.appendChild(document.createElement("div"));
      probe.style.paddingTop = "env(safe-area-inset-top)";
      const { paddingTop } = getComputedStyle(probe);
      probe.remove();
      return paddingTop === "47px";
    }""")
    boxes = studio.page.evaluate("""() => [...document.querySelectorAll("button, label")]
      .filter((e) => e.checkVisibility() && !e.closest("[popover], dialog, .panel"))
      .map((e) => [e.id, e.getBoundingClientRect()]).map(([id, r]) => [id, r.left, r.top, r.right, r.bottom])""")
    assert [name for name, x0, y0, x1, y1 in boxes if x0 < 20 or y0 < 47 or x1 > 370 or y1 > 810] == []
