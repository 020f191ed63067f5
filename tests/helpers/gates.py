"""Work that a test holds up."""

from __future__ import annotations

import asyncio
import threading

LONG_S = 20.0


class Gate:
    """Work that tells when it has begun and ends when it may."""

    def __init__(self) -> None:
        self.begun, self.open = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.open.wait(LONG_S)
        return "through"

    async def wait_until_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, LONG_S)
