"""Which device runs the model, and with how many threads."""

from __future__ import annotations

from typing import NamedTuple

import torch

DEVICES = ("cuda", "mps", "cpu")
"""Fastest first."""


class DeviceChoice(NamedTuple):
    """A device's torch name, and why it was taken, for the log."""

    name: str
    reason: str


def pick_device(wanted: str | None = None) -> DeviceChoice:
    """Return the device to run on: `wanted`, or the fastest that is there.

    Args:
        wanted: cpu, cuda or mps; None leaves the choice to this function.

    Raises:
        ValueError: `wanted` is not one of the three, or this machine doesn't offer it.
    """
    if wanted is None:
        name = next(device for device in DEVICES if is_available(device))
        return DeviceChoice(name, "the fastest device that is there")
    if wanted not in DEVICES:
        raise ValueError(f"no device is called {wanted[:64]!r}; choose one of {', '.join(DEVICES)}")
    if not is_available(wanted):
        there = ", ".join(device for device in DEVICES if is_available(device))
        raise ValueError(
            f"torch {torch.__version__} finds no {wanted} device here; choose one of {there}, or install a torch "
            f"built for {wanted} and its driver"
        )
    return DeviceChoice(wanted, "asked for")


def is_available(device: str) -> bool:
    """Return whether torch can use a device: cpu, cuda or mps."""
    if device == "cuda":
        return torch.cuda.is_available()
    if device == "mps":
        return torch.backends.mps.is_available()
    return True


def set_threads(count: int) -> None:
    """Let torch use this many CPU threads for one operation, in the whole process.

    Raises:
        ValueError: `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"a model needs at least 1 thread, not {count}")
    torch.set_num_threads(count)
