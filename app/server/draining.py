"""A server that finishes what it is at before it closes sockets.

uvicorn tells every WebSocket 1012 at once, so that a mask which is nearly done is lost, and obeys a second SIGINT but
no second SIGTERM.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from types import FrameType

import uvicorn
from litestar import Litestar

LOOK_AGAIN_S = 0.05
"""How often a draining server looks for a second signal, which a signal handler can't await."""


class DrainingServer(uvicorn.Server):
    """Drains, then closes; a second signal ends it at once.

    Attributes:
        app: the application that it serves.
    """

    def __init__(self, config: uvicorn.Config, app: Litestar, timeout_s: float) -> None:
        """Serve nothing yet.

        Args:
            config: uvicorn's configuration.
            app: the application, which says what is open.
            timeout_s: how long open work is waited for.
        """
        super().__init__(config)
        self.app, self._timeout_s = app, timeout_s

    @property
    def lost(self) -> bool:
        """Whether the model hangs for good; the server then ends by itself, and its supervisor starts another."""
        return bool(self.app.state.watch.lost)

    async def on_tick(self, counter: int) -> bool:
        """Return whether to end; called ten times a second."""
        return await super().on_tick(counter) or self.lost

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new connection, finish open work, then close every connection and end."""
        for server in self.servers:
            server.close()
        work = asyncio.ensure_future(self.app.state.drain())
        until = asyncio.get_running_loop().time() + self._timeout_s
        while not work.done() and not self.force_exit and not self.lost and asyncio.get_running_loop().time() < until:
            await asyncio.wait([work], timeout=LOOK_AGAIN_S)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await super().shutdown(sockets)
        if self.force_exit:
            # The application isn't told to shut down then, but is cancelled as the event loop ends. That is no fault,
            # and uvicorn would log a traceback of it.
            self.lifespan.logger = logging.getLogger(f"{__name__}.forced")
            self.lifespan.logger.disabled = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take note of a signal; the second one, of either kind, is in earnest."""
        again = self.should_exit
        super().handle_exit(sig, frame)
        self.force_exit = self.force_exit or again
