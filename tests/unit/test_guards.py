from __future__ import annotations

import pytest

from app.web.guards import is_allowed

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
