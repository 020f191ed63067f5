"""What front ends and workers tell each other: plain values, which travel between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app import errors
from app.engine.factory import Load
from app.errors import EngineFailedError, HoverError
from app.service.backend import Encoded
from app.service.limits import ServiceLimits
from app.session.objects import is_asked
from app.session.query import Query
from app.settings import Settings


@dataclass(frozen=True)
class WorkerSpec:
    """What a worker is to be.

    Attributes:
        version: of the program.
        settings: those of whoever starts it; folders are as the worker sees them.
        limits: how long an answer may take, and how many may wait.
        model: the name of the model that it begins with.
        checkpoint: that model's file, where it isn't the published one.
        sha256: of that file.
        first_responder: the model that answers until another has seen a picture, or None.
        load: loads a model.
    """

    version: str
    settings: Settings
    limits: ServiceLimits
    model: str
    checkpoint: Path | None
    sha256: str
    first_responder: str | None
    load: Load


@dataclass(frozen=True)
class About:
    """What a worker is, as it tells it.

    Attributes:
        version: of its program.
        pid: its process.
        model: what it began with.
        device: what that runs on.
        computes: what each of its loaded models computes with, by name.
        embedding_bytes: what its embeddings take.
        cpu_s: processor time that it has taken since it began.
    """

    version: str
    pid: int
    model: str
    device: str
    computes: Mapping[str, str]
    embedding_bytes: int
    cpu_s: float


@dataclass(frozen=True)
class EncodedThere(Encoded):
    """What it took to have a source encoded by a worker.

    Attributes:
        pid: the process that has its embedding.
        embedding_bytes: what all of its embeddings take now.
    """

    pid: int
    embedding_bytes: int


@dataclass(frozen=True)
class Packed:
    """Candidates whose logits are packed, see `app.masks.packing`.

    Attributes:
        logits: of each candidate.
        scores: (K,) float32.
    """

    logits: tuple[bytes, ...]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class Refused:
    """An error of ours that a worker answers with, instead of raising it: Ray would send a traceback for its text."""

    kind: str
    message: str
    retry_after_s: float | None

    @classmethod
    def of(cls, error: HoverError) -> Refused:
        """Return what to send of an error."""
        return cls(type(error).__name__, error.message, error.retry_after_s)

    def error(self) -> HoverError:
        """Return the error to raise; one that this program doesn't know counts as a failure of the model."""
        kind = getattr(errors, self.kind, EngineFailedError)
        if not (isinstance(kind, type) and issubclass(kind, HoverError)) or kind.__init__ is not HoverError.__init__:
            kind = EngineFailedError
        return kind(self.message, retry_after_s=self.retry_after_s)


def plain(query: Query) -> Query:
    """Return a query without what no worker needs: masks of the answer before, and words of a person."""
    return replace(query, subject=replace(query.subject, name="", answer=None), kept=None, gone=())


def first_steps(query: Query, count: int) -> Query:
    """Return a query up to the last of the next `count` steps that a model is asked about."""
    trail = query.subject.trail
    asked = [number for number in range(query.known, len(trail)) if is_asked(trail[number])]
    return replace(query, subject=replace(query.subject, trail=trail[: asked[:count][-1] + 1]))
