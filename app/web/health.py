"""Is it alive, is it ready, what does it run."""

from __future__ import annotations

import msgspec
from litestar import MediaType, get
from litestar.di import NamedDependency

from app.realtime.predictor import Predictor


class Health(msgspec.Struct, frozen=True):
    """What runs where."""

    status: str
    model: str
    device: str


@get("/api/health", operation_id="health", tags=["health"])
async def health(predictor: NamedDependency[Predictor]) -> Health:
    """Return the model and the device."""
    return Health("ok", predictor.engine.model, predictor.engine.device)


@get("/healthz", media_type=MediaType.TEXT, include_in_schema=False)
async def healthz() -> str:
    """Answer as long as the event loop runs."""
    return "ok"


@get("/readyz", media_type=MediaType.TEXT, include_in_schema=False)
async def readyz() -> str:
    """Answer once a model is loaded: the server does not listen before."""
    return "ready"
