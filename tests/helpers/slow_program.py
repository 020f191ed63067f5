"""The program itself around an engine whose decodes take a set time.

`python -m tests.helpers.slow_program serve --port N`.

`FAULT_DECODE_S` is that time. A picture 13 pixels wide makes the engine hang for good, a recipe the thread that makes
files. What is logged goes to the file `FAULT_LOG_FILE`, where there is one, and not to standard error. Its limits are
found as `limited_program` finds them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from app.engine.contract import Candidates, Embedding, Prompt
from app.exports.files import ExportFile
from app.exports.make import make_file
from app.exports.selection import Selection
from app.protocol.fields import ExportFormat
from app.server import serve
from app.service import exporter
from tests.helpers import limited_program
from tests.helpers.fake_engine import FakeEmbedding, FakeEngine

HANGING = 13
HANGING_FORMAT: Final = "recipe"


class SlowEngine(FakeEngine):
    """Takes its time, like a model; and misbehaves on request."""

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        time.sleep(float(os.environ.get("FAULT_DECODE_S", "0.02")))
        if isinstance(embedding, FakeEmbedding) and embedding.size_hw[1] == HANGING:
            threading.Event().wait()
        return super().decode(embedding, prompts)


def never_ending(kind: ExportFormat, selection: Selection, max_bytes: int) -> ExportFile:
    """Make a file, but for one format."""
    if kind == HANGING_FORMAT:
        threading.Event().wait()
    return make_file(kind, selection, max_bytes)


def log_to_a_file(path: str) -> None:
    """Send what is logged to a file, and what is said at the start where it is awaited."""
    usual = vars(serve)["configure_logging"]

    def configured(level: str, *, as_json: bool = False) -> None:
        with contextlib.redirect_stderr(Path(path).open("a", encoding="utf-8")):
            usual(level, as_json=as_json)

    vars(serve)["configure_logging"] = configured


def run(argv: list[str]) -> int:
    if path := os.environ.get("FAULT_LOG_FILE"):
        log_to_a_file(path)
    vars(exporter)["make_file"] = never_ending
    vars(serve).update(find_weights=lambda *_: None, load_engine=lambda *_, **__: SlowEngine())
    return limited_program.run(argv)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
