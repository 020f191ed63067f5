"""How many examples a property is tried on: some in every run of the tests, many more under `./start.sh soak`."""

from __future__ import annotations

import os


def examples(usual: int, soak: int) -> int:
    """Return the number for this run."""
    return soak if os.environ.get("HOVERSAM_SOAK") else usual
