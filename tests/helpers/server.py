"""A server around an engine without a model, in the test's own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from litestar import Litestar

from app.asgi import MakeBackend, create_app, in_this_process
from app.engine.factory import Load, load_engine
from app.limits import AppLimits
from app.server.draining import DrainingServer
from app.server.serve import server_config
from app.service.local_backend import LocalBackend
from app.service.predictor import Predictor
from app.service.shared_state import SharedState
from app.settings import Settings
from app.weights.manifest import Manifest
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.limits import QUICK
from tests.helpers.listening import accept_no_more

STOP_DEADLINE_S = 30.0


def open_gates(engine: FakeEngine) -> None:
    for gate in (engine.encode_gate, engine.decode_gate, engine.track_gate):
        if gate is not None:
            gate.set()


class NotifyingServer(DrainingServer):
    """Our server, which also says when it listens, and leaves signals to the process that it is a guest of."""

    def __init__(self, config: uvicorn.Config, app: Litestar, limits: AppLimits) -> None:
        super().__init__(config, app, limits.server.shutdown_timeout_s)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none: the second of two that end as they began would put back the first one's handlers."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            await accept_no_more(listener)
        await super().shutdown(sockets)


@dataclass(frozen=True)
class Server:
    """A server in the test's own event loop.

    Attributes:
        url: `http://127.0.0.1:PORT`.
        ws_url: address of the socket.
        engine: the engine, with its gates.
        settings, limits: its own.
        predictor, shared_state: what the connections share.
        uvicorn, task: to stop it before the test ends.
    """

    url: str
    engine: FakeEngine
    settings: Settings
    limits: AppLimits
    predictor: Predictor
    shared_state: SharedState
    uvicorn: NotifyingServer
    task: asyncio.Task[None]

    @property
    def backend(self) -> LocalBackend:
        """The models of this process."""
        assert isinstance(self.predictor.backend, LocalBackend)
        return self.predictor.backend

    @property
    def ws_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/ws"

    async def stop(self) -> None:
        self.uvicorn.should_exit = True
        await asyncio.wait_for(self.task, STOP_DEADLINE_S)


async def started(
    settings: Settings,
    engine: FakeEngine,
    *,
    limits: AppLimits = QUICK,
    manifest: Manifest | None = None,
    load: Load = load_engine,
    first_responder: str | None = None,
    make_backend: MakeBackend | None = None,
) -> Server:
    app: Litestar = create_app(
        settings,
        make_backend or in_this_process(settings, limits, engine, lambda _: None, first_responder),
        limits=limits,
        manifest=manifest,
        load=load,
    )
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    inner = NotifyingServer(server_config(settings, limits, app), app, limits)
    task = asyncio.create_task(inner.serve(sockets=[listener]))
    await asyncio.wait([task, waiter := asyncio.create_task(inner.ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if task.done():
        task.result()
    shared = [await app.dependencies[name].dependency() for name in ("predictor", "shared_state")]  # type: ignore[union-attr]
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    return Server(url, engine, settings, limits, shared[0], shared[1], inner, task)
