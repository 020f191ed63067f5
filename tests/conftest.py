"""What tests share: a server around an engine without a model, and the real program as a process of its own."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator

import hypothesis
import pytest

from app.limits import AppLimits
from app.settings import Settings, variable
from tests.helpers.fake_engine import FakeEngine
from tests.helpers.limits import QUICK
from tests.helpers.program import Phoenix, Program, free_port
from tests.helpers.server import Server, open_gates, started


def pytest_configure() -> None:
    """Let programs that tests start run on torch, which compiles nothing beside the tests; some ask for more.

    Settings of whoever runs the tests are none of theirs.
    """
    for name in map(variable, Settings.__struct_fields__):
        os.environ.pop(name, None)
    os.environ["HOVERSAM_ENGINE"] = "torch"
    hypothesis.settings.register_profile(
        "unhurried", hypothesis.settings(), deadline=None
    )  # a slow machine is no fault
    hypothesis.settings.load_profile("unhurried")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a job in the background; its children would ignore it too
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Let no collection of garbage walk over what stays until the end: modules and thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings() -> Settings:
    """Settings of the `server`; a test module with a need of its own overrides this fixture."""
    return Settings(offline=True)


@pytest.fixture
def limits() -> AppLimits:
    """AppLimits of the `server`, likewise."""
    return QUICK


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    """The engine of the `server`; gates that a test has shut are opened when it ends."""
    fake = FakeEngine()
    yield fake
    open_gates(fake)


@pytest.fixture
async def server(
    anyio_backend: str, settings: Settings, limits: AppLimits, engine: FakeEngine
) -> AsyncIterator[Server]:
    """A real uvicorn on a free port, around the real application and an engine without a model."""
    running = await started(settings, engine, limits=limits)
    yield running
    open_gates(engine)
    await running.stop()


@pytest.fixture(scope="session")
def live_server() -> Iterator[str]:
    """The address of the real program with the bundled model; started once for all tests that ask."""
    program = Program(free_port(), "--offline", "--model", "nano", forked=True)
    try:
        program.wait_until_ready()
        yield program.url
        program.stop()
    finally:
        program.kill()


@pytest.fixture
def phoenix() -> Iterator[Phoenix]:
    phoenix = Phoenix()
    yield phoenix
    for program in phoenix.programs:
        program.kill()
