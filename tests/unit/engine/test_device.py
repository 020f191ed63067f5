"""Choosing a device; the devices and their drivers are simulated."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


class Driver:
    """NVIDIA's driver, as `ctypes` gives it, on a machine with some graphics cards."""

    def __init__(self, cards: int, failure: int = 0) -> None:
        self.cards, self.failure = cards, failure

    def cuInit(self, _: int) -> int:
        return self.failure

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = self.cards
        return 0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """A Linux machine without a graphics card or driver; the devices that torch was asked for, which it finds all."""
    names: list[str] = []
    monkeypatch.setattr(device, "torch_finds", lambda name: not names.append(name))  # type: ignore[func-returns-value]
    monkeypatch.setattr(device, "ROCM_DRIVER", tmp_path / "kfd")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(ctypes, "CDLL", missing)
    return names


def missing(name: str) -> Driver:
    raise OSError(f"{name}: cannot open shared object file")


def test_without_a_driver_torch_is_not_asked(asked: list[str]) -> None:
    assert pick_device().name == "cpu"
    assert asked == []


@pytest.mark.parametrize(
    "driver", [Driver(0), Driver(1, failure=100), Driver(1, failure=803)], ids=["no card", "hidden cards", "too old"]
)
def test_a_driver_that_finds_no_card_is_as_good_as_none(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, driver: Driver
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: driver)
    assert pick_device().name == "cpu"
    assert asked == []


def test_where_there_is_a_card_torch_has_the_last_word(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Driver(1))
    assert pick_device().name == "cuda"
    assert asked == ["cuda"]
    monkeypatch.setattr(device, "torch_finds", lambda _: False)
    assert pick_device().name == "cpu"


def test_a_card_of_amd_is_seen_by_its_own_driver(asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "kfd").touch()
    assert pick_device().name == "cuda"


def test_on_a_mac_torch_is_asked_for_metal_alone(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert pick_device().name == "mps"
    assert asked == ["mps"]


def test_torch_uses_the_threads_that_it_is_given(threads: None) -> None:
    set_threads(1)
    assert torch.get_num_threads() == 1


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        set_threads(0)
