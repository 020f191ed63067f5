"""A photograph and the real bundled model: what lights up lies on the thing that is pointed at."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.helpers.studio import ARTIFACTS, COFFEE, OpenStudio, apart

pytestmark = pytest.mark.browser


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
