from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.helpers.image_files import png
from tests.helpers.observed import Observed
from tests.helpers.peer import post_picture_to
from tests.helpers.program import Program, free_port
from tests.helpers.pulse import goes_first

SHORT = {
    "SEND_TIMEOUT_S": "1",
    "HEAD_TIMEOUT_S": "1",
    "BODY_TIMEOUT_S": "2",
    "HELLO_TIMEOUT_S": "1",
    "PING_INTERVAL_S": "1",
    "PING_TIMEOUT_S": "1",
    "RESUME_S": "1",
    "SHUTDOWN_TIMEOUT_S": "2",
    "BLOCKED_LOOP_S": "0.5",
    "CLICK_TIMEOUT_S": "1",
    "RATE_GRACE_S": "1",
}
"""Every patience of the server, shortened, so that a fault and its end take seconds."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def victim(anyio_backend: str) -> AsyncIterator[Observed]:
    """One server for all faults of a file: none of them may break it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SHORT.items():
            patch.setenv(f"HOVERSAM_{name}", value)
        program = Program(free_port(), module="tests.helpers.slow_program")
        goes_first(program.process.pid)
    try:
        program.wait_until_ready()
        server = Observed(program, await post_picture_to(program.url, png(64, 48)))
        yield server
        await server.stop()
    finally:
        program.kill()
