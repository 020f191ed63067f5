"""What this machine offers the model: cores, and OpenVINO with its precision. Imports neither torch nor OpenVINO."""

from __future__ import annotations

import importlib.util
import platform
from typing import Final, NamedTuple

from app.errors import ModelUnavailableError

X86: Final = ("x86_64", "amd64")


class Runtime(NamedTuple):
    """What OpenVINO offers on this machine.

    Attributes:
        version: of the package.
        processor: the CPU's name and what it can do.
        precision: bf16 where the CPU computes in it, fp32 elsewhere, or what was asked for.
    """

    version: str
    processor: str
    precision: str


def why_not(device: str) -> str | None:
    """Return why OpenVINO can't run a model that goes to `device`, or None where it can."""
    if device != "cpu":
        return f"it runs on the CPU, and the device is {device}"
    if platform.machine().lower() not in X86:
        return f"it is for x86 CPUs, and this one is {platform.machine() or 'unknown'}"
    if importlib.util.find_spec("openvino") is None:
        return "the package openvino is not installed; run pip install openvino"
    return None


def detect(precision: str | None) -> Runtime:
    """Return what OpenVINO offers here.

    Args:
        precision: bf16 or fp32; None takes bf16 where the CPU has instructions for it.

    Raises:
        ModelUnavailableError: the CPU doesn't compute in this precision, or OpenVINO can't be loaded or finds no CPU
            that it knows.
    """
    try:
        import openvino
    except (ImportError, OSError) as error:  # a half-installed package, or a system library that it lacks
        raise ModelUnavailableError(
            f"the package openvino can't be loaded ({error}); install it again, or use --engine torch"
        ) from error
    try:
        core = openvino.Core()
        abilities = sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        name = str(core.get_property("CPU", "FULL_DEVICE_NAME"))
    except RuntimeError as error:
        raise ModelUnavailableError(f"OpenVINO can't use this CPU ({error}); use --engine torch") from error
    if precision == "bf16" and "BF16" not in abilities:
        raise ModelUnavailableError(f"{name} does not compute in bf16; use --precision fp32")
    chosen = precision or ("bf16" if "BF16" in abilities else "fp32")
    return Runtime(str(openvino.__version__), f"{name} {' '.join(abilities)}", chosen)
