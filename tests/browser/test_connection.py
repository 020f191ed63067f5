"""The page when its line to the server breaks, when it is loaded again, when the server dies: the work survives."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import msgpack
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.helpers.program import Phoenix
from tests.helpers.studio import DISC_A, DISC_B, OpenStudio, Studio, discs

pytestmark = pytest.mark.browser


class SocketRoute:
    """The socket between page and server, which a test may cut."""

    def __init__(self) -> None:
        self.routes: list[WebSocketRoute] = []
        self.forget = False
        self.deaf: WebSocketRoute | None = None

    def watch(self, page: Page) -> None:
        page.route_web_socket("**/ws", self._connect)

    def _connect(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        self.routes.append(route)
        route.on_message(lambda message: None if self.deaf is route else server.send(self._stripped(message)))

    def _stripped(self, message: str | bytes) -> str | bytes:
        """Take the session out of a `hello`, as if the server had lost it."""
        if not self.forget or isinstance(message, str):
            return message
        fields = msgpack.unpackb(message)
        if fields["t"] == "hello":
            fields = {key: value for key, value in fields.items() if key not in ("session", "token")}
        return bytes(msgpack.packb(fields))

    def cut(self) -> None:
        self.routes[-1].close(code=1012)


def work(studio: Studio) -> None:
    """Make three objects of every kind of prompt, delete one, name one and leave one open."""
    studio.open(discs())
    studio.add_object((560, 60))
    studio.click(DISC_A)
    studio.until("s.objects.length === 2 && s.active !== null")
    studio.press("]")
    studio.until("s.objects[1].chosen !== 1")
    studio.shift_click((DISC_A[0] + 60, DISC_A[1]))
    studio.until("s.objects[1].points.length === 2")
    studio.page.mouse.move(*studio.at((400, 190)))
    studio.page.mouse.down()
    studio.page.mouse.move(*studio.at((540, 330)), steps=3)
    studio.page.mouse.up()
    studio.until("s.objects.length === 3")
    studio.page.get_by_role("button", name="Delete Object 1").click()
    studio.until("s.objects.length === 2")
    studio.page.locator(".object-choose").first.dblclick()
    studio.page.locator(".object-input").first.fill("left")
    studio.press("Enter")
    studio.until("s.objects[0].name === 'left'")
    studio.page.locator(".object-choose").last.click()
    studio.until("s.active === s.objects[1].id")


def objects(studio: Studio) -> list[dict[str, Any]]:
    """Return all of the objects, their ids too."""
    found: list[dict[str, Any]] = studio.state()["objects"]
    return found


def back_again(studio: Studio, before: list[dict[str, Any]]) -> None:
    """Wait until the work is back, and compare it with what it was."""
    studio.until(f"s.connection === 'ready' && !s.restoring && s.objects.length === {len(before)} && s.active !== null")
    assert objects(studio) == before
    assert studio.state()["active"] == studio.state()["objects"][-1]["id"]
    studio.page.keyboard.down("Shift")
    studio.hover((DISC_B[0] - 20, DISC_B[1]))
    studio.until("s.preview?.object === s.active")
    studio.page.keyboard.up("Shift")
    studio.away()


@pytest.mark.parametrize("lost", [False, True], ids=["resumed", "session lost"])
def test_work_and_a_name_that_is_being_written_survive_a_dropped_connection(
    open_studio: OpenStudio, lost: bool
) -> None:
    link = SocketRoute()
    studio = open_studio(before=link.watch)
    work(studio)
    before = objects(studio)
    studio.press("F2")
    studio.page.keyboard.type("ca")
    link.forget = lost
    link.cut()
    studio.until("s.connection !== 'ready'")
    expect(studio.page.locator("#connection")).not_to_have_attribute("data-state", "ready")
    studio.until(f"s.connection === 'ready' && !s.restoring && s.objects.length === {len(before)}")
    studio.page.keyboard.type("r")
    studio.press("Enter")
    studio.until("s.objects.at(-1).name === 'car' && s.tool === 'new'")
    before[-1]["name"] = "car"
    back_again(studio, before)


def test_line_that_broke_without_a_word_is_found_out_when_the_network_is_back(open_studio: OpenStudio) -> None:
    link = SocketRoute()
    studio = open_studio(before=link.watch)
    work(studio)
    before = objects(studio)
    pongs = "hoversam.latency().find(({ kind }) => kind === 'network').count"
    heard = studio.page.evaluate(pongs)
    studio.page.evaluate("dispatchEvent(new Event('online'))")
    studio.page.wait_for_function(f"heard => {pongs} > heard", arg=heard)
    studio.until("s.connection === 'ready'")
    assert len(link.routes) == 1  # it still holds: nothing happens
    link.deaf = link.routes[0]  # as after a sleep, or a change of the network: nobody says goodbye
    studio.page.evaluate("dispatchEvent(new Event('online'))")
    studio.until("s.connection !== 'ready'")
    back_again(studio, before)


def test_page_that_is_loaded_again_shows_the_same_objects_and_undo_goes_on(open_studio: OpenStudio) -> None:
    studio = open_studio()
    work(studio)
    before = objects(studio)
    studio.page.reload()
    back_again(studio, before)
    assert [message["t"] for message in studio.sent].count("open") == 1
    studio.press("Control+z")
    studio.until("s.objects[0].name === 'Object 2'")


class TestServerThatDies:
    """In a class of its own, for the address of its own."""

    @pytest.fixture
    def address(self, phoenix: Phoenix) -> str:
        return phoenix.url

    def test_work_survives_sigkill_and_a_reload_after_it(self, open_studio: OpenStudio, phoenix: Phoenix) -> None:
        studio = open_studio()
        studio.expected = ("WebSocket connection", "Failed to load resource")
        work(studio)
        before = objects(studio)
        phoenix.restart(signal.SIGKILL)
        back_again(studio, before)

        phoenix.restart(signal.SIGKILL)
        studio.page.reload()
        back_again(studio, before)
        studio.press("Control+z")
        studio.until("s.objects[0].name === 'Object 2'")

    def test_files_have_the_colours_of_the_page_after_a_restart(
        self, open_studio: OpenStudio, phoenix: Phoenix
    ) -> None:
        studio = open_studio()
        studio.expected = ("WebSocket connection", "Failed to load resource")
        studio.open(discs())
        for place in ((560, 60), (60, 340), DISC_A, (330, 340), DISC_B):
            studio.add_object(place)
        for name in ("Object 1", "Object 2", "Object 4"):
            studio.page.get_by_role("button", name=f"Delete {name}").click()
            studio.until(f"!s.objects.some(o => o.name === '{name}')")
        drawn = expect(studio.page.locator("#objects .object"))
        drawn.to_have_count(2)
        before = objects(studio), swatches(studio)
        phoenix.end(signal.SIGKILL)
        studio.until("s.connection !== 'ready'")
        phoenix.begin()
        studio.until("s.connection === 'ready' && !s.restoring && s.objects.length === 2")
        drawn.to_have_count(2)
        assert (objects(studio), swatches(studio)) == before

        studio.page.locator("#canvas").focus()  # it is on a button of the list, to which Enter would belong
        studio.press("Control+z")  # what was done before the server died is undone after it
        studio.until("s.objects.length === 3 && s.objects[1].name === 'Object 4'")
        studio.press("Control+y")
        studio.until("s.objects.length === 2 && s.objects[1].color === 4 && s.canUndo && !s.canRedo")
        studio.add_object((330, 340))
        studio.page.locator("#save").click()
        with studio.page.expect_download() as download:
            studio.page.locator('#save-menu [data-format="svg"]').click()
        svg = Path(download.value.path()).read_text()
        assert re.findall(r'<path[^>]*?fill="(#\w{6})"', svg) == swatches(studio)


def swatches(studio: Studio) -> list[str]:
    """Return the colours in the list of objects, #rrggbb."""
    shown = studio.page.locator("#objects .swatch").evaluate_all(
        "all => all.map(e => getComputedStyle(e).backgroundColor)"
    )
    return ["#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", color)) for color in shown]


def test_copy_of_a_tab_goes_on_with_the_same_work_in_a_session_of_its_own(open_studio: OpenStudio) -> None:
    first = open_studio()
    first.open(discs())
    first.add_object(DISC_A)
    kept = first.page.evaluate("sessionStorage.getItem('hoversam.tab/')")
    second = open_studio(
        beside=first, before=lambda page: page.add_init_script(f"sessionStorage.setItem('hoversam.tab/', {kept!r})")
    )
    second.until("s.objects.length === 1 && !s.restoring")
    assert first.state()["connection"] == "ready"
    second.add_object(DISC_B)
    assert len(first.state()["objects"]) == 1


def test_times_are_told_where_they_are_asked_for(open_studio: OpenStudio) -> None:
    studio = open_studio()
    studio.open(discs())
    studio.hover(DISC_A)
    studio.until("s.preview !== null")
    studio.page.locator("#connection").click()
    for kind in ("network", "queue", "decode", "paint", "total"):
        for cell in (0, 1):
            expect(studio.page.locator(f"#time-{kind} td").nth(cell)).to_have_text(re.compile(r"\d"))
