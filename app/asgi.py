"""`create_app`: the only place that wires things together. Nothing happens at import."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.config.cors import CORSConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig
from litestar.types import ControllerRouterHandler

from app import __version__
from app.engine.contract import Engine
from app.engine.factory import Load, load_engine
from app.limits import AppLimits, told_limits
from app.pictures import PictureLimits
from app.service.backend import Backend, Pixels
from app.service.bounded_folder import Bounds
from app.service.clip_store import ClipStore
from app.service.exporter import Exporter
from app.service.first_responder import FirstResponder
from app.service.local_backend import LocalBackend
from app.service.model_pool import ModelPool, Source
from app.service.model_source import ModelSource
from app.service.parked import KEPT_S, MAX_BYTES
from app.service.picture_store import PictureStore
from app.service.predictor import Predictor
from app.service.registry import Registry
from app.service.scheduler import Lane
from app.service.shared_folder import SharedFolder
from app.service.shared_state import SharedState
from app.service.sources import Sources
from app.service.watchdog import Watchdog
from app.session.session import Session
from app.settings import Settings
from app.web.classes import classes
from app.web.clips import clip_part, frame, upload_clip
from app.web.conditional import answer_not_modified
from app.web.docs import docs
from app.web.exports import export, exported_file
from app.web.guards import require_same_origin
from app.web.head import HeadLitestar
from app.web.headers import add_headers, count_response, name_request
from app.web.health import health, healthz, readyz
from app.web.imports import import_labels
from app.web.kept_masks import export_masks
from app.web.limits import list_limits
from app.web.metrics import collect_state, metrics
from app.web.openapi import openapi_config
from app.web.pages import engines, load_samples, script, studio, stylesheet
from app.web.problems import problem_handlers
from app.web.regions import regions
from app.web.renditions import rendition
from app.web.segment import UNCOMPRESSED, segment
from app.web.socket import missing_upgrade, session_socket
from app.web.tickets import Tickets, ticket
from app.web.uploads import upload
from app.web.words import load_words
from app.weights.catalogue import known_models
from app.weights.manifest import Manifest

ROOT = Path(__file__).parent.parent
FORM_SLACK_BYTES = 2**16
"""What a multipart form adds to the file in it."""


MakeBackend = Callable[[Source, Pixels], Backend]
"""Makes what answers, given which models there are and where pixels come from."""


def create_app(
    settings: Settings,
    make_backend: MakeBackend,
    *,
    limits: AppLimits | None = None,
    manifest: Manifest | None = None,
    load: Load = load_engine,
) -> Litestar:
    """Return the application around models that answer.

    Args:
        settings: everything an operator may set.
        make_backend: makes what answers; see `in_this_process`.
        limits: the bounds that are no settings; None for the usual.
        manifest: the models to name; None reads the bundled list.
        load: loads another model when a session asks for it.

    Raises:
        OSError: the folder that servers share can't be used.
    """
    # What answers: the models, and all that stands between them and a session.
    limits, manifest = limits or AppLimits(), manifest or known_models(settings)
    folder, key = shared_folder(settings, limits) or (None, None)
    picture = PictureLimits.of(settings, limits.shape)
    pictures = PictureStore(picture, settings.image_budget_bytes, limits.service, folder)
    sources = Sources(pictures, ClipStore(limits.clip, limits.service, folder))
    predictor = Predictor(make_backend(ModelSource(settings, manifest, load), sources), sources)
    # What sessions share, and what HTTP needs beside it.
    exporter = Exporter(sources, settings.max_export_bytes, settings.speck_share, limits.service, folder)
    shared = make_shared_state(settings, limits, predictor.model, manifest, exporter)
    drawing = Lane("drawing", limits.service.max_jobs_queued, lambda: None)
    injected = {"predictor": predictor, "drawing": drawing, "shared_state": shared, "meters": shared.meters}
    injected |= {"settings": settings, "limits": limits, "samples": load_samples(ROOT / "static")}
    injected |= {"words": load_words(ROOT / "static" / "words")}
    # What looks after them while the server runs.
    collect_state(shared.meters, shared.registry, predictor, folder)
    watchdog = Watchdog(shared.registry, shared.meters, predictor.backend.lanes, limits.service)
    at_work = [part.run for part in (watchdog, predictor.backend.first, folder) if part is not None]
    closed = [part.close for part in (predictor, exporter, drawing, folder) if part is not None]

    return HeadLitestar(
        route_handlers=routes(),
        state=shared_state(shared, watchdog, Tickets(key)),
        guards=[require_same_origin],
        lifespan=[lambda _: running(at_work, closed)],
        dependencies={name: constant(value) for name, value in injected.items()},
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(templates())),
        request_max_body_size=settings.max_upload_bytes + FORM_SLACK_BYTES,
        before_request=name_request,
        before_send=[add_headers, answer_not_modified, count_response],
        compression_config=CompressionConfig(backend="gzip", exclude_opt_key=UNCOMPRESSED),
        cors_config=CORSConfig(allow_origins=list(settings.allowed_origins)) if settings.allowed_origins else None,
        exception_handlers=problem_handlers(),
        openapi_config=openapi_config(),
        logging_config=None,  # the shell that runs us decides about logs
    )


@contextlib.asynccontextmanager
async def running(
    at_work: list[Callable[[], Coroutine[Any, Any, None]]], closed: list[Callable[[], None]]
) -> AsyncIterator[None]:
    """Let parts of the application work while it runs, and close others when it ends, the last of them first."""
    with contextlib.ExitStack() as at_end:
        for close in closed:
            at_end.callback(close)
        async with beside(*(work() for work in at_work)):
            yield


@contextlib.asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let what works in the background do so until the `with` ends.

    It isn't anyio's task group, with which a mistake in one of them would end the server.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def shared_state(shared: SharedState, watchdog: Watchdog, tickets: Tickets) -> State:
    """Return what guards, hooks and the server around us need, which take no dependencies."""
    return State(
        {
            "settings": shared.settings,
            "drain": shared.registry.drain,
            "meters": shared.meters,
            "watch": watchdog,
            "refusals": shared.refusals,
            "tickets": tickets,
        }
    )


def routes() -> list[ControllerRouterHandler]:
    """Return every way in."""
    pages: list[ControllerRouterHandler] = [studio, stylesheet, script, engines, ticket, docs, static_files()]
    api: list[ControllerRouterHandler] = [
        *(upload, rendition, upload_clip, clip_part, frame, segment, regions, export, export_masks, exported_file),
        *(import_labels, classes),
        *(health, list_limits),
    ]
    return [*pages, *api, healthz, readyz, metrics, session_socket, missing_upgrade]


def in_this_process(
    settings: Settings,
    limits: AppLimits,
    engine: Engine,
    set_threads: Callable[[int], None],
    first_responder: str | None = None,
) -> MakeBackend:
    """Return what makes a loaded model of this process answer, and others that it loads.

    Args:
        settings: what may be kept in memory.
        limits: the other bounds.
        engine: the model.
        set_threads: sets how many threads the calling thread's model work may use.
        first_responder: name of the model that answers until another has seen a picture; None has sessions wait.
    """

    def make(source: Source, pixels: Pixels) -> Backend:
        models = ModelPool(engine, source, settings.model_budget_bytes, limits.service.load_timeout_s)
        first = None if first_responder is None else FirstResponder(first_responder, models)
        return LocalBackend.of(settings, limits.service, models, pixels, set_threads, first=first)

    return make


def shared_folder(settings: Settings, limits: AppLimits) -> tuple[SharedFolder, bytes] | None:
    """Return the folder that servers behind one balancer share, and their key; None where this server is alone.

    Raises:
        OSError: the folder can't be used.
    """
    if settings.shared_dir is None:
        return None
    own = limits.service
    folder = SharedFolder(
        settings.shared_dir,
        pictures=Bounds(settings.image_budget_bytes, own.max_shared_pictures, own.shared_picture_s),
        clips=Bounds(own.max_clip_disk_bytes, own.max_shared_pictures, own.shared_picture_s),
        files=Bounds(MAX_BYTES, own.max_shared_pictures, KEPT_S),
        max_picture_bytes=settings.max_upload_bytes,
        max_clip_bytes=limits.clip.max_clip_bytes,
        timeout_s=own.shared_timeout_s,
    )
    return folder, folder.prepare()


def make_shared_state(
    settings: Settings, limits: AppLimits, model: str, manifest: Manifest, exporter: Exporter
) -> SharedState:
    """Return what connections share.

    Args:
        settings: how many sessions there may be, and where models are.
        limits: the other bounds.
        model: the name of the model that new sessions begin with.
        manifest: the models to name.
        exporter: makes files.
    """
    registry = Registry(
        settings.max_sessions,
        limits.service.resume_s,
        lambda: Session(limits.session, model),
        max_per_address=settings.max_sessions_per_address,
    )
    told = told_limits(settings, limits)
    return SharedState(settings, told, registry, model, manifest, f"HoverSAM {__version__}", exporter)


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
