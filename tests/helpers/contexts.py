"""Browser contexts that are used again: their process has what the page is made of, and a page opens at 60 % the cost.

Decision: tests share contexts. Context: a page in a fresh one takes two seconds of processor time, much of it for a
process that fetches and compiles the same modules once more. Choice: a context goes from test to test of the same
options, one test at a time; its cookies and all that a site may keep are cleared before the next page. Price: what only
a browser's very first visit shows isn't seen there; a test of that says `first_visit=True`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

OF_PAGE = frozenset({"viewport", "color_scheme", "reduced_motion", "forced_colors"})
"""Options that a page can be given too; all others are its context's."""


class Contexts:
    """Those of one browser that no test is using."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[BrowserContext]] = defaultdict(list)
        self._lent: dict[BrowserContext, str] = {}

    def page(self, address: str, options: dict[str, Any]) -> Page:
        """Return a blank page, in a context of these options in which the site at an address has never been."""
        of_page = {name: value for name, value in options.items() if name in OF_PAGE}
        of_context = {name: value for name, value in options.items() if name not in OF_PAGE}
        kind = repr(sorted(of_context.items()))
        free = self._free[kind]
        context = free.pop() if free else self._new(of_context)
        self._lent[context] = kind
        page = context.new_page()
        site = urlsplit(address)
        wire = context.new_cdp_session(page)
        wire.send("Storage.clearDataForOrigin", {"origin": f"{site.scheme}://{site.netloc}", "storageTypes": "all"})
        wire.detach()
        context.clear_cookies()
        page.set_viewport_size(of_page.pop("viewport"))
        if of_page:
            page.emulate_media(**of_page)
        return page

    def give_back(self, context: BrowserContext) -> None:
        """Close a context's pages and keep it for the next test, or close one that isn't of here."""
        kind = self._lent.pop(context, None)
        if kind is None:
            context.close()
            return
        for page in context.pages[1:]:
            page.close()
        self._free[kind].append(context)

    def _new(self, options: dict[str, Any]) -> BrowserContext:
        """Return a context with a blank page, which keeps alive the process that others are opened in."""
        context = self._browser.new_context(**options)
        context.new_page()
        return context
