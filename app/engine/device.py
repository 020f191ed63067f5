"""Which device runs the model, and with how many threads.

Decision: torch is asked for a device only where the machine may have one. Context: importing torch takes seconds and
500 MB, and compiled graphs on a CPU need nothing of it. Choice: the driver is asked first; torch, which may be built
without it, has the last word. Price: a graphics card is looked for twice.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

DEVICES = ("cuda", "mps", "cpu")
"""Fastest first."""
CUDA_DRIVERS: Final = {"Linux": "libcuda.so.1", "Windows": "nvcuda.dll"}
"""The library of NVIDIA's driver by system, where torch looks for it too."""
ROCM_DRIVER: Final = Path("/dev/kfd")
"""There where Linux has a driver for AMD's graphics cards, which torch calls cuda too."""


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
            f"torch {version('torch')} finds no {wanted} device here; choose one of {there}, or install a torch "
            f"built for {wanted} and its driver"
        )
    return DeviceChoice(wanted, "asked for")


def is_available(device: str) -> bool:
    """Return whether torch can use a device: cpu, cuda or mps."""
    if device == "cuda":
        return has_cuda_driver() and torch_finds(device)
    if device == "mps":
        return platform.system() == "Darwin" and torch_finds(device)
    return True


def has_cuda_driver() -> bool:
    """Return whether the machine has a driver, and a graphics card that it knows."""
    if ROCM_DRIVER.exists():
        return True
    try:
        driver = ctypes.CDLL(CUDA_DRIVERS[platform.system()])
    except (KeyError, OSError):  # no such driver for this system, or none on this machine
        return False
    count = ctypes.c_int(0)
    found = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return found and count.value > 0


def torch_finds(device: str) -> bool:
    """Return whether torch is built for a device and finds it."""
    import torch

    return torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available()


def set_threads(count: int) -> None:
    """Let torch use this many CPU threads for one operation, in the whole process; compiled graphs have their own.

    Nothing happens while torch isn't loaded: whoever works with it asks before each piece of work.

    Raises:
        ValueError: `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"a model needs at least 1 thread, not {count}")
    # Another thread may be loading torch at this moment, so that the module is there and the function isn't.
    if apply := getattr(sys.modules.get("torch"), "set_num_threads", None):
        apply(count)
