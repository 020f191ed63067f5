"""Another model by the page's switch, one that has to be fetched first, and a place in the line for the encoder."""

from __future__ import annotations

import re
import threading

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.helpers.image_files import file_of
from tests.helpers.shop import Shop, release
from tests.helpers.studio import DISC_A, DISC_B, WAIT_MS, OpenStudio, Studio, discs
from tests.helpers.weights_site import CONTENT

pytestmark = pytest.mark.browser


@pytest.fixture
def address(shop: Shop) -> str:
    return shop.server.url


def opened(open_studio: OpenStudio) -> Studio:
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    return studio


def choose(studio: Studio, name: str) -> None:
    studio.page.locator("#show-models").click()
    studio.page.locator("#models button").filter(has=studio.page.get_by_text(name, exact=True)).click()


def test_model_is_changed_in_its_menu_and_the_objects_are_made_anew(open_studio: OpenStudio, shop: Shop) -> None:
    studio = opened(open_studio)
    before = studio.state()["objects"]
    choose(studio, "small")
    studio.until("s.switching === null && s.model === 'small' && s.objects.length === 1")
    after = studio.state()["objects"]
    assert after[0]["points"] == before[0]["points"]
    assert after[0]["area"] != before[0]["area"]  # another grid
    for shown in ("#model-name", "#model-title-name"):
        expect(studio.page.locator(shown)).to_have_text("small")
    expect(studio.page.locator("#model-facts")).to_contain_text("geometry on cpu")
    expect(studio.page.locator("#live")).to_contain_text("small is in use")
    assert shop.site.asked == []

    studio.add_object(DISC_B)
    assert shop.garage.made["small"].decoded
    studio.page.locator("#show-models").click()
    expect(studio.page.locator('#models [aria-current="true"]')).to_contain_text("small")


def test_model_that_is_missing_is_fetched_with_progress_while_work_goes_on(open_studio: OpenStudio, shop: Shop) -> None:
    shop.site.stall = threading.Event()
    studio = opened(open_studio)
    studio.page.locator("#show-models").click()
    expect(studio.page.locator("#models button").filter(has_text="large")).to_contain_text("MB to fetch")
    studio.press("Escape")
    choose(studio, "large")
    studio.until("s.switching?.stage === 'downloading' && s.switching.fraction > 0")
    bar = studio.page.locator("#progress")
    expect(bar).to_have_attribute("value", re.compile(r"0\.\d+"))
    expect(studio.page.locator("#hint")).to_have_text(re.compile(r"large.*go on meanwhile.*Fetching the model… \d0%"))
    studio.add_object(DISC_B)  # by the model that runs
    assert studio.state()["model"] == "tiny"

    release(shop.site)
    studio.until("s.model === 'large' && s.switching === null && s.objects.length === 2")
    expect(studio.page.locator("#progress")).to_be_hidden()
    studio.page.locator("#show-models").click()
    entry = studio.page.locator("#models button").filter(has_text="large")
    expect(entry).to_contain_text("in use")


def test_model_that_cant_be_had_is_told_and_the_old_one_stays(open_studio: OpenStudio, shop: Shop) -> None:
    shop.site.content = b"x" * len(CONTENT)
    studio = opened(open_studio)
    choose(studio, "large")
    notice = studio.page.locator("#notice-text")
    expect(notice).to_contain_text("large couldn\N{RIGHT SINGLE QUOTATION MARK}t be fetched", timeout=WAIT_MS)
    for place in (str(shop.server.shared_state.settings.checkpoints_dir), "python", shop.site.url):
        expect(notice).not_to_contain_text(place)
    assert studio.state()["model"] == "tiny"
    studio.add_object(DISC_B)


def test_place_in_the_line_is_told_while_others_are_encoded(open_studio: OpenStudio, shop: Shop) -> None:
    shop.engine.encode_gate = threading.Event()
    first, second = open_studio(), open_studio()
    first.choose(discs())
    first.until("s.pending?.stage === 'encoding'")
    second.choose({**discs(), "name": "other.png", "buffer": other()})
    second.until("s.pending?.stage === 'queued' && s.pending.position === 1")
    expect(second.page.locator("#hint")).to_contain_text("number 1 in line")
    expect(second.page.locator("#progress")).to_be_visible()
    scale = second.state()["viewport"]["scale"]
    second.page.mouse.move(*second.at(DISC_B))
    second.page.mouse.wheel(0, -300)
    second.until(f"s.shown === 'other.png' && s.viewport.scale > {scale}")
    shop.engine.encode_gate.set()
    second.until("s.preview !== null")
    first.until("s.image?.name === 'discs.png'")


def other() -> bytes:
    """Return another picture of the same size."""
    return file_of(Image.new("RGB", (640, 400), (40, 80, 40)), "PNG")
