"""Which model to run and how it gets here: found, fetched with a progress bar, or the bundled one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from app.engine.checkpoints import choose_model, locate, verified_path
from app.engine.contract import Engine
from app.engine.download import fetch
from app.engine.manifest import Manifest, ModelEntry
from app.errors import ModelUnavailableError
from app.settings import Settings

Say = Callable[[str], None]


@dataclass(frozen=True)
class Weights:
    """A model and the file of its weights. `published` is False for a file of the user's own."""

    entry: ModelEntry
    path: Path
    published: bool


def find_weights(settings: Settings, manifest: Manifest, say: Say) -> Weights:
    """Return the weights to run, fetched if need be and allowed.

    Raises:
        UnknownModelError, ModelUnavailableError: the text names the cure.
    """
    if settings.checkpoint is not None:
        return own_weights(settings.checkpoint, settings.model, manifest, say)
    directory = settings.checkpoints_dir
    entry = choose_model(manifest, directory, settings.model, can_fetch=not settings.offline)
    if locate(entry, directory) is None and not entry.bundled and not settings.offline:
        try:
            say(f"fetching {entry.name} ({entry.bytes / 1e6:.0f} MB)")
            fetch_with_bar(entry, directory)
        except ModelUnavailableError as error:
            if settings.model is not None:
                raise
            say(f"{entry.name} can't be fetched: {error.message}")
            entry = choose_model(manifest, directory, None, can_fetch=False)
    weights = Weights(entry, verified_path(entry, directory), published=True)
    if entry.bundled:
        say("running nano, the small demonstration model that comes with HoverSAM; for real work use --model tiny")
    return weights


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
    with tqdm(total=entry.bytes, unit="B", unit_scale=True, desc=entry.name, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return fetch(entry, directory, progress=show)


def load_engine(weights: Weights, device: str | None, say: Say) -> Engine:
    """Return the model on its device.

    Raises:
        ModelUnavailableError: the file isn't of this model, or is damaged.
        ValueError: the device is unknown or not there.
    """
    from app.engine.device import pick_device  # torch takes seconds to import
    from app.engine.sam2_torch import load_torch_engine

    choice = pick_device(device)
    say(f"loading {weights.entry.name} on {choice.name} ({choice.reason})")
    return load_torch_engine(weights.entry, weights.path, choice.name)
