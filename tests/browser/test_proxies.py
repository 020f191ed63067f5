"""The page behind the reverse proxies that people have: under a prefix, with another name in Host."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.helpers.reverse_proxy import ReverseProxy, reverse_proxy
from tests.helpers.studio import ARGUMENTS, OpenStudio, Studio, chromium

pytestmark = pytest.mark.browser


def is_whole(studio: Studio) -> None:
    """Use the page from end to end: a sample, a hover, a click, a file, and all of it again after a reload."""
    page = studio.page
    page.locator("#welcome .sample").first.click()
    studio.until("s.image !== null && s.pending === null")
    studio.hover((200, 200))
    studio.until("s.preview !== null")
    studio.click((200, 200))
    studio.until("s.objects.length === 1")
    page.locator("#save").click()
    with page.expect_download() as download:
        page.locator('#save-menu [data-format="coco"]').click()
    assert download.value.suggested_filename.endswith(".json")
    areas = studio.areas()
    page.reload()
    studio.until("s.connection === 'ready' && s.objects.length === 1 && !s.restoring")
    assert studio.areas() == areas


class TestPrefix:
    """In a class of its own, for the address of its own."""

    @pytest.fixture(params=["/sam", "/user/me@home/proxy/8000"])
    def proxy(self, fake_server: str, request: pytest.FixtureRequest) -> Iterator[ReverseProxy]:
        with reverse_proxy(ReverseProxy(fake_server, prefix=request.param)) as proxy:
            yield proxy

    @pytest.fixture
    def address(self, proxy: ReverseProxy) -> str:
        return proxy.url

    def test_page_works_under_a_prefix_and_asks_for_nothing_beside_it(
        self, open_studio: OpenStudio, proxy: ReverseProxy
    ) -> None:
        studio = open_studio()
        is_whole(studio)
        assert proxy.lost == []
        kept = studio.page.evaluate("Object.keys(sessionStorage)")
        assert kept == [f"hoversam.tab{proxy.prefix}/"]  # a server beside it on the same host gets none of it

    def test_docs_have_their_files_and_commands_for_the_address_in_use(
        self, open_studio: OpenStudio, proxy: ReverseProxy
    ) -> None:
        page = open_studio().page
        for path in ("docs", "docs/"):
            page.goto(proxy.url + path)
            expect(page.locator("code.command").first).to_contain_text(f"curl {proxy.url}api/")
            expect(page.locator("#socket-title")).to_contain_text(f"{proxy.url.replace('http', 'ws')}ws")
            expect(page.locator(".astray")).to_be_hidden()  # the style is there
            schema = page.get_by_role("link", name="openapi.json").evaluate("link => link.href")
            assert page.request.get(schema).json()["servers"] == [{"url": ".."}]
            page.get_by_role("link", name="HoverSAM").click()
            page.wait_for_url(proxy.url)
            assert proxy.lost == []


class TestHiddenName:
    """The server is told its own address as Host, so that it can't see what the page's is."""

    @pytest.fixture
    def proxy(self, fake_server: str) -> Iterator[ReverseProxy]:
        with reverse_proxy(ReverseProxy(fake_server, prefix="/sam", host=urlsplit(fake_server).netloc)) as proxy:
            yield proxy

    @pytest.fixture
    def address(self, proxy: ReverseProxy) -> str:
        return proxy.url

    def test_page_works_where_browsers_vouch_for_it(self, open_studio: OpenStudio) -> None:
        is_whole(open_studio())

    def test_page_that_nobody_vouches_for_says_once_what_to_set(self, browser: Browser, proxy: ReverseProxy) -> None:
        """By plain HTTP from another name, which any page could have made point here."""
        rules = "--host-resolver-rules=MAP masks.lan 127.0.0.1"
        named = browser.browser_type.launch(executable_path=chromium(), args=[*ARGUMENTS, rules])
        page = named.new_page()
        sockets: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.goto(proxy.url.replace("localhost", "masks.lan"))
        expect(page.locator("#connection")).to_have_attribute("data-state", "ended")
        notice = page.locator("#notice-text")
        expect(notice).to_contain_text(f"http://masks.lan:{proxy.port}")
        expect(notice).to_contain_text("HOVERSAM_ALLOWED_ORIGINS")
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator("#connection-text")).to_have_text("Disconnected")
        assert sockets == []
        named.close()


def test_page_says_that_a_proxy_passes_no_socket_on(browser: Browser, fake_server: str) -> None:
    with reverse_proxy(ReverseProxy(fake_server, upgrades=False)) as proxy:
        page = browser.new_page()
        page.goto(proxy.url)
        expect(page.locator("#notice-text")).to_contain_text("the proxy between them has to pass WebSockets on")
        proxy.upgrades = True
        expect(page.locator("#connection")).to_have_attribute("data-state", "ready", timeout=30_000)
        expect(page.locator("#notice")).to_be_hidden()
        page.close()
