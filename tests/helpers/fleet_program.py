"""The program itself around workers without a model: `python -m tests.helpers.fleet_program serve --workers 2`.

Its limits are found as `limited_program` finds them; `stand_in` says how long a decode takes.
"""

from __future__ import annotations

import os
import sys

from app.server import serve
from app.settings import Settings
from app.weights.catalogue import Weights, known_models
from tests.helpers import limited_program
from tests.helpers.preloaded import ROOT
from tests.helpers.stand_in import load_stand_in


def no_weights(settings: Settings, *_: object) -> Weights:
    """Return an empty file, which is enough for a worker without a model."""
    file = settings.hashes_file.with_name("tiny.pt")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    return Weights(known_models(settings).entry("tiny"), file, published=False)


def run(argv: list[str]) -> int:
    os.environ["PYTHONPATH"] = str(ROOT)  # a worker loads its stand-in from here
    vars(serve).update(find_weights=no_weights, load_engine=load_stand_in)
    return limited_program.run(argv)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
