"""The page for everyone: keyboard, touch, screen readers, large text, dark rooms, slow lines."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.helpers.studio import ARGUMENTS, DISC_A, DISC_B, ROOT, OpenStudio, Studio, chromium, discs, open_clip

pytestmark = pytest.mark.browser

AXE = ROOT / "tests" / "js" / "node_modules" / "axe-core" / "axe.min.js"
MAX_FIRST_PAINT_BYTES = 110_000


def violations(studio: Studio) -> list[str]:
    """Return what axe finds serious or critical on the page as it is now."""
    if not studio.page.evaluate("() => 'axe' in globalThis"):
        studio.page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = studio.page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def test_axe_finds_nothing_serious_in_light_and_dark(open_studio: OpenStudio) -> None:
    studio = open_studio(reduced_motion="reduce")
    assert violations(studio) == []
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.click(DISC_B)
    studio.until("s.objects.length === 2 && s.active !== null")
    for scheme in ("dark", "light"):
        studio.page.emulate_media(color_scheme=scheme)
        assert violations(studio) == [], scheme
    studio.press("Delete")
    expect(studio.page.locator("#toast")).to_be_visible()
    assert violations(studio) == []
    for menu in ("save-menu", "model-menu", "look-menu", "times-menu"):
        studio.page.evaluate("id => document.getElementById(id).showPopover()", menu)
        assert violations(studio) == [], menu
        studio.page.evaluate("id => document.getElementById(id).hidePopover()", menu)
    open_clip(studio)
    assert violations(studio) == []
    for menu in ("track-menu", "save-menu"):
        studio.page.evaluate("id => document.getElementById(id).showPopover()", menu)
        assert violations(studio) == [], menu
        studio.page.evaluate("id => document.getElementById(id).hidePopover()", menu)
    studio.press("?")
    expect(studio.page.locator("#sheet dd").first).to_be_visible()
    assert violations(studio) == []
    studio.page.locator("#sheet dd").first.click()  # its text takes no focus, and the page below gets no key
    studio.press("b")
    assert studio.state()["tool"] == "new"
    studio.press("Escape")
    expect(studio.page.locator("#help")).to_be_hidden()


def test_keyboard_alone_makes_refines_walks_and_deletes(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    page = studio.page
    page.locator("#canvas").focus()
    studio.press("ArrowRight")
    studio.until("s.preview !== null && s.cursor !== null")
    studio.press("Enter")
    studio.until("s.objects.length === 1")
    for _ in range(8):
        studio.press("ArrowRight")
    studio.press("Alt+Enter")
    studio.until("s.objects[0].points.length === 2 && s.objects[0].points[1][2] === 0")
    studio.press("ArrowDown")
    studio.press("ArrowDown")
    studio.press("Shift+Enter")
    studio.until("s.objects[0].points.length === 3 && s.objects[0].points[2][2] === 1")
    studio.press("Escape")
    studio.until("s.cursor === null && s.active !== null")
    studio.press("Escape")
    studio.until("s.active === null")
    assert len(studio.state()["objects"]) == 1

    studio.press("Tab")
    studio.until("s.pointed === s.objects[0].id")
    expect(page.locator("#live")).to_contain_text("Object 1")
    studio.press("Enter")
    studio.until("s.active === s.objects[0].id")
    studio.press("Escape")
    studio.until("s.active === null")
    studio.press("Tab")  # after the last object the focus goes on: no trap
    studio.press("Tab")
    assert page.evaluate("document.activeElement?.id !== 'canvas' && document.activeElement !== document.body")
    page.keyboard.press("Shift+Tab")
    studio.press("Tab")
    page.locator("#canvas").focus()
    studio.press("Shift+Tab")
    studio.until("s.pointed !== null")
    studio.press("Delete")
    studio.until("s.objects.length === 0")


def test_every_control_is_reached_by_tab_and_shows_the_focus(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    page = studio.page
    page.evaluate("() => document.activeElement?.blur()")
    reached: set[str] = set()
    for _ in range(50):
        studio.press("Tab")
        name, ring = page.evaluate("""() => {
          const e = document.activeElement;
          const ring = e === document.body || getComputedStyle(e).outlineStyle !== "none";
          return [e.id || e.dataset.part || e.className, ring];
        }""")
        assert ring, name
        reached.add(name)
    assert reached >= {"show-models", "connection", "open", "save", "show-help", "canvas", "new", "undo", "fit"}
    assert reached >= {"choose", "hide", "isolate", "remove", "sample"}


def test_taps_make_objects_and_the_tool_removes_on_a_phone(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=2)
    studio.open(discs())
    studio.page.touchscreen.tap(*studio.at(DISC_A))
    studio.until("s.objects.length === 1 && s.active !== null")
    studio.page.locator("#remove").tap()
    studio.page.touchscreen.tap(*studio.at((DISC_A[0] + 50, DISC_A[1] + 30)))
    studio.until("s.objects[0].points.length === 2")
    assert studio.state()["objects"][0]["points"][1] == [pytest.approx(210, abs=2), pytest.approx(180, abs=2), 0]
    studio.page.locator("#new").tap()
    studio.page.touchscreen.tap(*studio.at(DISC_B))
    studio.until("s.objects.length === 2")


@pytest.fixture
def large_text(browser: Browser) -> Iterator[Browser]:
    """A browser whose owner has set text to twice its size."""
    large = browser.browser_type.launch(
        executable_path=chromium(), args=[*ARGUMENTS, "--blink-settings=defaultFontSize=32"]
    )
    yield large
    large.close()


def test_text_of_twice_the_size_cuts_nothing_off(open_studio: OpenStudio, large_text: Browser) -> None:
    studio = open_studio(inside=large_text)
    studio.open(discs())
    studio.click(DISC_A)
    studio.until("s.objects.length === 1")
    assert studio.page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == pytest.approx(28)
    for width, height in ((1280, 800), (390, 844)):
        studio.resize(width, height)
        assert studio.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        cut = studio.page.evaluate("""() => [...document.querySelectorAll("button, h1, h2, p, strong, output")]
          .filter(e => e.checkVisibility() && e.clientWidth > 1 && !e.matches(".sr, .file, .file *"))
          .filter(e => e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth + 1)
          .map(e => e.id || e.className || e.textContent)""")
        assert cut == []
        box = studio.page.locator("#stage").bounding_box()
        assert box is not None
        assert box["height"] > 0.25 * height


def test_theme_follows_the_system_until_a_person_chooses(open_studio: OpenStudio) -> None:
    studio = open_studio(color_scheme="dark")
    page = studio.page
    paper = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.emulate_media(color_scheme="light")
    light = page.evaluate(paper)
    assert dark != light
    page.get_by_role("button", name="How it looks").click()
    page.get_by_role("radio", name="Dark").check()
    assert page.evaluate(paper) == dark
    page.reload()
    assert page.evaluate(paper) == dark  # before any module has run


def test_high_contrast_keeps_what_is_said_by_colour(open_studio: OpenStudio) -> None:
    studio = open_studio(forced_colors="active")
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.click(DISC_B)
    studio.until("s.objects.length === 2 && s.active !== null")
    ground = "e => getComputedStyle(e).backgroundColor"
    new, remove = (studio.page.locator(f"{tool} + span") for tool in ("#new", "#remove"))
    chosen, other = (studio.page.locator(f"#theme-{theme} + span") for theme in ("system", "dark"))
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        studio.page.emulate_media(color_scheme=scheme)
        assert new.evaluate(ground) != remove.evaluate(ground)
        studio.press("r")
        expect(studio.page.locator("#remove")).to_be_checked()
        assert new.evaluate(ground) != remove.evaluate(ground)
        first, second = studio.page.locator(".swatch").evaluate_all(f"all => all.map({ground})")
        assert first != second
        outlines = studio.page.locator(".object").evaluate_all("all => all.map(e => getComputedStyle(e).outlineStyle)")
        assert outlines == ["none", "solid"]
        studio.page.get_by_role("button", name="How it looks").click()
        assert chosen.evaluate(ground) != other.evaluate(ground)
        studio.press("Escape")
        studio.press("n")
        expect(studio.page.locator("#new")).to_be_checked()


def test_nothing_moves_by_itself_where_motion_is_unwelcome(open_studio: OpenStudio) -> None:
    studio = open_studio(reduced_motion="reduce")
    moving = studio.page.evaluate("""() => {
      document.getElementById("progress").hidden = false;
      return [...document.querySelectorAll("*")].filter((e) => {
        const { animationName, transitionDuration } = getComputedStyle(e);
        return animationName !== "none" || parseFloat(transitionDuration) > 0;
      }).map((e) => e.id || e.className);
    }""")
    assert moving == []


def test_sheet_lists_every_key_of_the_table_and_tooltips_say_the_same(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.page.keyboard.type("?")
    sheet = studio.page.locator("#help")
    expect(sheet.locator("#sheet dd").first).to_be_visible()
    caps = {text.lower() for text in sheet.locator("kbd").all_inner_texts()}
    code = (ROOT / "static" / "js" / "model" / "keys.js").read_text()
    words = json.loads((ROOT / "static" / "words" / "en.json").read_text(encoding="utf-8"))
    commands = {words[f"command.{name}"]: keys for name, keys in re.findall(r"^  (\w+): \[(.*)\],$", code, re.M)}
    keys = {
        part.lower() for text in commands.values() for key in re.findall(r'"([^"]+)"', text) for part in key.split("+")
    }
    assert len(commands) > 20
    assert {{"escape": "esc", "-": "\N{MINUS SIGN}"}.get(key, key) for key in keys - {"", "="}} <= caps
    assert {"space", "h", "alt", "shift", "tab", "+"} <= caps
    titles = studio.page.locator("[data-command]").evaluate_all("all => all.map(e => e.title.replace(/ \\(.*/, ''))")
    assert set(titles) <= commands.keys()
    studio.press("Escape")
    expect(sheet).to_be_hidden()


def test_first_hint_goes_for_good_when_it_is_put_away(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    expect(studio.page.locator("#coach")).to_be_visible()
    studio.page.get_by_role("button", name="Close this hint").click()
    expect(studio.page.locator("#coach")).to_be_hidden()
    studio.page.reload()
    studio.until("s.image !== null && !s.restoring")
    expect(studio.page.locator("#coach")).to_be_hidden()


def test_page_needs_less_than_110_kilobytes_over_the_wire(open_studio: OpenStudio) -> None:
    sizes: dict[str, int] = {}

    def weigh(request: Request) -> None:
        if request.resource_type in ("document", "script", "stylesheet"):
            sizes[request.url] = request.sizes()["responseBodySize"]

    def watch(page: Page) -> None:
        page.on("requestfinished", weigh)

    studio = open_studio(before=watch, first_visit=True)
    studio.page.wait_for_load_state("networkidle")
    names = {re.sub(r"\?.*", "", Path(url).name) for url in sizes}
    assert {"main.js", "render.js", "studio.css"} <= names
    print(f"first paint: {sum(sizes.values())} bytes in {len(sizes)} files")  # noqa: T201
    assert sum(sizes.values()) < MAX_FIRST_PAINT_BYTES
    script = next(url for url in sizes if url.endswith("studio.js"))
    assert sizes[script] < 1.1 * len(gzip.compress((ROOT / "static" / "js" / "session" / "studio.js").read_bytes()))
