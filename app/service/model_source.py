"""The models that a running server may load: found or fetched when a session asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from app.engine.contract import Engine
from app.engine.factory import Load
from app.errors import DownloadError, ModelUnavailableError, Reason
from app.settings import Settings
from app.weights.catalogue import published_weights
from app.weights.manifest import Manifest, ModelEntry

if TYPE_CHECKING:
    from app.weights.download import OnBytes

BYTES_PER_WEIGHT = 4
"""Of float32, as which torch keeps weights."""


log = structlog.get_logger(__name__)


class ModelSource:
    """The models that a running server may load; fulfils `model_pool.Source`."""

    def __init__(self, settings: Settings, manifest: Manifest, load: Load) -> None:
        """Load nothing yet.

        Args:
            settings: where weights are, and whether they may be fetched.
            manifest: all models.
            load: loads one.
        """
        self._settings, self._manifest, self._load = settings, manifest, load

    def nbytes(self, name: str) -> int:
        """Return what a model's weights take in float32; see `model_pool.Source.nbytes`."""
        return round(1e6 * self._manifest.entry(name).params_m) * BYTES_PER_WEIGHT

    def prepare(self, name: str, progress: OnBytes) -> Callable[[], Engine]:
        """Return how to load a model, its weights fetched if need be; see `model_pool.Source.prepare`."""
        entry = self._manifest.entry(name)

        def fetching(entry: ModelEntry, directory: Path) -> None:
            from app.weights.download import fetch  # with its HTTP client, for the few servers that fetch

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
            told = "{name} could not be fetched: the other side {cause}; try again later, what came is kept"
            text = Reason("model_unfetched", told, name=name, cause=error.cause)
        else:
            told = "{name} isn't ready on this server; whoever runs it finds the reason in its log"
            text = Reason("model_unready", told, name=name)
        raise ModelUnavailableError(text) from error
