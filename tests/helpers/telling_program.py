"""The program itself, which says which large libraries it has loaded: at SIGUSR1, and at its end.

`python -m tests.helpers.telling_program serve --port N`. Its workers, where it has any, say it as `telling_engine`
does.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from typing import Final

from app.__main__ import main

LARGE: Final = ("torch", "torchvision", "scipy", "hydra")


def tell(*_: object) -> None:
    loaded = " ".join(name for name in LARGE if name in sys.modules) or "none of them"
    os.write(2, f"loaded: {loaded}\n".encode())  # whatever Python is at when the signal comes


if __name__ == "__main__":
    if "--workers" in sys.argv:
        from app.server import serve
        from tests.helpers.telling_engine import load_telling

        vars(serve)["load_engine"] = load_telling
    atexit.register(tell)
    signal.signal(signal.SIGUSR1, tell)
    sys.exit(main(sys.argv[1:]))
