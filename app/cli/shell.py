"""What the commands have in common: exit codes, and one line to standard error where something is wrong."""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from app.client.dial import checked_url
from app.errors import HoverError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_NO_MODEL: Final = 3
EXIT_INTERRUPTED: Final = 130
DEFAULT_URL: Final = "http://127.0.0.1:8000"


def add_url(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the server; what is no address of the web is wrong use."""
    parser.add_argument("--url", type=url_of, default=DEFAULT_URL, help="the server's address (%(default)s)")


def url_of(text: str) -> str:
    """Return a server's address from the command line."""
    try:
        return checked_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def above_zero(text: str) -> float:
    """Return a finite number above 0 from the command line."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return number


def counted(text: str) -> int:
    """Return a whole number from 1 on from the command line."""
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return number


def complain(what: str | Exception) -> None:
    """Tell what went wrong."""
    sys.stderr.write(f"error: {what if isinstance(what, str) else reason_of(what)}\n")


def reason_of(error: Exception) -> str:
    """Return what an error says; of a file its name and what is wrong with it, without the system's number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def lacks_folder(figures: Path | None) -> bool:
    """Return whether a file that figures should go into has no folder, and tell so, before anything is measured."""
    lacks = figures is not None and not figures.parent.is_dir()
    if figures is not None and lacks:
        complain(f"there is no folder {figures.parent} to write the figures into")
    return lacks


def run(work: Coroutine[Any, Any, int]) -> int:
    """Run a command against a server and return its exit code: its own, or that of what it raised."""
    try:
        return asyncio.run(work)
    except ConnectionRefusedError as error:
        complain(f"{error}: start one with ./start.sh, or name another with --url")
        return EXIT_USAGE
    except (HoverError, OSError, ValueError) as error:
        complain(error)
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
