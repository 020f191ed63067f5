"""A browser and pages of the studio for every test here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgpack
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.helpers.contexts import Contexts
from tests.helpers.program import Program, free_port
from tests.helpers.shop import Shop, open_shop
from tests.helpers.studio import ARGUMENTS, WAIT_MS, OpenStudio, Studio, chromium


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this folder, gone before the next folder's: while it is there, no loop may run."""
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Contexts:
    """Contexts of the browser, each for one test after the other."""
    return Contexts(browser)


@pytest.fixture(scope="session")
def fake_server() -> Iterator[str]:
    """The address of the real program around an engine without a model; started once for all tests that ask."""
    program = Program(free_port(), module="tests.helpers.fake_program", forked=True)
    try:
        program.wait_until_ready()
        yield program.url
        program.stop()
    finally:
        program.kill()


@pytest.fixture
def address(fake_server: str) -> str:
    """Where the page comes from; a module whose tests need a real model overrides this fixture."""
    return fake_server


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A server whose engine, models and downloads the test holds in its hands."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with open_shop(tmp_path / "checkpoints") as opened:
        yield opened


@pytest.fixture
def open_studio(browser: Browser, contexts: Contexts, address: str, tmp_path: Path) -> Iterator[OpenStudio]:
    """Open pages; at the end none may have had an error, a policy report or a request to another host."""
    opened: list[Studio] = []

    def open_studio(
        before: Callable[[Page], None] = lambda page: None,
        beside: Studio | None = None,
        inside: Browser = browser,
        first_visit: bool = False,
        **context_options: Any,
    ) -> Studio:
        options = {"viewport": {"width": 1280, "height": 800}, **context_options}
        if beside:
            page = beside.page.context.new_page()
        elif first_visit or inside is not browser:
            page = inside.new_context(**options).new_page()
        else:
            page = contexts.page(address, options)
        page.set_default_timeout(WAIT_MS)
        studio = Studio(page, folder=tmp_path)
        opened.append(studio)
        page.on("console", lambda message: studio.troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: studio.troubles.append(f"exception: {error}"))
        page.on("dialog", lambda dialog: studio.troubles.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: note_foreign(studio, request.url, address))
        before(page)
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: note_sent(studio, frame)))
        page.goto(address)
        studio.until("s.connection === 'ready'")
        return studio

    yield open_studio
    for context in {studio.page.context for studio in opened}:
        contexts.give_back(context)
    for studio in opened:
        troubles = [text for text in studio.troubles if not any(part in text for part in studio.expected)]
        assert troubles == []


def note_sent(studio: Studio, frame: str | bytes) -> None:
    if isinstance(frame, bytes):
        studio.sent.append(msgpack.unpackb(frame))


def note_foreign(studio: Studio, url: str, address: str) -> None:
    if urlsplit(url).scheme != "blob" and urlsplit(url).netloc != urlsplit(address).netloc:
        studio.troubles.append(f"request to another host: {url}")
