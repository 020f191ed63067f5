"""The program itself within limits of a test's own: `python -m tests.helpers.limited_program serve --port N`."""

from __future__ import annotations

import argparse
import sys

from app.server import serve
from tests.helpers import limits


def run(argv: list[str]) -> int:
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    return serve.main(parser.parse_args(argv[1:]), limits.of_environment())  # without what other commands import


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
