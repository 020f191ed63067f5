from __future__ import annotations

import pytest

from app.client.cookies import Cookies


def said(*set_cookies: str) -> str | None:
    cookies = Cookies()
    cookies.take(set_cookies)
    return cookies.headers().get("Cookie")


def test_a_balancers_cookie_is_said_again_and_nothing_before() -> None:
    assert Cookies().headers() == {}
    assert said("hoversam_server=a1; Path=/; HttpOnly; Secure; SameSite=Lax") == "hoversam_server=a1"
    assert said('server="a b"; Path=/', "login=1") == 'server="a b"; login=1'


def test_the_newest_value_counts_and_one_that_is_taken_back_goes() -> None:
    assert said("server=1", "server=2") == "server=2"
    assert said("server=1", "server=; Max-Age=0") is None
    assert said("server=1", "server=1; Max-Age=0", "login=2") == "login=2"


@pytest.mark.parametrize("text", ["", ";;;", "=", "\x00=\x01", "a b c", "a[]=1"])
def test_what_is_no_cookie_is_passed_over(text: str) -> None:
    assert said("server=1", text) == "server=1"


def test_a_balancer_can_not_fill_our_requests() -> None:
    assert said(*(f"cookie{number}=1" for number in range(100))) == "; ".join(f"cookie{n}=1" for n in range(84, 100))
    assert len(said(*(f"cookie{number}={'x' * 1000}" for number in range(9))) or "") <= 4096
    assert said(f"cookie={'x' * 10_000}") is None
