"""Whatever a search for the things of a picture is at, who comes waits for no more than one decode of it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from app.arrays import ImageArray
from app.engine.contract import Candidates, Embedding, Prompt
from app.pictures import PictureLimits, read_opaque
from app.protocol import messages as m
from app.service import local_backend, picture_store, scheduler
from app.settings import Settings
from tests.helpers.fake_engine import GATE_TIMEOUT_S, GRID, FakeEmbedding, FakeEngine
from tests.helpers.garage import Garage, small_models, switch
from tests.helpers.image_files import png
from tests.helpers.limits import shrunk
from tests.helpers.peer import DEADLINE_S, Peer, greeted, opened, until, uploaded
from tests.helpers.server import Server, started
from tests.helpers.weights_site import CONTENT

pytestmark = pytest.mark.anyio

SIDE = 256
SEARCHED = png(SIDE, SIDE)
HOVER = (7.25, 9.5)
"""No point of a grid."""
NOTHING = Candidates(np.zeros((3, GRID, GRID), np.float32), np.zeros(3, np.float32))
DECODE, READING, ENCODE, DECODE_IN_WINDOW = "decode", "reading", "encode", "decode in a window"


@dataclass
class Held(FakeEngine):
    """An engine that does one kind of a search's pieces only as the test lets it.

    Attributes:
        hold: the kind that is held; tests change it.
        at: the kind of the piece that is held now, empty while none is.
        steps: let through one held piece each.
        log: what was begun, the pieces of the search by their kinds, hovers as such.
    """

    model: str = "nano"
    hold: str = DECODE
    at: str = ""
    steps: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    log: list[str] = field(default_factory=list)

    def decode(self, embedding: Embedding, prompts: list[Prompt]) -> list[Candidates]:
        if prompts[0].points_xy == (HOVER,):
            self.log.append("hover")
            return super().decode(embedding, prompts)
        self.piece(DECODE if embedding.size_hw == (SIDE, SIDE) else DECODE_IN_WINDOW)
        return [NOTHING]

    def encode_while(self, image: ImageArray, is_free: Callable[[], bool]) -> FakeEmbedding | None:
        return self.encode(image) if self.piece(ENCODE, is_free) else None

    def read(self, data: bytes, limits: PictureLimits) -> ImageArray:
        if data == SEARCHED:
            self.piece(READING)
        return read_opaque(data, limits)

    def piece(self, kind: str, is_free: Callable[[], bool] = lambda: True) -> bool:
        """Return True once the test lets a piece end, False where it gives way."""
        self.log.append(kind)
        self.at = kind if kind == self.hold else ""
        looks = 0
        while kind == self.hold and not self.steps.acquire(timeout=0.001):
            looks += 1
            assert looks < 1000 * GATE_TIMEOUT_S
            if not is_free():
                return False
        return True


@pytest.fixture
def engine() -> Held:
    return Held()


@pytest.fixture
async def server(
    anyio_backend: str, engine: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Server]:
    """A server whose searches go on as soon as nobody hovers, and that has `small` too."""
    monkeypatch.setattr(local_backend, "NOBODY_HOVERS_S", 0.0)
    monkeypatch.setattr(scheduler, "COURTESY_S", 0.0)
    monkeypatch.setattr(picture_store, "read_opaque", engine.read)
    settings = Settings(checkpoints_dir=tmp_path, cache_dir=tmp_path / "cache", offline=True)
    manifest = small_models(tmp_path, "http://127.0.0.1:1/weights.pt")
    (tmp_path / manifest.entry("small").file).write_bytes(CONTENT)
    limits = shrunk(hover_timeout_s=DEADLINE_S, shutdown_timeout_s=2.0)
    running = await started(settings, engine, limits=limits, manifest=manifest, load=Garage().load)
    yield running
    engine.hold = ""
    await running.stop()


async def hover(peer: Peer, server: Server, engine: Held) -> None:
    """Point at a picture; the decode that the search is at may end meanwhile, and then the hover is next."""
    log = len(engine.log)
    await peer.send(m.Hover(seq=peer.seq(), x=HOVER[0], y=HOVER[1]))
    if engine.hold in (DECODE, DECODE_IN_WINDOW):
        await until(lambda: server.backend.scheduler.decodes.is_wanted)
        engine.steps.release()
    await peer.expect(m.Preview)
    assert engine.log[log] == "hover"


async def test_whoever_comes_waits_for_no_more_than_a_decode_of_a_search(server: Server, engine: Held) -> None:
    async with opened(server, SEARCHED) as searching:
        await searching.send(m.FindRegions(seq=100))
        for number, kind in enumerate((DECODE, READING, ENCODE, DECODE_IN_WINDOW)):
            engine.hold = kind
            await until(lambda kind=kind: engine.at == kind)  # type: ignore[misc]
            picture = await uploaded(server, png(SIDE + 8, SIDE + number))
            async with greeted(server) as peer:
                # All of these are answered while the search is held; beside it, but for the hover.
                await peer.open(picture)
                await peer.send(m.Look(seq=peer.seq(), view=(0, 0, 50, 40), scale=4))
                assert (await peer.expect(m.Window)).window == (0, 0, 128, 128)
                await hover(peer, server, engine)
                await switch(peer, "small", objects=0)
            await until(lambda kind=kind: engine.at == kind)  # type: ignore[misc]  # it goes on where it was
