"""Is it alive, is it ready, what does it run."""

from __future__ import annotations

import msgspec
from litestar import MediaType, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency

from app.service.predictor import Predictor
from app.web.examples import HEALTH, answered


class Health(msgspec.Struct, frozen=True):
    """What runs where."""

    status: str
    model: str
    device: str


@get(
    "/api/health",
    operation_id="health",
    summary="Model and device",
    tags=["health"],
    responses={200: answered(Health, "what runs where", HEALTH)},
)
async def health(predictor: NamedDependency[Predictor]) -> Health:
    """Return the model and the device."""
    return Health("ok", predictor.model, predictor.backend.device)


@get("/healthz", media_type=MediaType.TEXT, operation_id="alive", summary="Is it alive", tags=["health"])
async def healthz() -> str:
    """Answer as long as the event loop runs."""
    return "ok"


@get("/readyz", media_type=MediaType.TEXT, operation_id="ready", summary="Is it ready", tags=["health"])
async def readyz(state: State, predictor: NamedDependency[Predictor]) -> Response[str]:
    """Answer once a model is loaded, since the server does not listen before, and 503 where it or a fleet is gone."""
    hung: str = state.watch.hung
    trouble = f"the model hangs at a {hung}" if hung else predictor.backend.state().trouble
    return Response(trouble, status_code=503) if trouble else Response("ready")
