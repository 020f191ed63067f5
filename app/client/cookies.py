"""What a balancer in front of several servers has us say again, so that all that we ask reaches one of them."""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final

_MAX_COOKIES: Final = 16
"""A balancer sets one, and a log-in some."""
_MAX_BYTES: Final = 4096
"""Of all together, as browsers send to one server at most."""


class Cookies:
    """Cookies of one address, from its answers to the requests that follow.

    Where and how long they hold is not kept: they go to that address alone, and no longer than the session.
    """

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def take(self, set_cookies: Iterable[str]) -> None:
        """Keep what the `Set-Cookie` headers of an answer say; one that can't be read is passed over.

        Args:
            set_cookies: the values of these headers.
        """
        for text in set_cookies:
            try:
                morsels = SimpleCookie(text)
            except CookieError:
                continue
            for name, morsel in morsels.items():
                self._values.pop(name, None)
                if morsel.coded_value and morsel["max-age"] != "0":
                    self._values[name] = morsel.coded_value
        while len(self._values) > _MAX_COOKIES or len(self._said()) > _MAX_BYTES:
            del self._values[next(iter(self._values))]

    def headers(self) -> dict[str, str]:
        """Return the header of the next request; none where there is nothing to say."""
        return {"Cookie": self._said()} if self._values else {}

    def _said(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._values.items())
