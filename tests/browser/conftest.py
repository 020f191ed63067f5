"""A browser and pages of the studio for every test here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.studio import ARGUMENTS, OpenStudio, Studio, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_studio(browser: Browser, live_server: str) -> Iterator[OpenStudio]:
    """Open pages; at the end none may have had an error, a policy report or a request to another host."""
    opened: list[Studio] = []

    def open_studio(before: Callable[[Page], None] = lambda page: None, **context_options: Any) -> Studio:
        options = {"viewport": {"width": 1280, "height": 800}, **context_options}
        page = browser.new_context(**options).new_page()
        studio = Studio(page)
        opened.append(studio)
        page.on("console", lambda message: studio.troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: studio.troubles.append(f"exception: {error}"))
        page.on("dialog", lambda dialog: studio.troubles.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: note_foreign(studio, request.url, live_server))
        before(page)
        page.goto(live_server)
        studio.until("s.connection === 'ready'")
        return studio

    yield open_studio
    for studio in opened:
        studio.page.context.close()
        troubles = [text for text in studio.troubles if not any(part in text for part in studio.expected)]
        assert troubles == []


def note_foreign(studio: Studio, url: str, live_server: str) -> None:
    if urlsplit(url).scheme != "blob" and urlsplit(url).netloc != urlsplit(live_server).netloc:
        studio.troubles.append(f"request to another host: {url}")
