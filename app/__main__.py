"""`python -m app`: one command for everything."""

from __future__ import annotations

import argparse
import sys

from app import __version__


def main(argv: list[str] | None = None) -> int:
    """Run a command; return its exit code."""
    from app import serve
    from app.bench import command as bench
    from app.client import demo
    from app.nano import command as nano

    parser = argparse.ArgumentParser(prog="python -m app", description="Point at anything and its mask lights up.")
    parser.add_argument("--version", action="version", version=f"HoverSAM {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve.add_arguments(commands.add_parser("serve", help="serve the page, the socket and the API"))
    demo.add_arguments(commands.add_parser("demo", help="hover and click on a photo of yours, without a browser"))
    bench.add_arguments(commands.add_parser("bench", help="measure this machine: encode, decode, hover, click"))
    nano.add_arguments(commands.add_parser("nano", help="train and judge the bundled demonstration model"))
    args = parser.parse_args(argv)
    runs = {"serve": serve.main, "demo": demo.main, "bench": bench.main, "nano": nano.main}
    return runs[args.command](args)


if __name__ == "__main__":
    sys.exit(main())
