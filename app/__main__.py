"""`python -m app`: one command for everything."""

from __future__ import annotations

import argparse
import errno
import io
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from app import __version__

EPILOG = """\
COMMAND --help tells more of each.

exit codes: 0 done, 1 failed, 2 wrong use, an address in use or no server, 3 no usable model or device
"""


COMMANDS: Final = {
    "serve": ("app.server.serve", "serve the page, the socket and the API"),
    "weights": ("app.cli.weights", "list, fetch, verify or import models"),
    "segment": ("app.cli.segment", "segment a picture here and now, without a server"),
    "script": ("app.cli.script", "replay a recorded session against a server"),
    "swarm": ("app.cli.swarm_command", "many sessions at once, hovering and clicking like people"),
    "demo": ("app.cli.demo", "hover and click on a photo of yours, without a browser"),
    "doctor": ("app.cli.doctor", "what runs here, what is missing, what is slow and why"),
    "bench": ("app.bench.command", "measure this machine: encode, decode, hover, click"),
    "nano": ("app.nano.command", "train and judge the bundled demonstration model"),
}
"""The module and the summary of each command. Only the one that is given is imported: all take a second together."""


class Command(Protocol):
    """What the module of a command has."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its options."""
        ...

    def main(self, args: argparse.Namespace) -> int:
        """Run it; return the exit code."""
        ...


def main(argv: list[str] | None = None) -> int:
    """Run a command; return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Point at anything and its mask lights up.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"HoverSAM {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {name: commands.add_parser(name, help=summary) for name, (_, summary) in COMMANDS.items()}
    given = next((word for word in words if not word.startswith("-")), None)  # no option before it takes a word
    if given in parsers:
        command_of(given).add_arguments(parsers[given])
    try:
        args = parser.parse_args(words)
    except SystemExit as leaving:
        if leaving.code:
            for name in taken_for_options(words):
                print(f"{name} is taken for an option; a file of that name is written ./{name}", file=sys.stderr)
        raise
    if isinstance(sys.stdout, io.TextIOWrapper):  # a file's name may be no text, or one that a console can't show
        sys.stdout.reconfigure(errors="backslashreplace")
    return command_of(args.command).main(args)


def taken_for_options(words: list[str]) -> list[str]:
    """Return the files among some words whose names begin as options do, up to `--`, behind which there are none."""
    options = words[: words.index("--")] if "--" in words else words
    return [word for word in options if word.startswith("-") and Path(word).is_file()]


def command_of(name: str) -> Command:
    """Return the module of a command, imported now."""
    module, _ = COMMANDS[name]
    return cast("Command", import_module(module))


def ended(command: Callable[[], int]) -> int | str | None:
    """Run a command to its end; return what the process ends with.

    Where nobody reads on what it prints, as `head` does, it ends as other programs do, without a word.
    """
    try:
        try:
            code: int | str | None = command()
        except SystemExit as leaving:
            code = leaving.code
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        sys.stdout = io.StringIO()  # or Python's own end would try again
        if error.errno == errno.EPIPE:
            return 128 + signal.SIGPIPE
        return f"error: what was to be printed or written has no room ({error.strerror})"


if __name__ == "__main__":
    sys.exit(ended(main))
