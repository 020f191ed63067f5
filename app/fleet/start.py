"""From settings to workers that are ready: started on this machine, or found in a cluster that it belongs to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from app import __version__
from app.engine.factory import Load
from app.fleet.backend import FleetBackend
from app.fleet.cluster import RayWorkers, cluster_workers, local_workers
from app.fleet.members import Members, told
from app.fleet.values import WorkerSpec
from app.machine import available_cores
from app.service.backend import Pixels
from app.service.limits import ServiceLimits
from app.service.model_pool import Source
from app.settings import Settings
from app.weights.catalogue import Say, Weights
from app.weights.checkpoints import remembered_sha256


@dataclass(frozen=True)
class Fleet:
    """Workers that are ready."""

    workers: RayWorkers
    members: Members
    spec: WorkerSpec

    def backend(self, source: Source, pictures: Pixels) -> FleetBackend:
        """Return them as a backend; see `FleetBackend`."""
        return FleetBackend(
            self.workers,
            self.members,
            source,
            pictures,
            self.spec.limits,
            model=self.spec.model,
            speck_share=self.spec.settings.speck_share,
            first_responder=self.spec.first_responder,
        )


@contextlib.contextmanager
def started_fleet(spec: WorkerSpec, say: Say) -> Iterator[Fleet]:
    """Give workers that are ready; they are let go of when the `with` ends.

    Args:
        spec: what they are to be, see `spec_of`.
        say: told what is going on.

    Raises:
        FleetError: Ray doesn't start, a cluster can't be joined, or its workers are of another release.
        ModelUnavailableError: a worker can't load the model; the text names it.
        HoverError: it can't for another reason.
    """
    settings = spec.settings
    if settings.ray_address is None:
        count = settings.workers or 1
        say(f"starting {count} workers of {spec.model} on this machine" if count > 1 else "starting a worker")
        workers = local_workers(count, spec)
    else:
        say(f"joining the workers at {settings.ray_address}")
        workers = cluster_workers(settings.ray_address, settings.workers, spec)
    members = Members(workers)
    try:
        members.begin(spec.limits.load_timeout_s)
        _have_loaded(workers, members, spec)
        yield Fleet(workers, members, spec)
    finally:
        members.close()
        workers.close()


def _have_loaded(workers: RayWorkers, members: Members, spec: WorkerSpec) -> None:
    """Have the model loaded by workers that another front end has started with another.

    Raises:
        HoverError: they can't load it.
    """
    for name in [name for name, member in members.all.items() if not member.computes(spec.model)]:
        members.learn(name, told(workers.call(name, "use", spec.model).result(spec.limits.load_timeout_s)))


def spec_of(
    settings: Settings, weights: Weights, limits: ServiceLimits, load: Load, first_responder: str | None
) -> WorkerSpec:
    """Return what workers are to be.

    Args:
        settings: those of the front end; folders are shared.
        weights: of the model to begin with.
        limits: how long an answer may take.
        load: loads a model.
        first_responder: the model that answers until another has seen a picture, or None.
    """
    if not weights.path.is_absolute():
        weights = Weights(weights.entry, weights.path.resolve(), weights.published)
    threads = settings.threads
    if threads is None:
        threads = max(1, available_cores() // (settings.workers or 1)) if settings.ray_address is None else 1
    own = msgspec.structs.replace(settings, threads=threads, checkpoints_dir=settings.checkpoints_dir.resolve())
    checkpoint = None if weights.published else weights.path
    sha256 = "" if checkpoint is None else remembered_sha256(checkpoint, settings.hashes_file)
    name = weights.entry.name
    return WorkerSpec(__version__, own, limits, name, checkpoint, sha256, first_responder, load)
