"""The page in the hands of an impatient stranger: too fast, too much, too far, at the wrong moment."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Route, expect

from tests.helpers.studio import COFFEE, DISC_A, DISC_B, OpenStudio, Studio, discs, huge

pytestmark = pytest.mark.browser


def held_uploads(held: list[Route]) -> Any:
    def before(page: Page) -> None:
        page.route("**/api/upload*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks its handlers

    return before


def test_clicks_while_the_picture_is_on_its_way_do_no_harm(open_studio: OpenStudio) -> None:
    held: list[Route] = []
    studio = open_studio()
    studio.open(COFFEE)
    held_uploads(held)(studio.page)
    with studio.page.expect_request("**/api/upload*"):
        studio.choose(discs())
    studio.until("s.pending?.stage === 'uploading' && s.shown === 'discs.png'")
    before = len(studio.sent)
    for point in (DISC_A, DISC_B, DISC_A):
        studio.click(point)
        studio.page.mouse.dblclick(*studio.at(point))
    for key in ("Enter", "Backspace", "Delete", "Control+z", "Control+s", "Escape", "]", "n"):
        studio.press(key)
    held[0].continue_()
    studio.until("s.image?.name === 'discs.png' && s.pending === null")
    assert {message["t"] for message in studio.sent[before:]} <= {"open", "hover", "leave", "ping", "regions"}
    studio.add_object(DISC_A)
    expect(studio.page.locator("#notice")).to_be_hidden()


def test_fast_clicks_are_all_taken_each_for_what_it_finds(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.click(DISC_A)
    studio.page.keyboard.down("Shift")
    for step in range(7):
        studio.click((DISC_A[0] - 56 + 16 * step, DISC_A[1] + 40))
    studio.page.keyboard.up("Shift")
    studio.click(DISC_B)
    studio.until("s.objects.length === 2 && s.objects[0].points.length === 8")
    for _ in range(12):
        studio.press("Control+z")
    studio.until("s.objects.length === 0 && !s.canUndo")
    for _ in range(12):
        studio.press("Control+y")
    studio.until("s.objects.length === 2 && s.objects[0].points.length === 8 && !s.canRedo")
    expect(studio.page.locator("#notice")).to_be_hidden()


def test_second_picture_in_the_middle_of_the_first_takes_its_place(open_studio: OpenStudio) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    studio = open_studio(before=lambda page: page.route("**/api/upload*", hold_the_first))
    with studio.page.expect_request("**/api/upload*"):
        studio.choose(discs())
    studio.until("s.pending?.name === 'discs.png'")
    studio.open(COFFEE)
    with contextlib.suppress(Error):  # it was given up
        held[0].continue_()
    studio.add_object((290, 170))
    assert studio.state()["shown"] == "coffee.jpg"
    assert [message["t"] for message in studio.sent].count("open") == 1


def test_box_that_leaves_the_picture_ends_at_its_edge(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.page.mouse.move(*studio.at((400, 180)))
    studio.page.mouse.down()
    studio.page.mouse.move(1279, 799, steps=4)  # over the panel, beyond the canvas
    studio.page.mouse.up()
    studio.until("s.objects.length === 1")
    assert studio.state()["objects"][0]["box"] == pytest.approx([400, 180, 640, 400], abs=1)


def test_box_is_given_up_by_escape(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.page.mouse.move(*studio.at((400, 180)))
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((500, 300)), steps=3)
    studio.press("Escape")
    expect(studio.page.locator("#toast-text")).to_have_text("The drag is given up.")
    studio.page.mouse.up()
    studio.add_object(DISC_A)
    assert [thing["box"] for thing in studio.state()["objects"]] == [None]


def test_thirty_objects_with_long_names_stay_usable(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open({**discs(), "name": f"{'a very long name of a file ' * 8}.png"})
    for number in range(30):
        x, y = 40 + 62 * (number % 10), 40 + 62 * (number // 10)
        if number:
            studio.press("t")  # on top: the discs of the engine are larger than their distance
        studio.click((x, y))
        if number % 5 in (0, 4):
            studio.until(f"s.objects.length === {number + 1}")  # as fast as a hand, not as a machine
    studio.until("s.objects.length === 30")
    last = studio.page.locator("#objects li").last
    last.locator(".object-choose").dblclick()
    studio.page.locator(".object-input").last.fill("long " * 60)
    studio.press("Enter")
    studio.until("s.objects[29].name.length === 200 || s.objects[29].name.length === 199")
    page = studio.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("(p => p.scrollWidth <= p.clientWidth)(document.querySelector('.panel'))")
    assert page.evaluate("document.querySelector('.bar').scrollWidth <= innerWidth")
    for control in ("#open", "#save", "#show-help"):
        box = page.locator(control).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 1280
    studio.press("Control+z")
    studio.until("s.objects[29].name === 'Object 30'")


def test_refused_clipboard_is_said_and_the_work_stays(open_studio: OpenStudio) -> None:
    studio = open_studio(permissions=[])
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.page.evaluate(
        "() => { navigator.clipboard.write = async () => { throw new DOMException('denied', 'NotAllowedError'); }; }"
    )
    studio.press("Control+c")
    expect(studio.page.locator("#notice-text")).to_contain_text("save the cutout instead")
    studio.add_object(DISC_B)


def test_server_that_is_away_at_the_start_is_waited_for(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.expected = ("WebSocket connection", "Failed to load resource", "ERR_INTERNET_DISCONNECTED")
    studio.open(discs())
    studio.add_object(DISC_A)
    page = studio.page
    refuse = threading.Event()
    refuse.set()

    def gate(route: Any) -> None:
        if refuse.is_set():
            route.close(code=1001)
        else:
            route.connect_to_server()

    page.route_web_socket("**/ws", gate)
    page.reload()
    studio.until("s.connection === 'waiting'")
    expect(page.locator("#connection-text")).to_contain_text("Reconnecting")
    page.locator("#file").set_input_files(COFFEE)  # meanwhile
    studio.until("s.shown === 'coffee.jpg'")
    refuse.clear()
    studio.until("s.connection === 'ready' && s.image?.name === 'coffee.jpg' && s.pending === null")
    studio.add_object((290, 170))


def test_what_is_done_while_the_line_is_cut_is_done_when_it_is_back(open_studio: OpenStudio) -> None:
    sockets: list[Any] = []
    cut = threading.Event()

    def gate(route: Any) -> None:
        if cut.is_set():
            route.close(code=1001)
        else:
            route.connect_to_server()
            sockets.append(route)

    studio = open_studio(before=lambda page: page.route_web_socket("**/ws", gate))
    studio.open(discs())
    cut.set()
    sockets[-1].close(code=1012)
    studio.until("s.connection === 'waiting'")
    studio.click(DISC_A)
    studio.click(DISC_B)
    expect(studio.page.locator("#hint")).to_contain_text("isn\N{RIGHT SINGLE QUOTATION MARK}t lost")
    cut.clear()
    studio.until("s.objects.length === 2 && s.active === s.objects[1].id")


def test_reload_in_the_middle_of_an_upload_keeps_the_work_before(open_studio: OpenStudio) -> None:
    held: list[Route] = []
    studio = open_studio()
    studio.open(discs())
    studio.add_object(DISC_A)
    held_uploads(held)(studio.page)
    studio.choose(COFFEE)
    studio.until("s.pending?.name === 'coffee.jpg'")
    studio.page.reload()  # while the upload is held: let go before, it may be through before the page is gone
    studio.page.unroute_all(behavior="ignoreErrors")
    studio.until("s.image?.name === 'discs.png' && s.objects.length === 1 && !s.restoring")
    studio.add_object(DISC_B)


def test_finger_that_rests_sees_and_one_that_moves_draws_a_box(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True, device_scale_factor=3)
    studio.open(discs())
    wire = studio.page.context.new_cdp_session(studio.page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [{"x": at[0], "y": at[1], "id": number} for number, at in enumerate(fingers)]
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", studio.at((80, 70)))
    studio.until("s.preview !== null")  # seen while the finger rests
    for step in range(1, 6):
        touch("touchMove", studio.at((80 + 34 * step, 70 + 34 * step)))
    touch("touchEnd")
    studio.until("s.objects.length === 1 && s.objects[0].box !== null")
    assert studio.state()["objects"][0]["box"] == pytest.approx([80, 70, 250, 240], abs=2)
    studio.until("s.preview === null")


@pytest.mark.parametrize(
    ("sizes", "has_touch"),
    [(((844, 390), (740, 360), (320, 568)), True), (((853, 640), (600, 900), (2560, 1300)), False)],
    ids=["by a finger", "by a mouse"],
)
def test_no_window_is_too_odd_for_the_tools(
    open_studio: OpenStudio, sizes: tuple[tuple[int, int], ...], has_touch: bool
) -> None:
    (width, height), *_ = sizes
    studio = open_studio(viewport={"width": width, "height": height}, has_touch=has_touch)
    studio.open(discs())
    studio.add_object(DISC_A)
    studio.click(DISC_B)
    studio.until("s.objects.length === 2 && s.active === s.objects[1].id")
    for width, height in sizes:
        studio.resize(width, height)
        every_tool_has_its_place(studio, width, height)


def every_tool_has_its_place(studio: Studio, width: int, height: int) -> None:
    boxes = studio.page.evaluate("""() => [...document.querySelectorAll(
        ".dock button, .dock input, .dock output, .bar button")]
      .filter(e => e.checkVisibility())
      .map(e => [e.id, e.getBoundingClientRect()]).map(([id, r]) => [id, r.left, r.top, r.right, r.bottom])""")
    assert len(boxes) > 8
    for number, (name, left, top, right, bottom) in enumerate(boxes):
        assert left >= 0, name
        assert right <= width, name
        for other, left2, top2, right2, bottom2 in boxes[:number]:
            beside = right <= left2 + 0.5 or right2 <= left + 0.5 or bottom <= top2 + 0.5 or bottom2 <= top + 0.5
            assert beside, (name, other)
    stage = studio.page.locator("#stage").bounding_box()
    assert stage is not None
    assert stage["height"] > 0.4 * height


def test_first_screen_shows_every_way_in_without_scrolling(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 667, "height": 375}, has_touch=True, is_mobile=True)
    for width, height in ((667, 375), (740, 360), (844, 390), (320, 568), (390, 844), (820, 1180)):
        studio.resize(width, height)
        every_way_in_is_seen(studio)


def every_way_in_is_seen(studio: Studio) -> None:
    boxes = studio.page.evaluate("""() => {
      const stage = document.getElementById("stage").getBoundingClientRect();
      const parts = [...document.querySelectorAll(".welcome-title, #choose, #welcome .sample img")];
      return parts.map((e) => [e, e.getBoundingClientRect()]).map(([e, box]) => [
        e.id || e.className || "sample",
        box.top >= stage.top && box.bottom <= Math.min(stage.bottom, innerHeight)
          && box.left >= 0 && box.right <= stage.right,
      ]);
    }""")
    assert len(boxes) == 6
    assert [name for name, is_whole in boxes if not is_whole] == []
    words = studio.page.locator("#choose span")
    assert words.evaluate("e => e.offsetHeight / parseFloat(getComputedStyle(e).lineHeight)") < 1.5  # one line


@pytest.mark.parametrize("width", [1190, 1280])
def test_longest_name_and_longest_sentence_leave_the_picture_where_it_is(open_studio: OpenStudio, width: int) -> None:
    studio = open_studio(viewport={"width": width, "height": 800})
    studio.expected = ("WebSocket connection",)
    studio.open(discs())
    studio.click(DISC_A)
    studio.until("s.active !== null")
    view = studio.state()["viewport"]
    studio.page.locator('[data-part="rename"]').click()
    studio.page.locator(".object-input").fill("a name of many words " * 9)
    studio.press("Enter")
    studio.until("s.objects[0].name.length > 150")
    hint = studio.page.locator("#hint")
    expect(hint).to_contain_text("a name of many words")
    assert studio.state()["viewport"] == view
    hint.evaluate(
        "e => { e.textContent = 'The connection is lost; trying again. What you do meanwhile is not lost.'; }"
    )
    bottom = studio.page.evaluate("document.querySelector('.dock').getBoundingClientRect().bottom")
    assert bottom <= 800
    assert studio.state()["viewport"] == view


def test_stage_keeps_its_size_while_the_list_grows(open_studio: OpenStudio) -> None:
    studio = open_studio(viewport={"width": 820, "height": 1180}, has_touch=True)
    studio.open(discs())
    view = studio.state()["viewport"]
    for x in range(60, 600, 45):
        studio.add_on_top((x, 340))
    assert studio.state()["viewport"] == view


def test_large_picture_of_a_phone_is_named_by_its_limits_before_it_is_sent(
    open_studio: OpenStudio, tmp_path: Path
) -> None:
    studio = open_studio()
    sent: list[str] = []
    studio.page.on("request", lambda request: sent.append(request.url))
    studio.choose(huge(tmp_path))
    expect(studio.page.locator("#notice-text")).to_contain_text("takes pictures up to 32 MiB")
    assert not [url for url in sent if "upload" in url]
