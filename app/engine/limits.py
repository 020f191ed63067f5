"""How long engines may take to be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True)
class EngineLimits:
    """Bounds of what engines do by themselves; the texts are those of `/limits`."""

    conversion_timeout_s: Annotated[float, "compiling a model in the background"] = 900.0
    """It takes up to a minute on two quick cores; torch answers meanwhile, so a slow machine may take its time."""
