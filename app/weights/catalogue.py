"""Which model runs and how it gets here: found, fetched or bundled; at the start and while the server runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tqdm import tqdm

from app.errors import ModelUnavailableError
from app.settings import Settings
from app.weights.checkpoints import choose_model, locate, may_fetch, verified_path
from app.weights.manifest import Manifest, ModelEntry, load_manifest
from app.weights.reach import within_reach

if TYPE_CHECKING:
    from app.weights.download import OnBytes

Say = Callable[[str], None]
Fetch = Callable[[ModelEntry, Path], object]


@dataclass(frozen=True)
class Weights:
    """A model and the file of its weights. `published` is False for a file of the user's own."""

    entry: ModelEntry
    path: Path
    published: bool


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
    say(f"{path.name} runs as {model}, its hash unchecked")
    return Weights(manifest.entry(model), path, published=False)


def fetch_with_bar(entry: ModelEntry, directory: Path) -> Path:
    """Fetch a model's weights, a progress bar on standard error."""
    from app.weights.download import fetch  # most starts fetch nothing, and need no HTTP client

    with progress_bar(entry) as progress:
        return fetch(entry, directory, progress=progress)


@contextmanager
def progress_bar(entry: ModelEntry) -> Iterator[OnBytes]:
    """Give what is to be told how much of a checkpoint is here; a bar on standard error shows it."""
    with tqdm(total=entry.bytes, unit="B", unit_scale=True, desc=entry.name, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
