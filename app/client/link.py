"""One socket to the server, the one task that reads it, and questions whose answers find back to who asked."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias, TypeVar, cast

from websockets import ConnectionClosed
from websockets.asyncio.client import ClientConnection

from app.client.book import Book, error_of
from app.client.dial import Timeouts, closed_error, decode_frame, dial, greet
from app.client.values import Latency, Object, Preview
from app.client.waiters import Answer, Waiters
from app.protocol import messages
from app.protocol.codec import encode
from app.protocol.messages import ClientMessage

R = TypeVar("R", bound="messages.Image | Preview | Object | messages.Gone | messages.File")
Question: TypeAlias = (
    messages.Open
    | messages.Hover
    | messages.Click
    | messages.Box
    | messages.Move
    | messages.Unpoint
    | messages.Choose
    | messages.Label
    | messages.Delete
    | messages.Clear
    | messages.Undo
    | messages.Redo
    | messages.Model
    | messages.Export
)
"""A message whose `seq` comes back in the reply."""


class Link:
    """Sends messages, reads replies into a `Book`, and hands each to whoever waits for it."""

    def __init__(self, socket: ClientConnection, welcome: messages.Welcome, timeouts: Timeouts) -> None:
        self.book = Book()
        self.waiters = Waiters()
        self.welcome = welcome
        self.timeouts = timeouts
        self._socket = socket
        self._seqs = itertools.count(1)
        self._pongs: dict[float, asyncio.Future[messages.Pong]] = {}

    def next_seq(self) -> int:
        """Return the number of the next message; send it before awaiting anything else, so that numbers go up."""
        return next(self._seqs)

    async def send(self, message: ClientMessage) -> None:
        """Hand the message to the network.

        Raises:
            ConnectionError: the socket is closed; connect again.
            TimeoutError: the server takes nothing more.
        """
        try:
            await asyncio.wait_for(self._socket.send(encode(message)), self.timeouts.reply_s)
        except ConnectionClosed as error:
            raise closed_error(error) from error
        except asyncio.TimeoutError as error:
            raise TimeoutError(f"the server took no message for {self.timeouts.reply_s:g} s; connect again") from error

    async def ask(self, message: Question, kinds: tuple[type[R], ...], timeout_s: float | None = None) -> R:
        """Return the first reply of one of the kinds.

        Raises:
            HoverError: the server answered with an error.
            ConnectionError: the socket closed before the answer.
            TimeoutError: none came within `timeout_s`, or `Timeouts.reply_s` where that is None.
        """
        answer = await self.start(message, kinds)
        return cast("R", await self.finish(message.seq, answer, timeout_s or self.timeouts.reply_s))

    async def start(self, message: Question, kinds: tuple[type, ...]) -> Answer:
        """Send a question and return the future of its answer, to be ended by `finish` or `waiters.forget`."""
        answer = self.waiters.expect(message.seq, kinds)
        try:
            await self.send(message)
        except BaseException:
            self.waiters.forget(message.seq)
            raise
        return answer

    async def finish(self, seq: int, answer: Answer, timeout_s: float) -> object:
        """Return the answer to a question that was started, None for a hover that was replaced.

        Raises:
            HoverError, ConnectionError, TimeoutError: as in `ask`.
        """
        try:
            return await asyncio.wait_for(answer, timeout_s)
        except asyncio.TimeoutError as error:
            raise TimeoutError(f"no answer came within {timeout_s:g} s; the server may be busy, try again") from error
        finally:
            self.waiters.forget(seq)

    async def ping(self) -> Latency:
        """Return how long things take at the moment.

        Raises:
            ConnectionError, TimeoutError: as in `ask`.
        """
        began = time.perf_counter()
        at = began * 1000
        self._pongs[at] = asyncio.get_running_loop().create_future()
        try:
            await self.send(messages.Ping(at=at))
            pong = await asyncio.wait_for(self._pongs[at], self.timeouts.reply_s)
        except asyncio.TimeoutError as error:
            raise TimeoutError(f"no pong came within {self.timeouts.reply_s:g} s; connect again") from error
        finally:
            self._pongs.pop(at).cancel()
        return Latency((time.perf_counter() - began) * 1000, pong.queue_ms, pong.decode_ms)

    async def read(self) -> None:
        """Read until the socket closes; whoever waits then learns why, instead of whoever runs this."""
        try:
            while True:
                self._take(await self._socket.recv())
        except ConnectionClosed as error:
            self._close(closed_error(error))
        except Exception as error:  # a reply that is none, or a bug: told to everyone who waits, and no reading on
            self._close(error)
        finally:
            self._close(ConnectionError("the session was closed; connect again"))

    def _take(self, frame: str | bytes) -> None:
        message = decode_frame(frame)
        if isinstance(message, messages.Error):
            if message.fatal:
                self._close(error_of(message))
            else:
                self.waiters.refuse(message.seq, error_of(message))
        elif isinstance(message, messages.Pong):
            pong = self._pongs.get(message.at)
            if pong is not None and not pong.done():
                pong.set_result(message)
        elif not isinstance(message, messages.Welcome):
            self.waiters.resolve(message.seq, self.book.note(message, len(frame)))

    def _close(self, error: Exception) -> None:
        self.waiters.close(error)
        for pong in self._pongs.values():
            if not pong.done():
                pong.set_exception(error)


@asynccontextmanager
async def open_link(url: str, timeouts: Timeouts) -> AsyncIterator[Link]:
    """Give a link that has been welcomed; leaving closes the socket and ends the reader.

    Raises:
        ConnectionRefusedError: nobody answers at the address, or it is no HoverSAM server.
        ConnectionError: the server closed the socket or did not say welcome.
        HoverError: the server turned the client away; the class says why.
    """
    async with await dial(url, timeouts) as socket:
        link = Link(socket, await greet(socket, timeouts), timeouts)
        reader = asyncio.create_task(link.read(), name="hoversam client reader")
        try:
            yield link
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
