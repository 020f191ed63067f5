"""`python -m app bench`: measures a model on every engine and a server around it, prints tables, writes JSON.

What is compared is timed in turns in one run, since timings of a busy machine drift.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Final, get_args

from app.bench.backend import as_json as backend_as_json
from app.bench.backend import backend_table, measure_backend
from app.bench.beside_clips import footprint_table, footprints, hovers_beside, hovers_table
from app.bench.clips import as_json as clips_as_json
from app.bench.clips import clips_table, compare_clips
from app.bench.crowd import crowd_table, crowds, hover_beside_uploads, uploads_table
from app.bench.engines import as_json, compare, table
from app.bench.first import as_json as first_as_json
from app.bench.first import first_table, measure_first
from app.bench.hover import measure
from app.bench.regions import hover_beside_searches
from app.bench.server import ROOT, running_server
from app.bench.starts import as_json as starts_as_json
from app.bench.starts import measure_starts, starts_table
from app.bench.subjects import Subject, random_weights
from app.bench.wire import measure_wire
from app.cli.report import Report
from app.cli.shell import EXIT_NO_MODEL, EXIT_USAGE, above_zero, complain, counted, lacks_folder
from app.engine.openvino.runtime import detect, why_not
from app.errors import FleetError, ModelUnavailableError, UnknownModelError
from app.machine import available_cores, processor
from app.settings import EngineName, Settings
from app.weights.catalogue import Weights
from app.weights.checkpoints import verified_path
from app.weights.manifest import ModelEntry, load_manifest

SAMPLES: Final = ROOT / "static" / "samples"
PARTS: Final = ("engines", "backend", "hover", "first", "wire", "crowd", "uploads", "regions", "start")
PAIRS: Final = 500
"""Hovers through the backend, each beside one without it."""
OVER_SOCKETS: Final = ("hover", "first", "wire", "crowd", "uploads", "regions")
"""Parts that one running server is enough for."""
IN_A_BROWSER: Final = "browser"
"""A part that needs Chromium and Playwright, and so is measured only where it is asked for."""
IN_WORKERS: Final = "fleet"
"""A part that needs Ray, likewise."""
OF_CLIPS: Final = "clips"
"""A part that takes many minutes with a published model, likewise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `bench`."""
    parser.add_argument("--model", default="nano", help="nano, tiny, small, base_plus or large (nano)")
    parser.add_argument("--random", action="store_true", help="random weights of the true architecture: speed alone")
    parser.add_argument("--engine", choices=get_args(EngineName), default="auto", help="engine of the server (auto)")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=(*PARTS, OF_CLIPS, IN_A_BROWSER, IN_WORKERS),
        default=list(PARTS),
        help="what to measure (all but clips, browser and fleet)",
    )
    parser.add_argument("--rounds", type=counted, default=8, help="rounds of an encode and 10 to 20 decodes (8)")
    parser.add_argument("--seconds", type=above_zero, default=10.0, help="length of each stretch of many sessions (10)")
    parser.add_argument("--json", type=Path, help="also write the figures into this file")


def main(args: argparse.Namespace) -> int:
    """Measure and print; return the exit code."""
    if lacks_folder(args.json):
        return EXIT_USAGE
    try:
        measured(args)
    except FleetError as error:
        complain(str(error))
        return EXIT_USAGE
    except (UnknownModelError, ModelUnavailableError) as error:
        complain(str(error))
        return EXIT_NO_MODEL
    return 0


def measured(args: argparse.Namespace) -> None:
    """Measure, print and write.

    Raises:
        UnknownModelError, ModelUnavailableError: there is no such model, or its weights aren't there.
    """
    entry = load_manifest().entry(args.model)
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject(weights_of(entry, Path(folder), random=args.random), Path(folder) / "graphs")
        figures: dict[str, object] = {**machine(), "model": entry.name, "random_weights": args.random}
        show(" · ".join(f"{name} {value}" for name, value in figures.items()))
        if "engines" in args.parts:
            times = compare(subject, args.rounds)
            show(table(times))
            figures["engines"] = as_json(times)
        if OF_CLIPS in args.parts:
            figures[OF_CLIPS] = clips(subject, args)
        engine = subject.engine(args.engine)  # compiled before any server is timed
        if "backend" in args.parts:
            pairs = asyncio.run(measure_backend(engine, subject.settings(args.engine), PAIRS))
            show(backend_table(pairs))
            figures["backend"] = backend_as_json(pairs)
        if {"first", "start"} & set(args.parts):
            first_responder(subject).engine(args.engine)
        if IN_WORKERS in args.parts:
            figures[IN_WORKERS] = in_workers(subject, args.engine, args.seconds)
        if set(OVER_SOCKETS) & set(args.parts):
            figures |= asyncio.run(over_sockets(subject, args))
        if IN_A_BROWSER in args.parts:
            figures[IN_A_BROWSER] = in_a_browser(subject, args.engine)
        if "start" in args.parts:
            empty, sample = Path(folder) / "empty", SAMPLES / "astronaut.jpg"
            found = measure_starts(subject, args.engine, empty, sample, args.rounds)
            show(starts_table(found))
            figures["start"] = starts_as_json(found)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=2) + "\n")


def clips(subject: Subject, args: argparse.Namespace) -> dict[str, object]:
    """Return what following an object takes and costs others, and show it."""
    times = compare_clips(subject, args.rounds)
    show(clips_table(times))
    engine, settings = subject.tracking_engine(args.engine), subject.settings(args.engine)
    hovers = asyncio.run(hovers_beside(engine, settings, args.seconds))
    show(hovers_table(hovers))
    memory = asyncio.run(footprints(engine, settings))
    show(footprint_table(memory))
    beside = {**asdict(hovers), "ratio": hovers.ratio}
    return {"engines": clips_as_json(times), "hovers": beside, "memory": [asdict(each) for each in memory]}


async def over_sockets(subject: Subject, args: argparse.Namespace) -> dict[str, object]:
    """Return what sessions see of a server, and show it."""
    figures: dict[str, object] = {}
    pictures = sorted(SAMPLES.glob("*.jpg"))
    with running_server(subject.options(args.engine), subject.cache_dir) as server:
        if "hover" in args.parts:
            engine = subject.engine(args.engine)
            timings = await measure(server.url, engine, pictures[0].read_bytes(), args.rounds)
            show(timings.table())
            figures["hover"] = timings.as_json()
        if "first" in args.parts and not subject.entry.bundled:
            opened = await measure_first(server.url, pictures[0], args.rounds)
            show(first_table(opened))
            figures["first"] = first_as_json(opened)
        if "wire" in args.parts:
            sizes = await measure_wire(server.url, pictures)
            show(sizes.table())
            figures["wire"] = sizes.as_json()
        if "crowd" in args.parts:
            reports: list[Report] = await crowds(server.url, pictures, args.seconds)
            show(crowd_table(reports))
            figures["crowd"] = [report.as_json() for report in reports]
        if "uploads" in args.parts:
            found = await hover_beside_uploads(server.url, pictures[0], args.seconds)
            show(uploads_table(found))
            figures["uploads"] = {**asdict(found), "ratio": found.ratio}
        if "regions" in args.parts:
            beside = await hover_beside_searches(server.url, pictures)
            show(beside.table())
            figures["regions"] = asdict(beside)
    return figures


def first_responder(subject: Subject) -> Subject:
    """Return the model that answers first, its compiled graphs beside those of another."""
    entry = next(entry for entry in load_manifest().models if entry.bundled)
    return Subject(weights_of(entry, subject.cache_dir, random=False), subject.cache_dir)


def in_a_browser(subject: Subject, engine: str) -> dict[str, object]:
    """Return how long it takes from a pointer's move to a painted mask or outline, how smoothly a view moves; show all.

    Raises:
        RuntimeError: there is no Chromium.
    """
    from app.bench.browser import chromium, measure_browser
    from app.bench.browser import table as browser_table  # Playwright comes with the tests alone
    from app.bench.close_up import close_up_table, measure_close_up
    from app.bench.fluency import fluency_table, measure_fluency
    from app.bench.outlines import measure_outlines, outlines_line

    with running_server(subject.options(engine), subject.cache_dir) as server, chromium() as browser:
        found = measure_browser(browser, server.url)
        show(browser_table(found))
        outlines = measure_outlines(browser, server.url)
        show(outlines_line(outlines))
        fluency = measure_fluency(browser, server.url)
        show(fluency_table(fluency))
        close_up = measure_close_up(browser, server.url)
        show(close_up_table(close_up))
    return {**found, "outlines": outlines, "fluency": fluency, "close_up": close_up}


def in_workers(subject: Subject, engine: str, seconds: float) -> dict[str, object]:
    """Return what workers cost and bring, and show it.

    Raises:
        FleetError: Ray isn't installed.
    """
    from app.bench.fleet import as_json as fleet_as_json
    from app.bench.fleet import fleet_table, measure_fleet  # with Ray, which isn't everywhere
    from app.fleet.entry import check

    check(None, {})
    found = measure_fleet(subject, engine, seconds)
    show(fleet_table(found))
    return fleet_as_json(found)


def weights_of(entry: ModelEntry, folder: Path, *, random: bool) -> Weights:
    """Return the weights to measure: those in place, or random ones written into a folder.

    Raises:
        ModelUnavailableError: the weights aren't there.
    """
    if random:
        return random_weights(entry, folder)
    return Weights(entry, verified_path(entry, Settings().checkpoints_dir), published=False)


def machine() -> dict[str, object]:
    """Return what the figures hold for."""
    import torch

    here: dict[str, object] = {"cpu": str(processor()), "cores": available_cores()}
    if why_not("cpu") is None:
        found = detect(None)
        here |= {"precision": found.precision, "openvino": found.version}
    return here | {"threads": torch.get_num_threads(), "torch": torch.__version__, "python": platform.python_version()}


def show(text: str) -> None:
    """Print a paragraph."""
    print(text, end="\n\n", flush=True)  # noqa: T201
