"""Another model by the page's switch, one that has to be fetched first, and a place in the line for the encoder."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from app.engine.fake import FakeEngine
from app.settings import Settings
from tests.browser.studio import DISC_A, DISC_B, WAIT_MS, OpenStudio, Studio, discs
from tests.conftest import Server, open_gates, started
from tests.image_files import file_of
from tests.integration.garage import GRIDS, Garage, small_models
from tests.weights_site import CONTENT, Site, served

pytestmark = pytest.mark.browser


@dataclass
class Shop:
    """A server in a thread of its own, whose models and downloads a test holds in its hands."""

    server: Server
    engine: FakeEngine
    garage: Garage
    site: Site


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A server that runs `tiny`, has `small` and may fetch the others."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("app.engine.checkpoints.default_cache_file", lambda: tmp_path / "cache" / "verified.json")
    engine, garage, site = FakeEngine(grid=GRIDS["tiny"]), Garage(), Site()
    with served(site):
        manifest = small_models(tmp_path / "checkpoints", site.url)
        (tmp_path / "checkpoints" / manifest.entry("small").file).write_bytes(CONTENT)
        settings = Settings(checkpoints_dir=tmp_path / "checkpoints", shutdown_timeout_s=2.0)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()

        async def start() -> Server:
            return await started(settings, engine, manifest=manifest, load=garage.load)

        server = asyncio.run_coroutine_threadsafe(start(), loop).result(WAIT_MS / 1000)
        yield Shop(server, engine, garage, site)
        release(site)
        garage.close()
        open_gates(engine)
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(WAIT_MS / 1000)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT_MS / 1000)
        loop.close()


def release(site: Site) -> None:
    """Let a stalled answer break off, and later ones go through."""
    stall, site.stall = site.stall, None
    if stall is not None:
        stall.set()


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


def test_model_that_cant_be_had_is_told_in_the_servers_words_and_the_old_one_stays(
    open_studio: OpenStudio, shop: Shop
) -> None:
    shop.site.content = b"x" * len(CONTENT)
    studio = opened(open_studio)
    choose(studio, "large")
    expect(studio.page.locator("#notice-text")).to_contain_text("another hash", timeout=WAIT_MS)
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
