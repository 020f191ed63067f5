"""One socket that was welcomed, and the one task that reads it. What comes is somebody else's to understand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection

from app.client.cookies import Cookies
from app.client.dial import dial, greet
from app.client.errors import LostError, closed_error, error_of
from app.client.frames import frame_of, message_in
from app.client.patience import Timeouts
from app.protocol.messages import ClientMessage, Error, ServerMessage, Welcome

Take: TypeAlias = Callable[[ServerMessage, int], None]
"""Called with every message and its bytes on the wire, in order."""


class Link:
    """A socket from its welcome to its end.

    Attributes:
        welcome: what the server said first.
        closed: done once the socket is gone, with the reason.
    """

    def __init__(self, socket: ClientConnection, welcome: Welcome, take: Take, stall_s: float) -> None:
        """Begin to read.

        Args:
            socket: one that was welcomed.
            welcome: what the server said.
            take: called with every message.
            stall_s: seconds in which the network has to take a message of ours; then the socket is as good as lost.
        """
        self.welcome = welcome
        self.closed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._socket, self._take, self._stall_s = socket, take, stall_s
        self._fatal: Exception | None = None
        self._reader = asyncio.create_task(self._read(), name="hoversam client reader")

    async def send(self, message: ClientMessage) -> None:
        """Hand the message to the network; one that takes nothing for long is as good as lost.

        Raises:
            LostError: the socket is gone.
            BadMessageError: it can't be sent, or is longer than the server takes; the socket stays as it was.
        """
        stall = asyncio.get_running_loop().call_later(self._stall_s, self._socket.transport.abort)
        try:
            await self._socket.send(frame_of(message, self.welcome.limits.max_message_bytes))
        except ConnectionClosed as error:
            raise closed_error(error) from error
        finally:
            stall.cancel()

    async def close(self) -> None:
        """Close the socket and return once nobody reads it any more."""
        await self._socket.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        reason: Exception = LostError("the session was closed; connect again")
        try:
            while True:
                frame = await self._socket.recv()
                message = message_in(frame)
                if isinstance(message, Error) and message.fatal:
                    self._fatal = error_of(message)  # explains the close that follows
                else:
                    self._take(message, len(frame))
        except ConnectionClosed as error:
            reason = self._fatal or closed_error(error)
        except Exception as error:  # a reply that is none, or a bug: told to everyone who waits, and no reading on
            reason = error
            self._socket.transport.abort()
        finally:
            if not self.closed.done():
                self.closed.set_result(reason)


async def open_link(
    url: str, timeouts: Timeouts, take: Take, *, cookies: Cookies, known: Welcome | None = None
) -> Link:
    """Return a link that has been welcomed; the caller closes it.

    Args:
        url: the server's address, or that of a balancer before several.
        timeouts: how long to wait.
        take: called with every message.
        cookies: what the balancer told us before; what it tells us now is added.
        known: the welcome of the session to take up again; None asks for a new one.

    Raises:
        ConnectionRefusedError: nobody answers at the address, or it is no HoverSAM server.
        LostError: the server closed the socket or did not say welcome.
        HoverError: the server turned the client away; the class says why.
        ValueError: no address of the web.
    """
    socket = await dial(url, timeouts, cookies)
    try:
        welcome = await greet(socket, timeouts, known)
    except BaseException:
        await socket.close()
        raise
    return Link(socket, welcome, take, timeouts.reply_s)
