"""`python -m app weights`: which models are here, and getting them here.

Exit codes: 0 done, 2 a wrong option or setting, 3 a model is unknown, missing, damaged or can't be fetched.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from app.cli.shell import EXIT_INTERRUPTED, EXIT_NO_MODEL, EXIT_USAGE
from app.errors import HoverError, ModelUnavailableError
from app.settings import Settings, from_environment
from app.weights.catalogue import fetch_with_bar, known_models, progress_bar
from app.weights.checkpoints import candidate_paths, locate, verify
from app.weights.download import part_path, size_of
from app.weights.importing import adopt, recognised
from app.weights.manifest import Manifest, ModelEntry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `weights`; HOVERSAM_CHECKPOINTS_DIR names the folder, HOVERSAM_WEIGHTS_MIRRORS mirrors."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="show all models and which of them are here")
    fetch = actions.add_parser("fetch", help="download models; goes on where an earlier download stopped")
    fetch.add_argument("names", nargs="+", metavar="NAME", help="tiny, small, base_plus, large, or all")
    verify = actions.add_parser("verify", help="hash models that are here and compare with what was published")
    verify.add_argument("names", nargs="*", metavar="NAME", help="default: all that are here")
    adopt = actions.add_parser(
        "import",
        help="take a published checkpoint from a file",
        epilog="Weights of your own need no import: serve --model NAME --checkpoint FILE",
    )
    adopt.add_argument("file", type=Path, metavar="FILE", help="a checkpoint that was downloaded by other means")
    adopt.add_argument("--as", dest="name", metavar="NAME", help="the model that it has to be; default: by its size")


def main(args: argparse.Namespace) -> int:
    """Do what is asked for; return the exit code."""
    try:
        settings = from_environment(os.environ)
    except ValueError as error:
        return failed(error, EXIT_USAGE)
    try:
        manifest = known_models(settings)
        if args.action == "list":
            show(listing(manifest, settings.checkpoints_dir))
        elif args.action == "fetch":
            fetch_models(manifest, settings, args.names)
        elif args.action == "verify":
            return verify_models(manifest, settings.checkpoints_dir, args.names)
        else:
            import_file(manifest, settings.checkpoints_dir, args.file, args.name)
    except HoverError as error:
        return failed(error, EXIT_NO_MODEL)
    except KeyboardInterrupt:
        return failed("stopped; what came is kept, and the next fetch goes on from there", EXIT_INTERRUPTED)
    return 0


def listing(manifest: Manifest, directory: Path) -> str:
    """Return all models as a table: what they are, how large, and whether they are here."""
    rows = [("model", "parameters", "size", "licence", "state")]
    for entry in manifest.models:
        size, params = f"{entry.bytes / 1e6:.0f} MB", f"{entry.params_m:g} M"
        rows.append((entry.name, params, size, entry.licence, state_of(entry, directory)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, f"folder: {directory}"])


def state_of(entry: ModelEntry, directory: Path) -> str:
    """Return in a few words whether a model is here; only its size is looked at."""
    if locate(entry, directory):
        return "comes with the program" if entry.bundled else "here"
    path = directory / entry.file
    if path.exists():
        return f"another file of that name ({path.stat().st_size} bytes)"
    came = size_of(part_path(path))
    return f"{100 * came // entry.bytes} % fetched" if came else "not here"


def fetch_models(manifest: Manifest, settings: Settings, names: list[str]) -> None:
    """Fetch models one after the other, a progress bar for each.

    Raises:
        UnknownModelError, ModelUnavailableError: the first that couldn't be had; those before it are here.
    """
    if settings.offline:
        raise ModelUnavailableError("HOVERSAM_OFFLINE is set; unset it to fetch, or import a file")
    wanted = manifest.models if "all" in names else [manifest.entry(name) for name in names]
    for entry in wanted:
        if not entry.bundled:
            fetch_with_bar(entry, settings.checkpoints_dir)
        show(f"{entry.name}: {locate(entry, settings.checkpoints_dir)}")


def verify_models(manifest: Manifest, directory: Path, names: list[str]) -> int:
    """Hash models and say of each whether it is the published one; return the exit code.

    Raises:
        UnknownModelError: there is none of this name.
    """
    entries = [manifest.entry(name) for name in names] if names else manifest.models
    code = 0
    for entry in entries:
        path = next((path for path in candidate_paths(entry, directory) if path.is_file()), None)
        if path is None:
            if names:
                code = failed(f"{entry.name} is not in {directory}", EXIT_NO_MODEL)
            continue
        try:
            verify(entry, path)
            show(f"{entry.name}: {path} is as published")
        except ModelUnavailableError as error:
            code = failed(error, EXIT_NO_MODEL)
    return code


def import_file(manifest: Manifest, directory: Path, file: Path, name: str | None) -> None:
    """Copy a checkpoint under its own name into the folder.

    Raises:
        UnknownModelError, ModelUnavailableError: it isn't a published one; the text says what it is.
    """
    entry = recognised(manifest, file) if name is None else manifest.entry(name)
    with progress_bar(entry) as progress:
        path = adopt(entry, file, directory, progress=progress)
    show(f"{entry.name}: {path}")


def failed(error: object, code: int) -> int:
    """Say what went wrong; return the exit code."""
    print(f"hoversam: error: {error}", file=sys.stderr, flush=True)  # noqa: T201
    return code


def show(text: str) -> None:
    """Give the result of a command to whoever reads its output."""
    print(text, flush=True)  # noqa: T201
