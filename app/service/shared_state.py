"""What all connections share: settings, sessions, the models to name, and the words of welcome."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.protocol.messages import PROTOCOL_VERSION, Limits, ModelInfo, Welcome
from app.service.exporter import Exporter
from app.service.meters import Meters
from app.service.refusals import RefusalLog
from app.service.registry import Entry, Registry
from app.settings import Settings
from app.weights.checkpoints import locate, may_fetch
from app.weights.manifest import Manifest, ModelEntry
from app.weights.reach import looked_in_vain


@dataclass(frozen=True)
class SharedState:
    """Shared by every connection; nothing in it changes but the registry.

    Attributes:
        settings: where models are, and whether they may be fetched.
        limits: what clients are told that the server accepts.
        registry: the sessions.
        model: name of the model that new sessions begin with.
        manifest: all models that the server knows.
        server: the product's name and version.
        exporter: makes files, for all of them in turn.
        meters: what is counted for `/metrics`.
        refusals: what the log says of clients that were turned away.
    """

    settings: Settings
    limits: Limits
    registry: Registry
    model: str
    manifest: Manifest
    server: str
    exporter: Exporter
    meters: Meters = field(default_factory=Meters)
    refusals: RefusalLog = field(default_factory=RefusalLog)

    def welcome(self, entry: Entry, resumed: bool) -> Welcome:
        """Return the answer to a hello."""
        return Welcome(
            version=PROTOCOL_VERSION,
            session=entry.id,
            token=entry.token,
            resumed=resumed,
            model=entry.session.model,
            models=self.models,
            limits=self.limits,
            server=self.server,
        )

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """All models that the server knows; a file that has come since the start counts."""
        offline = self.settings.offline or looked_in_vain(self.settings.looks_file)
        return tuple(self._told(entry, offline) for entry in self.manifest.models)

    def _told(self, entry: ModelEntry, offline: bool) -> ModelInfo:
        directory = self.settings.checkpoints_dir
        available = entry.name == self.model or locate(entry, directory) is not None
        return ModelInfo(
            name=entry.name,
            params_m=entry.params_m,
            available=available,
            bundled=entry.bundled,
            fetchable=not available and may_fetch(entry, directory, offline=offline),
        )
