"""Choosing a device; the devices are simulated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from app.engine import device
from app.engine.device import pick_device, set_threads


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The devices of a simulated machine, to be added to."""
    devices = {"cpu"}
    monkeypatch.setattr(device, "is_available", devices.__contains__)
    return devices


@pytest.fixture
def threads() -> Iterator[None]:
    count = torch.get_num_threads()
    yield
    torch.set_num_threads(count)


@pytest.mark.parametrize(("more", "name"), [("cuda mps", "cuda"), ("mps", "mps"), ("", "cpu")])
def test_the_fastest_device_that_is_there_is_taken(there: set[str], more: str, name: str) -> None:
    there.update(more.split())
    assert pick_device().name == name


def test_the_device_that_was_asked_for_is_taken(there: set[str]) -> None:
    there.add("cuda")
    assert pick_device("cpu") == ("cpu", "asked for")


def test_an_unknown_device_is_answered_with_the_known_ones(there: set[str]) -> None:
    with pytest.raises(ValueError, match=r"no device is called 'tpu'; choose one of cuda, mps, cpu"):
        pick_device("tpu")


def test_a_device_that_is_not_there_is_answered_with_those_that_are(there: set[str]) -> None:
    with pytest.raises(ValueError, match=r"finds no cuda device here; choose one of cpu"):
        pick_device("cuda")


def test_this_machine_offers_a_device_that_torch_knows() -> None:
    assert torch.zeros(1, device=pick_device().name).item() == 0


def test_torch_uses_the_threads_that_it_is_given(threads: None) -> None:
    set_threads(1)
    assert torch.get_num_threads() == 1


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        set_threads(0)
