"""`python -m app swarm`: many sessions at once against a running server, and a table of what they saw."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from tqdm import tqdm

from app.cli.shell import EXIT_FAILED, EXIT_USAGE, above_zero, add_url, complain, lacks_folder, run
from app.cli.swarm import Plan, swarm

SAMPLES: Final = Path(__file__).parents[2] / "static" / "samples"
MAX_SESSIONS: Final = 1024
"""Each takes a socket: one process may commonly open about as many."""
EPILOG: Final = """\
Each session opens a picture, moves the pointer over it like a hand, rests, clicks now and then, refines and undoes.
Times are from the moment when a hover or click was due to its answer. A dropped hover is one that a newer one
overtook, as it should when the server is busy. Note that a server takes HOVERSAM_MAX_SESSIONS sessions.

exit codes: 0 served without an error, 1 with errors or lost, 2 no server, or a wrong option
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `swarm`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = "Hover and click in many sessions at once, like people.", EPILOG
    parser.add_argument("pictures", metavar="PICTURE", nargs="*", type=Path, help="what they open, in turn (samples)")
    add_url(parser)
    parser.add_argument("--sessions", type=int, default=16, help="how many (%(default)s)")
    parser.add_argument("--rate", type=above_zero, default=30.0, help="hovers per second of each (%(default)s)")
    parser.add_argument("--duration", type=above_zero, default=10.0, help="seconds of hovering (%(default)s)")
    parser.add_argument("--click-every", type=above_zero, default=3.0, help="seconds between its clicks (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed moves the same way (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures into this file")


def main(args: argparse.Namespace) -> int:
    """Run the swarm, print the table, and return the exit code."""
    pictures = tuple(args.pictures or sorted(SAMPLES.glob("*.jpg")))
    missing = [str(picture) for picture in pictures if not picture.is_file()]
    if missing or not 0 < args.sessions <= MAX_SESSIONS:
        wrong = f"expected 1 to {MAX_SESSIONS} sessions, got {args.sessions}"
        complain(f"there is no picture {missing[0]}" if missing else wrong)
        return EXIT_USAGE
    if lacks_folder(args.json):
        return EXIT_USAGE
    plan = Plan(pictures, args.sessions, args.rate, args.duration, args.click_every, args.seed)
    return run(_measured(args.url, plan, args.json))


async def _measured(url: str, plan: Plan, out: Path | None) -> int:
    with tqdm(total=plan.duration_s, desc="hovering", file=sys.stderr, bar_format="{l_bar}{bar}") as bar:

        def show(seconds: float) -> None:
            bar.update(min(seconds, plan.duration_s) - bar.n)

        report = await swarm(url, plan, show)
    sys.stdout.write(report.table() + "\n")
    if out is not None:
        await asyncio.to_thread(out.write_text, json.dumps(report.as_json(), indent=2) + "\n")
    return 0 if report.clean else EXIT_FAILED
