"""What tests share: a server around an engine without a model, and the real program as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from litestar import Litestar

from app.asgi import create_app
from app.client import Reconnect
from app.engine.fake import FakeEngine
from app.engine.manifest import Manifest
from app.models import Load, load_engine
from app.realtime.lobby import Lobby
from app.realtime.predictor import Predictor
from app.serve import server_config
from app.settings import Settings
from app.web.draining import DrainingServer

ROOT = Path(__file__).parent.parent
START_DEADLINE_S = 120.0
STOP_DEADLINE_S = 30.0
PATIENT = Reconnect(give_up_s=START_DEADLINE_S, first_s=0.05, longest_s=0.5)
"""How a client waits for a server that is started again."""


def pytest_configure() -> None:
    """Let programs that tests start run on torch, which compiles nothing beside the tests; some ask for more."""
    os.environ.setdefault("HOVERSAM_ENGINE", "torch")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a job in the background; its children would ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings() -> Settings:
    """Settings of the `server`; a test module with a need of its own overrides this fixture."""
    return Settings(offline=True, shutdown_timeout_s=2.0)


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """The engine of the `server`; gates that a test has shut are opened when it ends."""
    fake = FakeEngine()
    yield fake
    open_gates(fake)


def open_gates(engine: FakeEngine) -> None:
    for gate in (engine.encode_gate, engine.decode_gate):
        if gate is not None:
            gate.set()


class NotifyingServer(DrainingServer):
    """Our server, which also says when it listens."""

    def __init__(self, config: uvicorn.Config, app: Litestar, settings: Settings) -> None:
        super().__init__(config, app, settings.shutdown_timeout_s)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@dataclass(frozen=True)
class Server:
    """A server in the test's own event loop.

    Attributes:
        url: `http://127.0.0.1:PORT`.
        ws_url: address of the socket.
        engine: the engine, with its gates.
        predictor, lobby: what the connections share.
        uvicorn, task: to stop it before the test ends.
    """

    url: str
    engine: FakeEngine
    predictor: Predictor
    lobby: Lobby
    uvicorn: NotifyingServer
    task: asyncio.Task[None]

    @property
    def ws_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/ws"

    async def stop(self) -> None:
        self.uvicorn.should_exit = True
        await asyncio.wait_for(self.task, STOP_DEADLINE_S)


async def started(
    settings: Settings, engine: FakeEngine, *, manifest: Manifest | None = None, load: Load = load_engine
) -> Server:
    app: Litestar = create_app(settings, engine, set_threads=lambda _: None, manifest=manifest, load=load)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    inner = NotifyingServer(server_config(settings, app), app, settings)
    task = asyncio.create_task(inner.serve(sockets=[listener]))
    await asyncio.wait([task, waiter := asyncio.create_task(inner.ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    if task.done():
        task.result()
    shared = [await app.dependencies[name].dependency() for name in ("predictor", "lobby")]  # type: ignore[union-attr]
    return Server(f"http://127.0.0.1:{listener.getsockname()[1]}", engine, shared[0], shared[1], inner, task)


@pytest.fixture
async def server(anyio_backend: str, settings: Settings, engine: FakeEngine) -> AsyncIterator[Server]:
    """A real uvicorn on a free port, around the real application and an engine without a model."""
    running = await started(settings, engine)
    yield running
    open_gates(engine)
    await running.stop()


class Program:
    """`python -m app serve` as a process of its own; what it says on standard error is kept."""

    def __init__(self, port: int, *options: str, module: str = "app") -> None:
        command = [sys.executable, "-m", module, "serve", "--host", "127.0.0.1", "--port", str(port), *options]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self.ready = threading.Event()
        self._said_more, self._silent = threading.Condition(), False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def wait_until_ready(self) -> None:
        """Return once it serves; fails with what it said where it dies or takes too long."""
        if not self.ready.wait(START_DEADLINE_S) or self.process.poll() is not None:
            pytest.fail(f"the server did not start, exit code {self.process.poll()}:\n{self.said}")
        transport = httpx.HTTPTransport(retries=5)  # it says its address just before it listens
        with httpx.Client(transport=transport, timeout=STOP_DEADLINE_S, trust_env=False) as client:
            client.get(f"{self.url}/healthz").raise_for_status()

    def wait_for(self, words: str) -> None:
        """Return once it has said something; fails where it ends or takes too long before."""
        with self._said_more:
            done = self._said_more.wait_for(lambda: words in self.said or self._silent, START_DEADLINE_S)
        if not done or words not in self.said:
            pytest.fail(f"the server did not say {words!r}:\n{self.said}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end and return its exit code; one that has died before is a failure."""
        died = self.process.poll()
        if died is not None:
            pytest.fail(f"the server died with exit code {died}:\n{self.said}")
        self.process.send_signal(how)
        try:
            return self.process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the server did not stop:\n{self.said}")
        finally:
            self.kill()

    def kill(self) -> None:
        """End it whatever it does, and take what it had still to say."""
        self.process.kill()
        self.process.wait()
        self._reader.join(STOP_DEADLINE_S)

    def _read(self) -> None:
        if self.process.stderr is None:
            raise AssertionError("standard error is piped")
        with self.process.stderr as stream:
            for line in stream:
                with self._said_more:
                    self.lines.append(line)
                    self._said_more.notify_all()
                if "open http" in line:
                    self.ready.set()
        self.ready.set()  # it has ended: whoever waits sees that
        with self._said_more:
            self._silent = True
            self._said_more.notify_all()


@pytest.fixture(scope="session")
def live_server() -> Iterator[str]:
    """The address of the real program with the bundled model; started once for all tests that ask."""
    program = Program(free_port(), "--offline", "--model", "nano")
    try:
        program.wait_until_ready()
        yield program.url
        program.stop()
    finally:
        program.kill()


class Phoenix:
    """The real program without a model, which can be ended and begun again at its address."""

    def __init__(self) -> None:
        self.port = free_port()
        self.programs: list[Program] = []
        self.begin()

    @property
    def url(self) -> str:
        return self.programs[-1].url

    def begin(self) -> None:
        self.programs.append(Program(self.port, module="tests.integration.fake_program"))
        self.programs[-1].wait_until_ready()

    def end(self, how: signal.Signals) -> None:
        self.programs[-1].stop(how)

    def restart(self, how: signal.Signals) -> None:
        self.end(how)
        self.begin()


@pytest.fixture
def phoenix() -> Iterator[Phoenix]:
    phoenix = Phoenix()
    yield phoenix
    for program in phoenix.programs:
        program.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve_to_the_end(*options: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `python -m app serve` where it is expected to give up by itself."""
    return subprocess.run(
        [sys.executable, "-m", "app", "serve", *options],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=START_DEADLINE_S,
        check=False,
    )
