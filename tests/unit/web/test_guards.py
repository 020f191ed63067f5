from __future__ import annotations

import pytest

from app.web.guards import is_allowed, is_known

HOST = "localhost:8000"
LISTED = ("https://example.org",)


@pytest.mark.parametrize("origin", [None, "http://localhost:8000", "https://localhost:8000", "https://example.org"])
def test_scripts_our_own_page_and_listed_pages_may_enter(origin: str | None) -> None:
    assert is_allowed(origin, HOST, LISTED)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://localhost:8000.evil.example",
        "http://evil-localhost:8000",
        "http://localhost:8001",
        "http://localhost",
        "http://user@localhost:8000",
        "https://example.org.evil.example",
        "https://example.org:444",
        "http://[",
        "http://localhost:8000, http://localhost:8000",
    ],
)
def test_other_pages_may_not(origin: str) -> None:
    assert not is_allowed(origin, HOST, LISTED)


@pytest.mark.parametrize("host", [None, ""])
def test_without_a_host_no_page_may_enter(host: str | None) -> None:
    assert not is_allowed("null", host, ())
    assert not is_allowed("http://localhost", host, ())


def test_a_page_that_the_browser_takes_for_ours_may_enter_through_a_proxy_that_renames_us() -> None:
    assert is_allowed("http://localhost:3000", HOST, (), "same-origin")
    for site in ("same-site", "cross-site", "none", "", None):
        assert not is_allowed("http://localhost:3000", HOST, (), site)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8000",
        "localhost.",
        "localhost.:8000",
        "sam.localhost",
        "Sam.Here.LocalHost:8000",
        "sam.localhost.:8000",
        "127.0.0.1:8000",
        "[::1]:8000",
        "192.0.2.7:80",
        "our.example",
        "our.example.",
        "Our.Example:8443",
    ],
)
def test_addresses_localhost_and_listed_names_are_ours(host: str) -> None:
    assert is_known(host, ("our.example",))


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "evillocalhost",
        "localhost..",
        ".localhost",
        "sam..localhost",
        ".",
        "127.0.0.1.evil.example",
        "our.example.evil.example",
        "user@evil.example",
        "user@localhost",
        "localhost/path",
        "[::1",
        "127.0.0.1:port:port",
        "/",
    ],
)
def test_other_names_are_not(host: str | None) -> None:
    assert not is_known(host, ("our.example",))


def test_a_name_may_be_listed_with_its_port() -> None:
    assert is_known("our.example:8000", ("our.example:8000",))
    assert not is_known("our.example:8001", ("our.example:8000",))


def test_a_server_that_listens_everywhere_has_no_empty_name() -> None:
    assert not is_known(".", ("",))
    assert not is_known(":8000", ("",))


def test_a_star_lets_every_name_in_and_still_no_missing_one() -> None:
    assert is_known("any.example", ("*",))
    assert not is_known(None, ("*",))
