"""`GET /metrics`: what was counted, and how things stand at this moment, as Prometheus reads it.

For operators: the server has no log-in, so a reverse proxy should keep this path from the world.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from app.service.backend import WorkerState
from app.service.meters import Meters
from app.service.predictor import Predictor
from app.service.registry import Registry
from app.service.shared_folder import SharedFolder


class StateCollector(Collector):
    """Reads sessions, queues and caches when it is asked, so that nothing has to keep figures up to date."""

    def __init__(self, registry: Registry, predictor: Predictor, shared: SharedFolder | None) -> None:
        self._registry, self._predictor, self._shared = registry, predictor, shared

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of this moment."""
        held = self._registry.held
        yield gauge("hoversam_connections", "Sockets with a session.", {"": held})
        yield gauge(
            "hoversam_sessions", "Sessions, by state.", {"held": held, "kept": len(self._registry) - held}, "state"
        )
        yield gauge("hoversam_tasks", "Tasks of the event loop.", {"": len(asyncio.all_tasks())})
        lanes, state = self._predictor.backend.lanes, self._predictor.backend.state()
        waiting: dict[str, float] = {kind: sum(lane.waiting for lane in lanes[kind]) for kind in ("decode", "encode")}
        yield gauge("hoversam_queue_depth", "Jobs that wait for the device, by kind.", waiting, "kind")
        sizes: dict[str, float] = {
            "embeddings": state.embedding_bytes,
            "pictures": self._predictor.pictures.nbytes,
            "clips": self._predictor.clips.nbytes,
        }
        yield gauge("hoversam_cache_bytes", "Bytes kept, by cache.", sizes, "cache")
        lookups = CounterMetricFamily(
            "hoversam_embedding_lookups", "Embeddings asked for, by outcome.", labels=["outcome"]
        )
        lookups.add_metric(["hit"], state.hits)
        lookups.add_metric(["miss"], state.misses)
        yield lookups
        yield from worker_figures(state.workers)
        if self._shared is not None:
            text = "Times that the folder which servers share couldn't do what was asked."
            yield CounterMetricFamily("hoversam_shared_folder_failures", text, value=self._shared.failures)


def worker_figures(workers: Sequence[WorkerState]) -> Iterator[Metric]:
    """Yield the figures of each process that models run in, as this front end sees it; none where it is this one."""
    if not workers:
        return
    figures: list[tuple[str, str, Callable[[WorkerState], float]]] = [
        ("up", "1 where a worker answers, 0 where it is passed over.", lambda each: each.alive),
        ("queue_depth", "Jobs of this front end that wait for a worker.", lambda each: each.waiting),
        ("decode_seconds", "Median time of a worker's decode, with the way there.", lambda each: each.decode_ms / 1000),
        ("embedding_bytes", "Bytes that a worker's embeddings take.", lambda each: each.embedding_bytes),
    ]
    for name, text, value in figures:
        yield gauge(f"hoversam_worker_{name}", text, {each.name: value(each) for each in workers}, "worker")
    counts: list[tuple[str, str, Callable[[WorkerState], float]]] = [
        ("calls", "Calls of this front end that a worker answered.", lambda each: each.calls),
        ("failures", "Calls of this front end that a worker didn't answer.", lambda each: each.failures),
        ("cpu_seconds", "Processor time that a worker has taken.", lambda each: each.cpu_s),
    ]
    for name, text, value in counts:
        family = CounterMetricFamily(f"hoversam_worker_{name}", text, labels=["worker"])
        for each in workers:
            family.add_metric([each.name], value(each))
        yield family


def gauge(name: str, text: str, values: dict[str, float], label: str = "") -> GaugeMetricFamily:
    """Return a gauge with one value for each value of its label; an empty label means a single value."""
    family = GaugeMetricFamily(name, text, labels=[label] if label else [])
    for key, value in values.items():
        family.add_metric([key] if label else [], value)
    return family


def collect_state(meters: Meters, registry: Registry, predictor: Predictor, shared: SharedFolder | None = None) -> None:
    """Let `/metrics` show the application and its process too."""
    meters.attach(predictor.backend.lanes)
    meters.registry.register(StateCollector(registry, predictor, shared))
    for kind in (ProcessCollector, PlatformCollector, GCCollector):
        kind(registry=meters.registry)


@get("/metrics", include_in_schema=False)
async def metrics(meters: NamedDependency[Meters]) -> Response[bytes]:
    """Return the figures."""
    # Litestar names the charset of every text; with two of them Prometheus can't tell what it gets, and takes nothing.
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST.partition("; charset")[0])
