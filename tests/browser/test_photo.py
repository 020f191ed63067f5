"""A photograph and the real bundled model: what lights up lies on the thing that is pointed at."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.helpers.studio import ARTIFACTS, COFFEE, OpenStudio, apart

pytestmark = pytest.mark.browser


HELD_LINK = """
const Socket = WebSocket;
globalThis.link = {
  isHeld: false, late: [],
  letGo() { this.isHeld = false; for (const tell of this.late.splice(0)) tell(); },
};
globalThis.WebSocket = class extends Socket {
  addEventListener(type, listener, options) {
    const late = (event) => (link.isHeld ? link.late.push(() => listener(event)) : listener(event));
    super.addEventListener(type, type === "message" ? late : listener, options);
  }
};
"""
"""A page to which no message comes for as long as the link is held."""
NOTE_REGIONS = """() => {
  const note = () => { globalThis.regions_then = hoversam.state().regions; };
  addEventListener("keydown", note, { capture: true, once: true });
}"""
"""Notes which regions there are when the next key is pressed."""


@pytest.fixture
def address(live_server: str) -> str:
    return live_server


def test_mask_lights_up_under_the_pointer_and_a_click_makes_it_an_object(open_studio: OpenStudio) -> None:
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
    studio.deselect()
    studio.away()
    assert apart(studio.pixel(beside), bare_beside) > 15
    assert studio.pixel(corner) == bare_corner
    assert studio.state()["objects"][0]["points"] == [[pytest.approx(290, abs=1), pytest.approx(170, abs=1), 1]]
    expect(studio.page.locator("#objects li")).to_have_count(1)
    ARTIFACTS.mkdir(exist_ok=True)
    studio.page.screenshot(path=ARTIFACTS / "studio.png")


def test_what_the_server_found_is_outlined_before_its_answer_comes_and_taken_by_keys_or_all_at_once(
    open_studio: OpenStudio,
) -> None:
    studio = open_studio(before=lambda page: page.add_init_script(HELD_LINK))
    page = studio.page
    studio.open(COFFEE)
    studio.until("s.regions.length > 3")
    first, *_ = studio.state()["regions"]

    # The pointer comes to a thing: its outline is there before any answer, which then takes its place.
    page.evaluate("link.isHeld = true")
    studio.hover((first["x"], first["y"]))
    studio.until("s.outlined !== null")
    assert studio.state()["preview"] is None
    page.evaluate("link.letGo()")
    studio.until("s.preview !== null && s.outlined === null")

    # By keys: the largest comes first, and Enter takes it.
    studio.away()
    page.locator("#canvas").focus()
    page.evaluate(NOTE_REGIONS)  # the search may still go on
    page.keyboard.press("Tab")
    largest = max(page.evaluate("regions_then"), key=lambda region: region["area"])
    assert f"{largest['area']:,}" in studio.state()["said"]
    page.keyboard.press("Enter")
    studio.until("s.objects.length === 1")
    assert studio.state()["objects"][0]["points"] == [[largest["x"], largest["y"], 1]]

    # By buttons: all are shown, taken, and one undo takes them back.
    page.locator("#found-show").click()
    expect(page.locator("#found-show")).to_have_attribute("aria-pressed", "true")
    page.locator("#found-take").click()
    studio.until("/^[0-9]+ objects made/.test(s.said) && s.objects.length === parseInt(s.said) + 1")
    page.locator("#toast-undo").click()
    studio.until("s.objects.length === 1")
    expect(page.locator("#found")).to_be_visible()


def test_page_names_the_model_and_says_what_nano_is(open_studio: OpenStudio) -> None:
    page = open_studio().page
    expect(page.locator("#model-name")).to_have_text("nano")
    expect(page.locator("#demo-tag")).to_be_visible()
    expect(page.locator("#model-facts")).to_contain_text("torch on cpu")
    expect(page.locator("#model-note-demo")).to_contain_text("demonstration model")
    expect(page.locator("#model-note-demo")).to_contain_text("no other model")  # it is offline: nothing to fetch
    expect(page.locator("#model-better")).to_be_hidden()
    page.locator("#show-models").click()
    choices = page.locator("#models button")
    expect(choices).to_have_count(1)
    expect(choices).to_have_attribute("aria-current", "true")
