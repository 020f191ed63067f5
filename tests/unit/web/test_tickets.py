"""A ticket lets in sockets of the origin that it was made for, for half a minute, and nothing else."""

from __future__ import annotations

import pytest

from app.web.tickets import PREFIX, TICKET_S, Tickets

PAGE = "https://masks.example"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def offered(ticket: str) -> list[str]:
    return ["hoversam.v1", f"{PREFIX}{ticket}"]


def test_a_ticket_is_good_for_its_origin_and_its_time() -> None:
    clock = Clock()
    tickets = Tickets(clock=clock)
    ticket = tickets.issue(PAGE)
    assert tickets.admit(offered(ticket), PAGE)
    clock.now += TICKET_S - 1
    assert tickets.admit(offered(ticket), PAGE)
    clock.now += 2
    assert not tickets.admit(offered(ticket), PAGE)


@pytest.mark.parametrize("origin", [None, "", "null", "https://evil.example", "http://masks.example", PAGE + ":444"])
def test_a_ticket_is_of_no_use_to_another_page(origin: str | None) -> None:
    tickets = Tickets()
    assert not tickets.admit(offered(tickets.issue(PAGE)), origin)


@pytest.mark.parametrize("origin", ["", "null"])
def test_no_origin_is_no_page(origin: str) -> None:
    tickets = Tickets()
    assert tickets.admit(offered(tickets.issue(origin)), origin) is (origin != "")


def test_a_ticket_can_not_be_made_or_made_longer_by_others() -> None:
    clock = Clock()
    tickets = Tickets(clock=clock)
    until, signature = tickets.issue(PAGE).split(".")
    for forged in (
        f"{int(until) + 60}.{signature}",
        f"{until}.{'0' * len(signature)}",
        f"{until}.",
        f"0{until}.{signature}",
        f" {until}.{signature}",
        f"{'9' * 5000}.{signature}",
        "",
        ".",
        "é.é",
        Tickets(clock=clock).issue(PAGE),
    ):
        assert not tickets.admit(offered(forged), PAGE), forged


def test_nothing_and_two_tickets_are_no_ticket() -> None:
    tickets = Tickets()
    one = f"{PREFIX}{tickets.issue(PAGE)}"
    assert not tickets.admit([], PAGE)
    assert not tickets.admit(["hoversam.v1"], PAGE)
    assert not tickets.admit([one, one], PAGE)
