from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest

from tests.helpers.image_files import png
from tests.helpers.observed import Observed
from tests.helpers.peer import post_picture_to
from tests.helpers.program import Program, free_port
from tests.helpers.pulse import goes_first

SHORT: Final[dict[str, float]] = {
    "send_timeout_s": 1,
    "head_timeout_s": 1,
    "body_timeout_s": 2,
    "hello_timeout_s": 1,
    "ping_interval_s": 1,
    "ping_timeout_s": 1,
    "resume_s": 1,
    "shutdown_timeout_s": 2,
    "blocked_loop_s": 0.5,
    "click_timeout_s": 1,
    "rate_grace_s": 1,
}
"""Every patience of the server, shortened, so that a fault and its end take seconds."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def victim(anyio_backend: str) -> AsyncIterator[Observed]:
    """One server for all faults of a file: none of them may break it."""
    program = Program(free_port(), module="tests.helpers.slow_program", limits=SHORT, forked=True)
    goes_first(program.process.pid)
    try:
        program.wait_until_ready()
        server = Observed(program, await post_picture_to(program.url, png(64, 48)))
        yield server
        await server.stop()
    finally:
        program.kill()
