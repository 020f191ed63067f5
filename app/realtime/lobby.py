"""What all connections share: settings, sessions, the models to name, and the words of welcome."""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import ModelUnavailableError, UnknownModelError
from app.protocol.messages import PROTOCOL_VERSION, Limits, ModelInfo, Welcome
from app.realtime.registry import Entry, Registry
from app.settings import Settings


@dataclass(frozen=True)
class Lobby:
    """Shared by every connection; nothing in it changes but the registry.

    Attributes:
        model: name of the model that runs.
        models: all models that the server knows.
        server: the product's name and version.
    """

    settings: Settings
    registry: Registry
    model: str
    models: tuple[ModelInfo, ...]
    server: str

    def welcome(self, entry: Entry, resumed: bool) -> Welcome:
        """Return the answer to a hello."""
        return Welcome(
            version=PROTOCOL_VERSION,
            session=entry.id,
            token=entry.token,
            resumed=resumed,
            model=self.model,
            models=self.models,
            limits=limits_of(self.settings),
            server=self.server,
        )

    def check_model(self, name: str) -> None:
        """Refuse a switch to a model that doesn't run.

        Raises:
            UnknownModelError: no model has this name.
            ModelUnavailableError: it is another than the one that was started.
        """
        if name == self.model:
            return
        if name not in {model.name for model in self.models}:
            names = ", ".join(model.name for model in self.models)
            raise UnknownModelError(f"no model is called {name[:64]!r}; choose one of {names}")
        raise ModelUnavailableError(f"the server runs {self.model}; start it with --model {name} to use that one")


def limits_of(settings: Settings) -> Limits:
    """Return the limits that a client should know."""
    return Limits(
        max_upload_bytes=settings.max_upload_bytes,
        max_pixels=settings.max_pixels,
        max_side=settings.max_side,
        max_inline_bytes=settings.max_inline_bytes,
        max_message_bytes=settings.max_message_bytes,
        max_points=settings.max_points,
        max_objects=settings.max_objects,
    )
