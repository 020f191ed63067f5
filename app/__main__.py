"""`python -m app`: one command for everything."""

from __future__ import annotations

import argparse
import io
import signal
import sys

from app import __version__

EPILOG = """\
COMMAND --help tells more of each.

exit codes: 0 done, 1 failed, 2 wrong use, an address in use or no server, 3 no usable model or device
"""


def main(argv: list[str] | None = None) -> int:
    """Run a command; return its exit code."""
    from app.bench import command as bench
    from app.cli import demo, doctor, script, segment, weights
    from app.cli import swarm_command as swarm
    from app.nano import command as nano
    from app.server import serve

    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Point at anything and its mask lights up.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"HoverSAM {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve.add_arguments(commands.add_parser("serve", help="serve the page, the socket and the API"))
    weights.add_arguments(commands.add_parser("weights", help="list, fetch, verify or import models"))
    segment.add_arguments(commands.add_parser("segment", help="segment a picture here and now, without a server"))
    script.add_arguments(commands.add_parser("script", help="replay a recorded session against a server"))
    swarm.add_arguments(commands.add_parser("swarm", help="many sessions at once, hovering and clicking like people"))
    demo.add_arguments(commands.add_parser("demo", help="hover and click on a photo of yours, without a browser"))
    doctor.add_arguments(commands.add_parser("doctor", help="what runs here, what is missing, what is slow and why"))
    bench.add_arguments(commands.add_parser("bench", help="measure this machine: encode, decode, hover, click"))
    nano.add_arguments(commands.add_parser("nano", help="train and judge the bundled demonstration model"))
    args = parser.parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may be no text, or one that a console can't show
        sys.stdout.reconfigure(errors="backslashreplace")
    runs = {
        "serve": serve.main,
        "weights": weights.main,
        "segment": segment.main,
        "script": script.main,
        "swarm": swarm.main,
        "demo": demo.main,
        "doctor": doctor.main,
        "bench": bench.main,
        "nano": nano.main,
    }
    return runs[args.command](args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
