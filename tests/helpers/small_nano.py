"""`python -m app nano` with two stages of one step each, and weights that go into a folder: FOLDER COMMAND ..."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from app.nano import command, recipe
from app.nano.batches import Plan
from app.nano.train import Stage


def run(folder: Path, words: list[str]) -> int:
    first, last = (Stage(Plan(size, 1, 2), steps=1, rate_first=1e-4, rate_last=1e-4) for size in (64, 96))
    vars(recipe).update(STAGES=(first,), LAST_STAGES=(last,))
    vars(command).update(CHECKPOINTS=folder)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.main(parser.parse_args(words))


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
