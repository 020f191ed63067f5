"""A model that writes down which large libraries its process has loaded, after each decode; for workers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app.engine import factory
from app.engine.contract import Engine
from app.engine.limits import EngineLimits
from app.settings import Settings
from app.weights.catalogue import Say, Weights
from tests.helpers.telling_program import LARGE

FOLDER = "TELLING_FOLDER"
"""Variable of the environment: where the files are, one for each process, named by its number."""


def load_telling(weights: Weights, settings: Settings, say: Say, *, limits: EngineLimits | None = None) -> Engine:
    """Return the model, as it is loaded in the product."""
    engine = factory.load_engine(weights, settings, say, limits=limits)
    decode, file = engine.decode, Path(os.environ[FOLDER], str(os.getpid()))

    def telling(*args: object) -> object:
        found = decode(*args)  # type: ignore[arg-type]
        file.write_text(" ".join(name for name in LARGE if name in sys.modules) or "none of them")
        return found

    vars(engine)["decode"] = telling
    return engine
