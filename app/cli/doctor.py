"""`python -m app doctor`: what runs here, what is missing, and what is slow and why. A page of text for a report.

It names no folder, machine, person or address, and of settings only which are set: it can be pasted anywhere. Exit
codes: 0 nothing is in the way, 1 something is, 2 a setting is wrong.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from app import __version__
from app.cli.shell import EXIT_USAGE, complain
from app.cli.weights import state_of
from app.engine.openvino.runtime import detect, why_not
from app.errors import HoverError
from app.machine import Processor, available_cores, memory_bytes, processor
from app.settings import Settings, from_environment, strangers, variable
from app.weights.catalogue import known_models

EXIT_FAULTY: Final = 1
PACKAGES: Final = ("torch", "torchvision", "sam2", "openvino", "litestar", "uvicorn", "websockets", "numpy", "pillow")
"""Those whose versions decide what works and how fast."""
OPTIONAL: Final = "openvino"
"""Not made for every processor; without it torch answers."""
FEW_CORES: Final = 4
"""With fewer, an encode and a decode side by side have less than two each."""
LITTLE_MEMORY_BYTES: Final = 4 * 2**30
"""The largest model alone takes a quarter of it."""
LITTLE_DISK_BYTES: Final = 2 * 2**30
"""The largest weights are 0.9 GB, and their compiled form takes room beside them."""
GIB: Final = 2**30
TOKENS: Final = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""Where Ray looks for the token of a cluster."""
LOOK_S: Final = 2.0
"""So long the head of a cluster has for taking a connection."""


@dataclass(frozen=True)
class Facts:
    """What was found.

    Attributes:
        versions: of the packages, None where one is missing.
        processor: the kind of CPU.
        cores: those that the program may use.
        memory: bytes; None where the system doesn't tell.
        device: what torch would run on, such as cpu or cuda.
        precision: of OpenVINO; None where torch runs the models.
        obstacle: why OpenVINO doesn't run, or an empty text.
        models: the state of each model, by name.
        compiled: bytes of each compiled model that is kept, by its name and precision.
        free: bytes of disk beside the weights, beside the caches, and in the folder that servers share.
        unshared: why the folder that servers share can't be used, an empty text where it can or none is set.
        ray: the version of Ray, which workers run on; None where it isn't installed.
        unreached: why the cluster of the settings can't be joined, an empty text where it may or none is set.
        chosen: settings that are set, by variable.
        unknown: variables that look like settings and are none.
        settings: what they say.
    """

    versions: Mapping[str, str | None]
    processor: Processor
    cores: int
    memory: int | None
    device: str
    precision: str | None
    obstacle: str
    models: Mapping[str, str]
    compiled: Mapping[str, int]
    free: Mapping[str, int]
    unshared: str
    ray: str | None
    unreached: str
    chosen: tuple[str, ...]
    unknown: tuple[str, ...]
    settings: Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Doctor takes no options; the settings are those of `serve`."""
    parser.description = "Say what runs here, what is missing, and what is slow and why; without private data."


def main(_: argparse.Namespace) -> int:
    """Print the page; return the exit code."""
    try:
        settings = from_environment(os.environ)
    except ValueError as error:
        complain(error)
        return EXIT_USAGE
    facts = gathered(settings, os.environ)
    print(page(facts), flush=True)  # noqa: T201
    return EXIT_FAULTY if faults(facts) else 0


def page(facts: Facts) -> str:
    """Return the facts as text, with what is wrong and what is slow at the end."""
    versions = ", ".join(f"{name} {found or 'missing'}" for name, found in facts.versions.items())
    memory = "unknown" if facts.memory is None else f"{facts.memory / GIB:.1f} GiB"
    compiled = ", ".join(f"{name} ({size / 2**20:.0f} MiB)" for name, size in facts.compiled.items())
    rows = [
        (
            "program",
            f"HoverSAM {__version__}, Python {platform.python_version()}, {platform.system()} on {platform.machine()}",
        ),
        ("packages", versions),
        ("processor", f"{facts.processor}, {facts.cores} cores"),
        ("memory", memory),
        ("device", facts.device),
        ("engine", f"OpenVINO in {facts.precision}" if facts.precision else f"torch: {facts.obstacle}"),
        *(("model", f"{name}: {state}") for name, state in facts.models.items()),
        ("compiled", compiled or "nothing yet"),
        ("free disk", ", ".join(f"{size / GIB:.1f} GiB beside the {name}" for name, size in facts.free.items())),
        ("workers", workers_of(facts)),
        ("set", ", ".join(facts.chosen) or "nothing"),
    ]
    lines = [f"{name:<10} {value}" for name, value in rows]
    parts = [("in the way", faults(facts)), ("slow here", slow(facts))]
    for title, found in parts:
        lines += ["", f"{title}: {'nothing' if not found else ''}".rstrip(), *(f"- {each}" for each in found)]
    return "\n".join(lines)


def faults(facts: Facts) -> list[str]:
    """Return what keeps the server from running as it is set, each with its cure."""
    found = [
        f"{name} is missing: run ./start.sh install"
        for name, installed in facts.versions.items()
        if installed is None and name != OPTIONAL
    ]
    found += [f"{name} is no setting, and without effect: unset it, or look for its name" for name in facts.unknown]
    wanted = facts.settings.model
    if wanted is not None and wanted not in facts.models:
        found.append("HOVERSAM_MODEL names no model that there is: run `python -m app weights list`")
    elif (
        wanted is not None
        and facts.settings.offline
        and facts.settings.checkpoint is None
        and not is_here(facts, wanted)
    ):
        found.append(f"{wanted} is asked for, is not here and may not be fetched: unset HOVERSAM_OFFLINE, or import it")
    found += [
        f"a file of {name} is not the published one: run `python -m app weights verify {name}`"
        for name, state in facts.models.items()
        if state.startswith("another file")
    ]
    if facts.settings.engine == "openvino" and facts.precision is None:
        found.append(f"OpenVINO is asked for and can't run: {facts.obstacle}")
    if facts.unshared:
        found.append(f"HOVERSAM_SHARED_DIR can't be used: {facts.unshared}; name a folder that this user may write to")
    return [*found, *fleet_faults(facts)]


def fleet_faults(facts: Facts) -> list[str]:
    """Return what keeps models from running in workers, where they are asked for."""
    found = []
    if wants_workers(facts.settings) and facts.ray is None:
        found.append("workers are asked for and Ray is missing: run ./start.sh --workers N, which installs it")
    if facts.unreached:
        found.append(f"the workers of HOVERSAM_RAY_ADDRESS can't be joined: {facts.unreached}")
    return found


def wants_workers(settings: Settings) -> bool:
    """Return whether models are to run in other processes than the server's own."""
    return settings.workers is not None or settings.ray_address is not None


def workers_of(facts: Facts) -> str:
    """Return where models run, in words."""
    if not wants_workers(facts.settings):
        return "none: models run in the server's own process"
    where = "on this machine" if facts.settings.ray_address is None else "in a cluster"
    return f"{facts.settings.workers or 'those that are there'} {where}, Ray {facts.ray or 'missing'}"


def is_here(facts: Facts, model: str) -> bool:
    """Return whether a model's weights are here."""
    return facts.models[model] in ("here", "comes with the program")


def slow(facts: Facts) -> list[str]:
    """Return what makes this machine slower than another, and what would help."""
    found = []
    on_cpu = facts.device == "cpu"
    if on_cpu and facts.precision is None:
        found.append(f"models run on torch, at a third of OpenVINO's speed or less: {facts.obstacle}")
    if on_cpu and facts.precision == "fp32":
        why = "it was asked for" if facts.settings.precision else "the processor doesn't compute in bf16"
        found.append(f"OpenVINO computes in fp32, since {why}: a picture takes nearly twice as long as in bf16")
    if on_cpu and facts.processor.abilities is not None and not {"AVX2", "NEON"} & set(facts.processor.abilities):
        found.append("the processor has no AVX2: everything takes several times as long")
    if on_cpu and facts.cores < FEW_CORES:
        found.append(
            f"there are {facts.cores} cores: hovers take two to three times as long beside a picture's encoding"
        )
    if facts.settings.ray_address is None and (facts.settings.workers or 0) > facts.cores:
        found.append(f"{facts.settings.workers} workers share {facts.cores} cores: as many as cores do more")
    if facts.memory is not None and facts.memory < LITTLE_MEMORY_BYTES:
        found.append(
            f"there are {facts.memory / GIB:.1f} GiB of memory: few pictures stay encoded, and large models don't fit"
        )
    if facts.precision is not None and not facts.compiled:
        found.append("no model is compiled yet: the first start serves on torch until that is done, some minutes")
    found += [
        f"there is little room on the disk beside the {name}: a model or its compiled form may not fit"
        for name, size in facts.free.items()
        if size < LITTLE_DISK_BYTES
    ]
    return found


# --- Finding it out ------------------------------------------------------------------------------------


def gathered(settings: Settings, environ: Mapping[str, str]) -> Facts:
    """Look at this machine."""
    variables = [variable(name) for name in Settings.__struct_fields__]
    device, obstacle = device_of(settings)
    precision = None
    if not obstacle:
        precision, obstacle = precision_of(settings)
    return Facts(
        versions={name: version_of(name) for name in PACKAGES},
        processor=processor(),
        cores=available_cores(),
        memory=memory_bytes(),
        device=device,
        precision=precision,
        obstacle=obstacle,
        models={entry.name: state_of(entry, settings.checkpoints_dir) for entry in known_models(settings).models},
        compiled=compiled_in(settings.graphs_dir),
        free={name: free_bytes(folder) for name, folder in folders_of(settings).items()},
        ray=version_of("ray"),
        unreached="" if settings.ray_address is None else why_not_joined(settings.ray_address, environ),
        unshared="" if settings.shared_dir is None else why_not_written(settings.shared_dir),
        chosen=tuple(name for name in variables if environ.get(name)),
        unknown=strangers(environ),
        settings=settings,
    )


def version_of(package: str) -> str | None:
    """Return the version of a package that is installed, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def device_of(settings: Settings) -> tuple[str, str]:
    """Return what torch would run on, and why OpenVINO doesn't, an empty text where it may."""
    try:
        from app.engine.device import pick_device  # torch takes seconds to import

        device = pick_device(settings.device).name
    except (ImportError, OSError, ValueError) as error:
        return "none", f"torch can't be used ({type(error).__name__})"
    if settings.engine == "torch":
        return device, "it was asked for"
    return device, why_not(device) or ""


def precision_of(settings: Settings) -> tuple[str | None, str]:
    """Return OpenVINO's precision here, or None and why it can't be used."""
    try:
        return detect(settings.precision).precision, ""
    except HoverError as error:
        return None, without_paths(error.message)


def without_paths(text: str) -> str:
    """Return a text without paths, which tell who somebody is; a library that can't be loaded is named by one."""
    return re.sub(r"(?<![\w.])(?:/|[A-Za-z]:\\)[^\s'\"():,;]+", "(a file)", text)


def compiled_in(folder: Path) -> dict[str, int]:
    """Return the size of each compiled model in a folder, by its model and precision."""
    sizes: dict[str, int] = {}
    for kept in sorted(folder.glob("*-*-*")) if folder.is_dir() else []:
        name = " ".join(kept.name.split("-")[:2])
        sizes[name] = sizes.get(name, 0) + sum(file.stat().st_size for file in kept.rglob("*") if file.is_file())
    return sizes


def why_not_joined(address: str, environ: Mapping[str, str]) -> str:
    """Return why a cluster can't be joined, or an empty text where nothing speaks against it; names no address."""
    if not any(environ.get(name) for name in TOKENS):
        return f"its token is missing; set {' or '.join(TOKENS)} as on its other nodes"
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), LOOK_S):
            return ""
    except OSError as error:
        return (
            f"nobody answers there ({error.strerror or type(error).__name__}); start its head, or correct the address"
        )


def folders_of(settings: Settings) -> dict[str, Path]:
    """Return the folders that a server writes to, by what a person calls them."""
    own = {"weights": settings.checkpoints_dir, "caches": settings.graphs_dir}
    return own if settings.shared_dir is None else {**own, "shared pictures": settings.shared_dir}


def why_not_written(folder: Path) -> str:
    """Return why nothing could be written into a folder, or an empty text; one that isn't there would be made."""
    there = next(each for each in [folder.absolute(), *folder.absolute().parents] if each.exists())
    if not there.is_dir():
        return "a file is in its place"
    return "" if os.access(there, os.W_OK | os.X_OK) else "this user may not write there"


def free_bytes(folder: Path) -> int:
    """Return the room on the disk of a folder, or of the one that it would be made in."""
    there = next((each for each in [folder, *folder.parents] if each.is_dir()), Path(sys.prefix))
    return shutil.disk_usage(there).free
