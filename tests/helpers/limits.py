"""The product's limits with some of them shrunk, for a server in a test or in a program of its own."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace

from app.limits import AppLimits

VARIABLE = "TEST_LIMITS"
"""Where a program of the tests, never the product, finds the limits that it is to keep to: JSON, by their names."""


def shrunk(**changes: float) -> AppLimits:
    """Return the usual limits but for some, each given by its own name, whichever part has it."""
    limits, left = AppLimits(), dict(changes)
    for part in fields(limits):
        value = getattr(limits, part.name)
        own = {each.name: left.pop(each.name) for each in fields(value) if each.name in left}
        limits = replace(limits, **{part.name: replace(value, **own)})
    assert not left, f"no limits: {sorted(left)}"
    return limits


QUICK = shrunk(shutdown_timeout_s=2.0)
"""For a server that a test stops: work that hangs doesn't keep it."""


def environment(limits: dict[str, float]) -> dict[str, str]:
    """Return the environment of a program of the tests that keeps to these limits."""
    return {**os.environ, VARIABLE: json.dumps(limits)}


def of_environment() -> AppLimits:
    """Return the limits that the test which started this program asks for."""
    return shrunk(**json.loads(os.environ.get(VARIABLE, "{}")))
