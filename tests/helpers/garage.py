"""Models that can be switched to, for tests over a real socket: small files, and engines without a model."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from app.errors import HoverError
from app.protocol import messages as m
from app.settings import Settings
from app.weights.catalogue import Say, Weights
from app.weights.checkpoints import file_sha256
from app.weights.manifest import Manifest, load_manifest
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.peer import Peer
from tests.helpers.server import open_gates
from tests.helpers.weights_site import CONTENT

GRIDS = {"nano": 48, "tiny": 64, "small": 32, "base_plus": 40, "large": 56}
"""Each model has a grid of its own, so that none can refine another's logits unnoticed."""
GATE_TIMEOUT_S = 30.0


@dataclass
class Garage:
    """Loads engines without a model.

    Attributes:
        gate: where given, a load waits for it.
        loading: set once a load has begun.
        errors: what the next loads raise, one each.
        failures: what the next engine's first calls raise.
        made: the engines that were loaded, by name, the newest of each.
        names: names of the models in the order of their loads.
    """

    gate: threading.Event | None = None
    loading: threading.Event = field(default_factory=threading.Event)
    errors: list[HoverError] = field(default_factory=list)
    failures: list[HoverError] = field(default_factory=list)
    made: dict[str, FakeEngine] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def load(self, weights: Weights, settings: Settings, say: Say) -> FakeEngine:
        name = weights.entry.name
        self.names.append(name)
        self.loading.set()
        assert self.gate is None or self.gate.wait(GATE_TIMEOUT_S)
        if self.errors:
            raise self.errors.pop(0)
        self.made[name] = FakeEngine(model=name, grid=GRIDS[name], failures=self.failures)
        return self.made[name]

    def close(self) -> None:
        if self.gate is not None:
            self.gate.set()
        for engine in self.made.values():
            open_gates(engine)


def small_models(folder: Path, url: str) -> Manifest:
    """Return all models as small files that `url` has; none of the published ones is in the folder yet."""
    folder.mkdir(exist_ok=True)
    sample = folder / "sample"
    sample.write_bytes(CONTENT)
    sha256 = file_sha256(sample)
    sample.unlink()
    return Manifest(
        tuple(
            entry if entry.bundled else msgspec.structs.replace(entry, urls=(url,), bytes=len(CONTENT), sha256=sha256)
            for entry in load_manifest().models
        )
    )


async def ask(peer: Peer, name: str) -> int:
    seq = peer.seq()
    await peer.send(m.Model(seq=seq, name=name))
    return seq


async def switch(peer: Peer, name: str, objects: int = 0) -> tuple[m.Image, dict[int, m.Object]]:
    """Switch on an open picture; return what was told of it and of so many objects."""
    await ask(peer, name)
    image = await peer.expect(m.Image)
    return image, {item.id: item for item in [await peer.expect(m.Object) for _ in range(objects)]}


async def all_objects(peer: Peer, count: int) -> dict[int, m.Object]:
    """Return the objects as the server knows them: the model that runs is chosen again."""
    await ask(peer, "tiny")
    await peer.expect(m.Image)
    return {item.id: item for item in [await peer.expect(m.Object) for _ in range(count)]}
