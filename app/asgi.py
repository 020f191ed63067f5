"""`create_app`: the only place that wires things together. Nothing happens at import."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from app import __version__
from app.engine.checkpoints import locate
from app.engine.contract import Engine
from app.engine.embeddings import EmbeddingStore
from app.engine.manifest import Manifest, load_manifest
from app.engine.scheduler import Scheduler
from app.errors import HoverError
from app.pictures import PictureLimits
from app.protocol.messages import ModelInfo
from app.realtime.lobby import Lobby
from app.realtime.pictures import PictureStore
from app.realtime.predictor import Predictor, Timeouts
from app.realtime.registry import Registry
from app.session.session import Limits, Session
from app.settings import Settings
from app.web.guards import require_same_origin
from app.web.headers import add_headers
from app.web.health import health, healthz, readyz
from app.web.pages import load_samples, studio
from app.web.problems import bug_response, hover_error_response, http_error_response
from app.web.socket import session_socket
from app.web.uploads import upload

ROOT = Path(__file__).parent.parent
FORM_SLACK_BYTES = 2**16
"""What a multipart form adds to the file in it."""


def create_app(
    settings: Settings, engine: Engine, *, set_threads: Callable[[int], None], manifest: Manifest | None = None
) -> Litestar:
    """Return the application around a loaded model.

    Args:
        settings: everything an operator may set.
        engine: the model that answers.
        set_threads: sets how many threads the calling thread's model work may use.
        manifest: the models to name; None reads the bundled list.
    """
    predictor = make_predictor(settings, engine, set_threads)
    lobby = make_lobby(settings, engine, manifest or load_manifest())
    samples = load_samples(ROOT / "static")

    @contextlib.asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            predictor.close()

    return Litestar(
        route_handlers=[studio, upload, health, healthz, readyz, session_socket, static_files()],
        state=State({"settings": settings}),
        guards=[require_same_origin],
        lifespan=[running],
        dependencies={
            "predictor": constant(predictor),
            "lobby": constant(lobby),
            "settings": constant(settings),
            "samples": constant(samples),
        },
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(templates())),
        request_max_body_size=settings.max_upload_bytes + FORM_SLACK_BYTES,
        before_send=[add_headers],
        compression_config=CompressionConfig(backend="gzip"),
        exception_handlers={
            HoverError: hover_error_response,
            HTTPException: http_error_response,
            Exception: bug_response,
        },
        openapi_config=None,
        logging_config=None,  # the shell that runs us decides about logs
    )


def make_predictor(settings: Settings, engine: Engine, set_threads: Callable[[int], None]) -> Predictor:
    """Return the door to the model, with its bounds from the settings."""
    limits = PictureLimits(settings.max_upload_bytes, settings.max_pixels, settings.max_side, settings.max_aspect)
    pictures = PictureStore(
        limits, settings.image_budget_bytes, settings.max_pictures_queued, settings.picture_timeout_s
    )
    scheduler = Scheduler(cores=available_cores(), capacity=settings.max_jobs_queued, set_threads=set_threads)
    timeouts = Timeouts(settings.hover_timeout_s, settings.click_timeout_s, settings.encode_timeout_s)
    return Predictor(
        engine,
        scheduler,
        pictures,
        EmbeddingStore(settings.embedding_budget_bytes),
        timeouts,
        speck_share=settings.speck_share,
    )


def make_lobby(settings: Settings, engine: Engine, manifest: Manifest) -> Lobby:
    """Return what connections share."""
    limits = Limits(settings.max_points, settings.max_objects, settings.max_history, settings.max_history_bytes)
    registry = Registry(settings.max_sessions, settings.resume_s, lambda: Session(limits))
    models = tuple(
        ModelInfo(
            name=entry.name,
            params_m=entry.params_m,
            available=locate(entry, settings.checkpoints_dir) is not None,
            bundled=entry.bundled,
        )
        for entry in manifest.models
    )
    return Lobby(settings, registry, engine.model, models, f"HoverSAM {__version__}")


def available_cores() -> int:
    """Return the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def constant(value: object) -> Provide:
    """Return a provider of something that is made once."""

    async def provide() -> object:
        return value

    return Provide(provide)


def templates() -> Environment:
    """Return the templates; an unknown variable is an error, and everything is escaped."""
    return Environment(loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined)


def static_files() -> Router:
    """Return the route of the page's own files; browsers ask each time whether they are new."""
    return create_static_files_router(
        path="/static", directories=[ROOT / "static"], cache_control=CacheControlHeader(no_cache=True), name="static"
    )
