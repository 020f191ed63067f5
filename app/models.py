"""Which model runs and how it gets here: found, fetched or bundled; at the start and while the server runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from tqdm import tqdm

from app.engine.checkpoints import choose_model, file_sha256, locate, may_fetch, verified_path
from app.engine.contract import Engine
from app.engine.download import DownloadError, Progress, fetch
from app.engine.look import within_reach
from app.engine.manifest import Manifest, ModelEntry, load_manifest
from app.engine.runtime import Runtime, available_cores, detect, why_not
from app.errors import ModelUnavailableError
from app.settings import Settings

BYTES_PER_WEIGHT = 4
Say = Callable[[str], None]
Fetch = Callable[[ModelEntry, Path], object]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Weights:
    """A model and the file of its weights. `published` is False for a file of the user's own."""

    entry: ModelEntry
    path: Path
    published: bool


Load = Callable[[Weights, Settings, Say], Engine]
"""`load_engine`, or what a test has in its place."""


def known_models(settings: Settings) -> Manifest:
    """Return all models, each with the addresses that the settings add; those are tried first.

    Raises:
        ModelUnavailableError: the program's own list is damaged.
    """
    return Manifest(tuple(with_mirrors(entry, settings.weights_mirrors) for entry in load_manifest().models))


def with_mirrors(entry: ModelEntry, mirrors: tuple[str, ...]) -> ModelEntry:
    """Return a model that is fetched from mirrors too; a bundled one is never fetched."""
    if entry.bundled:
        return entry
    urls = tuple(f"{mirror.rstrip('/')}/{entry.file}" for mirror in mirrors)
    return msgspec.structs.replace(entry, urls=urls + entry.urls)


def find_weights(settings: Settings, manifest: Manifest, say: Say) -> Weights:
    """Return the weights to start with, fetched if need be and allowed.

    Raises:
        UnknownModelError, ModelUnavailableError: the text names the cure.
    """
    if settings.checkpoint is not None:
        return own_weights(settings.checkpoint, settings.model, manifest, say)
    directory = settings.checkpoints_dir
    entry = choose_model(manifest, directory, settings.model, can_fetch=not settings.offline)

    def fetching(entry: ModelEntry, directory: Path) -> None:
        if settings.model is None:  # nobody asked for it, so nobody waits for it
            entry = within_reach(entry, settings.looks_file)
        say(f"fetching {entry.name} ({entry.bytes / 1e6:.0f} MB)")
        fetch_with_bar(entry, directory)

    try:
        weights = published_weights(entry, settings, fetching)
    except ModelUnavailableError as error:
        if settings.model is not None or locate(entry, directory):
            raise
        say(f"{entry.name} can't be run: {error.message}")
        entry = choose_model(manifest, directory, None, can_fetch=False)
        weights = published_weights(entry, settings, fetching)
    if entry.bundled:
        say("running nano, the small demonstration model that comes with HoverSAM; for real work use --model tiny")
    return weights


def published_weights(entry: ModelEntry, settings: Settings, fetching: Fetch) -> Weights:
    """Return a model's weights, checked; fetched where no file of their name is there and the settings allow it.

    A file that is there is never replaced: it may be somebody's own.

    Raises:
        ModelUnavailableError: the file is missing, cut short or altered; the text names the cure.
    """
    if may_fetch(entry, settings.checkpoints_dir, offline=settings.offline):
        fetching(entry, settings.checkpoints_dir)
    return Weights(
        entry, verified_path(entry, settings.checkpoints_dir, cache_file=settings.hashes_file), published=True
    )


def own_weights(path: Path, model: str | None, manifest: Manifest, say: Say) -> Weights:
    """Return a file of the user's own, of the architecture of `model`.

    Raises:
        ModelUnavailableError: no model was named, or the file isn't there.
    """
    if model is None:
        names = ", ".join(entry.name for entry in manifest.models)
        raise ModelUnavailableError(f"--checkpoint needs --model with the file's architecture: one of {names}")
    if not path.is_file():
        raise ModelUnavailableError(f"there is no file {path}; name an existing checkpoint")
    say(f"{path.name} is not the published {model} checkpoint; it runs as one, its hash unchecked")
    return Weights(manifest.entry(model), path, published=False)


def fetch_with_bar(entry: ModelEntry, directory: Path) -> Path:
    """Fetch a model's weights, a progress bar on standard error."""
    with progress_bar(entry) as progress:
        return fetch(entry, directory, progress=progress)


@contextmanager
def progress_bar(entry: ModelEntry) -> Iterator[Progress]:
    """Give what is to be told how much of a checkpoint is here; a bar on standard error shows it."""
    with tqdm(total=entry.bytes, unit="B", unit_scale=True, desc=entry.name, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def load_engine(weights: Weights, settings: Settings, say: Say, *, convert: bool = True) -> Engine:
    """Return the model on its device: in compiled form where that runs, else on torch.

    Args:
        weights: the model.
        settings: the device and engine to use, and where compiled models are kept.
        say: told what is loaded.
        convert: begin to compile the model where that wasn't done yet; False is for a program that soon ends.

    Raises:
        ModelUnavailableError: the file isn't of this model, or is damaged; or the engine that was asked for can't run.
        ValueError: the device is unknown or not there.
    """
    from app.engine.device import pick_device  # torch takes seconds to import
    from app.engine.sam2_torch import load_torch_engine

    choice = pick_device(settings.device)
    runtime = compiled_runtime(choice.name, settings, say)
    if runtime is None:
        say(f"loading {weights.entry.name} on {choice.name} ({choice.reason})")
        return load_torch_engine(weights.entry, weights.path, choice.name)
    return load_compiled(weights, settings, runtime, say, convert=convert)


def compiled_runtime(device: str, settings: Settings, say: Say) -> Runtime | None:
    """Return what compiled graphs run on, or None where torch runs the model.

    Args:
        device: where the model goes.
        settings: the engine and the precision to use.
        say: told why OpenVINO isn't used though it is there.

    Raises:
        ModelUnavailableError: OpenVINO, or its precision, was asked for and can't be had; the text names the cure.
    """
    if settings.engine == "torch":
        return None
    if obstacle := why_not(device):
        if settings.engine == "openvino":
            raise ModelUnavailableError(f"OpenVINO can't be used: {obstacle}; or use --engine torch")
        return None
    try:
        return detect(settings.precision)
    except ModelUnavailableError as error:
        if settings.engine == "openvino" or settings.precision is not None:
            raise
        say(error.message)
        return None


def load_compiled(weights: Weights, settings: Settings, runtime: Runtime, say: Say, *, convert: bool) -> Engine:
    """Return the model in compiled form, or on torch until a conversion that begins now has made it.

    Raises:
        ModelUnavailableError: the file isn't of this model, or is damaged.
    """
    from app.engine.graph_store import GraphKey, GraphStore, check_seal
    from app.engine.openvino_cpu import OpenVinoEngine
    from app.engine.sam2_torch import load_torch_engine
    from app.engine.upgrade import Conversion, UpgradingEngine

    name = weights.entry.name
    sha256 = weights.entry.sha256 if weights.published else file_sha256(weights.path)
    key = GraphKey(name, sha256, runtime.precision, runtime.version, runtime.processor)
    directory = settings.graphs_dir
    store, threads = GraphStore(directory), available_cores()

    def compiled() -> OpenVinoEngine:
        folder = store.find(key)
        if folder is None:
            raise ModelUnavailableError(f"no compiled graphs of {name} in {directory}")
        check_seal(folder)
        return OpenVinoEngine(name, folder, runtime.precision, threads)

    if store.find(key) is not None:
        try:
            say(f"loading {name} on cpu (OpenVINO, {runtime.precision}, compiled before)")
            return compiled()
        except ModelUnavailableError as error:
            say(f"{error.message}; converting it again")
            store.discard(key)
    say(f"loading {name} on cpu (torch{', until OpenVINO has compiled it' if convert else ''})")
    reference = load_torch_engine(weights.entry, weights.path, "cpu")
    if not convert:
        return reference
    conversion = Conversion(weights.path, key, directory, settings.conversion_timeout_s)
    return UpgradingEngine(reference, conversion, compiled)


class Shelf:
    """The models that a running server may load; fulfils `pool.Source`."""

    def __init__(self, settings: Settings, manifest: Manifest, load: Load) -> None:
        """Args: where weights are and whether they may be fetched, all models, and how one is loaded."""
        self._settings, self._manifest, self._load = settings, manifest, load

    def nbytes(self, name: str) -> int:
        """Return what a model's weights take in float32; see `pool.Source.nbytes`."""
        return round(1e6 * self._manifest.entry(name).params_m) * BYTES_PER_WEIGHT

    def prepare(self, name: str, progress: Progress) -> Callable[[], Engine]:
        """Return how to load a model, its weights fetched if need be; see `pool.Source.prepare`."""
        entry = self._manifest.entry(name)

        def fetching(entry: ModelEntry, directory: Path) -> None:
            log.info("weights_fetched", model=entry.name, path=str(fetch(entry, directory, progress=progress)))

        def load() -> Engine:
            with told_to_visitors(name):
                return self._load(weights, self._settings, lambda line: log.info("model", said=line))

        with told_to_visitors(name):
            weights = published_weights(entry, self._settings, fetching)
        return load


@contextmanager
def told_to_visitors(name: str) -> Iterator[None]:
    """Log why a model can't be had, and raise it again without paths, commands and addresses of this machine.

    Raises:
        ModelUnavailableError: what a visitor of the page may know and can do.
    """
    try:
        yield
    except ModelUnavailableError as error:
        log.warning("model_unavailable", model=name, reason=error.message)
        if isinstance(error, DownloadError):
            text = f"{name} could not be fetched: the other side {error.reason}; try again later, what came is kept"
        else:
            text = f"{name} isn't ready on this server; whoever runs it finds the reason in its log"
        raise ModelUnavailableError(text) from error
