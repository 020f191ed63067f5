"""`python -m app script`: replay a session that was recorded or written by hand, against a running server."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.cli.figures import spread_of, table_of
from app.cli.player import Outcome, play
from app.cli.script_line import ScriptError, ScriptLine, read_script
from app.cli.shell import EXIT_FAILED, EXIT_USAGE, add_url, complain, run
from app.client import connect

MAX_SCRIPT_BYTES: Final = 256 * 2**20
"""A recording of a day is far smaller; what is larger is another file, given by mistake, and would fill the memory."""
EPILOG: Final = """\
FILE has one message of the protocol a line, as JSON without seq:

  {"t": "open", "picture": "cat.jpg"}
  {"t": "hover", "x": 320, "y": 200}
  {"t": "click", "x": 320, "y": 200, "as": "cat"}
  {"t": "click", "x": 80, "y": 40, "label": 0, "object": "cat"}
  {"t": "export", "format": "coco", "out": "cat.json"}

"at" holds a line back until so many seconds after the beginning, "as" names a new object for later lines, "out" is
where an export goes; # begins a comment. Paths begin at FILE's folder. A client writes such a file: connect(url,
record="session.jsonl").

exit codes: 0 every line was answered, 1 a line failed or the connection was lost, 2 no server, or FILE can't be read
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `script`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = "Replay a session against a server and print what it answers.", EPILOG
    parser.add_argument("file", metavar="FILE", type=Path, help="the script, JSON Lines; - reads standard input")
    add_url(parser)
    parser.add_argument("--fast", action="store_true", help="do not wait for the times in the script")
    parser.add_argument("--keep-going", action="store_true", help="go on after a line that failed")
    parser.add_argument("--json", action="store_true", help="print JSON Lines in place of a table")


def main(args: argparse.Namespace) -> int:
    """Replay and print; return the exit code."""
    try:
        steps = read_script(read_lines(args.file))
    except (ScriptError, OSError, UnicodeDecodeError) as error:
        complain(error if isinstance(error, OSError) else f"{args.file}: {error}")
        return EXIT_USAGE
    folder = Path() if str(args.file) == "-" else args.file.parent
    return run(replay(args.url, steps, folder, fast=args.fast, keep_going=args.keep_going, as_json=args.json))


def read_lines(file: Path) -> Sequence[str]:
    """Return the lines of a script.

    Raises:
        OSError, UnicodeDecodeError: it can't be read.
        ScriptError: it is too long.
    """
    if str(file) == "-":
        return sys.stdin.read(MAX_SCRIPT_BYTES).splitlines()
    if file.stat().st_size > MAX_SCRIPT_BYTES:
        raise ScriptError(f"expected a script of at most {MAX_SCRIPT_BYTES} bytes, got {file.stat().st_size}")
    return file.read_text(encoding="utf-8").splitlines()


async def replay(
    url: str, steps: Sequence[ScriptLine], folder: Path, *, fast: bool, keep_going: bool, as_json: bool
) -> int:
    """Play the steps, print each outcome as it comes, and return the exit code; raises as `connect`."""
    outcomes: list[Outcome] = []
    async with connect(url) as session:
        async for outcome in play(session, steps, folder, paced=not fast):
            outcomes.append(outcome)
            sys.stdout.write((json.dumps(outcome.as_json()) if as_json else outcome.line) + "\n")
            if outcome.code is not None and not keep_going:
                break
    if not as_json:
        sys.stdout.write(summary(outcomes, len(steps)) + "\n")
    return EXIT_FAILED if any(outcome.code for outcome in outcomes) else 0


def summary(outcomes: Sequence[Outcome], steps: int) -> str:
    """Return how long each kind of message took, and how many lines were answered."""
    kinds = sorted({outcome.step.fields["t"] for outcome in outcomes})
    good = [outcome for outcome in outcomes if outcome.code is None]
    rows = [["", "answered", "p50", "p95", "p99", "max"]]
    rows += [[kind, *spread_of([each.ms for each in good if each.step.fields["t"] == kind]).row()] for kind in kinds]
    return f"\n{table_of(rows)}\n{len(good)} of {steps} lines were answered"
