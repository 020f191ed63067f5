"""`python -m app bench`: starts a server, measures it beside the bare model, prints a table, writes JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from app.bench.hover import measure
from app.bench.server import ROOT, running_server
from app.engine.manifest import ModelEntry, load_manifest
from app.models import Weights, load_engine

if TYPE_CHECKING:
    from app.engine.contract import Engine

SAMPLE = ROOT / "static" / "samples" / "astronaut.jpg"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `bench`."""
    parser.add_argument("--model", default="nano", help="nano, tiny, small, base_plus or large (nano)")
    parser.add_argument("--random", action="store_true", help="random weights of the true architecture: speed alone")
    parser.add_argument("--photo", type=Path, default=SAMPLE, help="the picture to work on")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of 20 hovers and decodes (10)")
    parser.add_argument("--json", type=Path, help="also write the figures into this file")


def main(args: argparse.Namespace) -> int:
    """Measure and print; return the exit code."""
    entry = load_manifest().entry(args.model)
    with tempfile.TemporaryDirectory() as folder:
        path = checkpoint_path(entry, Path(folder), random=args.random)
        engine = load_engine(Weights(entry, path, published=not args.random), "cpu", lambda _: None)
        options = ["--model", entry.name, "--device", "cpu", "--checkpoint", str(path)]
        with running_server(options) as url:
            timings = asyncio.run(measure(url, engine, args.photo.read_bytes(), args.rounds))
    where = machine(engine)
    print(" · ".join(f"{name} {value}" for name, value in where.items()))  # noqa: T201
    print(timings.table())  # noqa: T201
    if args.json:
        args.json.write_text(json.dumps({**where, **timings.as_json()}, indent=2) + "\n")
    return 0


def checkpoint_path(entry: ModelEntry, folder: Path, *, random: bool) -> Path:
    """Return the weights to measure: those in place, or random ones written into a folder.

    Raises:
        ModelUnavailableError: the weights aren't there.
    """
    import torch

    from app.engine.checkpoints import verified_path
    from app.engine.loader import build_model
    from app.settings import Settings

    if not random:
        return verified_path(entry, Settings().checkpoints_dir)
    path = folder / entry.file
    torch.manual_seed(0)
    torch.save({"model": build_model(entry).state_dict()}, path)
    return path


def machine(engine: Engine) -> dict[str, object]:
    """Return what the figures hold for."""
    import torch

    return {
        "model": engine.model,
        "device": engine.device,
        "threads": torch.get_num_threads(),
        "precision": "fp32",
        "cpu": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
