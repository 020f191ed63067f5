"""One socket and its session: a reader that never computes, two workers and a writer.

The reader decodes, checks and stores: changes go into a bounded queue that is worked off in order, a hover replaces
the one before. So a hover that was overtaken costs nothing, and a click is never lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine
from typing import Any

import structlog

from app.errors import BadMessageError, BadVersionError, BusyError, HoverError, ImageTooLargeError
from app.protocol.codec import decode_client, encode
from app.protocol.messages import (
    PROTOCOL_VERSION,
    ClientMessage,
    CloseCode,
    Error,
    Export,
    Hello,
    Hover,
    Image,
    Leave,
    Model,
    Open,
    Ping,
    Pong,
    Progress,
    ServerMessage,
)
from app.realtime.lobby import Lobby
from app.realtime.outbox import Outbox
from app.realtime.predictor import Predictor
from app.realtime.registry import Entry, WrongTokenError
from app.realtime.wire import DisconnectedError, Wire
from app.session.session import Change, HoverQuery, OpenImage, Query, Session

RESUME_SEQ = 0
"""`seq` of what a resumed client is told without having asked."""
BUSY_RETRY_S = 0.5
CANCEL_AGAIN_S = 0.1

log = structlog.get_logger(__name__)


class ClosedError(Exception):
    """The socket is to be closed with a code and a short reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Connection:
    """Runs one client until either side goes away."""

    def __init__(self, wire: Wire, predictor: Predictor, lobby: Lobby) -> None:
        """Args: an accepted socket, the model, and what sessions share."""
        self._wire, self._predictor, self._lobby = wire, predictor, lobby
        self._settings = lobby.settings
        self._outbox = Outbox(self._settings.max_replies_waiting)
        self._changes: asyncio.Queue[Change | Open | Model | Export] = asyncio.Queue(self._settings.max_clicks_queued)
        self._hover: deque[HoverQuery] = deque(maxlen=1)  # put here by the loop, taken by the device's thread
        self._hover_came = asyncio.Event()
        self._left_seq = -1
        self._ended: asyncio.Future[ClosedError] = asyncio.get_running_loop().create_future()
        self._bad_in_row = 0
        self._opening = 0  # pictures that were asked for and aren't ready

    async def run(self) -> None:
        """Serve the client; returns when the socket is closed. Raises nothing that a client could cause."""
        try:
            entry, resumed = await self._greet()
        except ClosedError as closed:
            await self._wire.close(closed.code, closed.reason)
            return
        except DisconnectedError:
            return
        structlog.contextvars.bind_contextvars(session=entry.id[:8])
        try:
            await self._serve(entry, resumed)
        finally:
            self._lobby.registry.leave(entry, self)

    def taken_over(self) -> None:
        """Close this socket: the session goes on in a newer one."""
        self._end(ClosedError(CloseCode.TAKEN_OVER, "taken over by a newer socket"))

    async def _greet(self) -> tuple[Entry, bool]:
        """Return the session of the client's hello.

        Raises:
            ClosedError: no hello, the wrong version, another's token, or no room; the client was told why.
        """
        try:
            data = await asyncio.wait_for(self._wire.receive(), self._settings.hello_timeout_s)
        except asyncio.TimeoutError:
            raise ClosedError(CloseCode.BAD_MESSAGES, "no hello in time") from None
        if data is None:
            raise ClosedError(CloseCode.TEXT_FRAME, "binary frames only")
        try:
            return self._enter(decode_client(data))
        except WrongTokenError:
            raise ClosedError(CloseCode.WRONG_TOKEN, "wrong token") from None
        except HoverError as error:
            await self._send(error_message(error, None, fatal=True))
            raise ClosedError(close_code(error), error.code) from error

    def _enter(self, hello: ClientMessage) -> tuple[Entry, bool]:
        if not isinstance(hello, Hello):
            raise BadMessageError("expected hello as the first message; send it and go on")
        if hello.version != PROTOCOL_VERSION:
            raise BadVersionError(f"this server speaks version {PROTOCOL_VERSION}, got {hello.version}")
        return self._lobby.registry.enter(self, hello.session, hello.token)

    async def _serve(self, entry: Entry, resumed: bool) -> None:
        """Welcome the client, then run reader, workers and writer until one of them ends."""
        session = entry.session
        self._outbox.put(self._lobby.welcome(entry, resumed))
        if resumed:
            self._tell_again(session)
        tasks = [asyncio.create_task(self._writer())]
        tasks += [asyncio.create_task(part) for part in self._parts(session)]
        try:
            ends: list[asyncio.Future[Any]] = [*tasks, self._ended]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel(tasks)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            await self._say_goodbye([*results, self._ended.result() if self._ended.done() else None])

    def _parts(self, session: Session) -> list[Coroutine[Any, Any, None]]:
        return [self._reader(session), self._change_worker(session), self._hover_worker(session)]

    async def _say_goodbye(self, results: list[Any]) -> None:
        """Close the socket as the first part that ended asks for."""
        for result in results:
            if isinstance(result, ClosedError):
                await self._flush()
                await self._wire.close(result.code, result.reason)
                return
        bugs = [r for r in results if isinstance(r, Exception) and not isinstance(r, DisconnectedError)]
        if bugs:
            log.error("connection_failed", exc_info=bugs[0])
            with contextlib.suppress(DisconnectedError, asyncio.TimeoutError):
                await self._send(Error(code="internal", message="the server made a mistake", fatal=True))
        await self._wire.close(1011 if bugs else 1000, "internal" if bugs else "")

    async def _flush(self) -> None:
        """Send what waits, such as the error that explains a close; not longer than a moment."""
        with contextlib.suppress(DisconnectedError, asyncio.TimeoutError):
            while self._outbox.waiting:
                await self._send(await self._outbox.get())

    def _tell_again(self, session: Session) -> None:
        if session.image is not None:
            self._outbox.put(self._image_message(RESUME_SEQ, session.image, cached=True, encode_ms=0.0))
            for message in session.everything(RESUME_SEQ):
                self._outbox.put(message)

    # The reader: decode, check, store.

    async def _reader(self, session: Session) -> None:
        while True:
            try:
                data = await asyncio.wait_for(self._wire.receive(), self._settings.idle_timeout_s)
            except asyncio.TimeoutError:
                raise ClosedError(CloseCode.IDLE, "idle") from None
            if data is None:
                raise ClosedError(CloseCode.TEXT_FRAME, "binary frames only")
            self._take(session, data)

    def _take(self, session: Session, data: bytes) -> None:
        """Sort one frame; what is wrong with it is answered, and ten bad ones in a row close."""
        message: ClientMessage | None = None
        try:
            message = decode_client(data)
            self._store(session, message)
            self._bad_in_row = 0
        except HoverError as error:
            self._outbox.put(error_message(error, getattr(message, "seq", error.seq)))
            self._bad_in_row = self._bad_in_row + 1 if isinstance(error, BadMessageError) else 0
            if self._bad_in_row >= self._settings.max_bad_messages:
                raise ClosedError(CloseCode.BAD_MESSAGES, "too many bad messages") from error

    def _store(self, session: Session, message: ClientMessage) -> None:
        if isinstance(message, Ping):
            meter = self._predictor.scheduler.decodes.meter
            self._outbox.put(Pong(at=message.at, queue_ms=meter.queue_ms, decode_ms=meter.work_ms))
        elif isinstance(message, Hello):
            raise BadMessageError("expected hello only once; the session is open")
        elif isinstance(message, (Hover, Leave)):
            session.admit(message.seq, change=False)
            self._point(session, message)
        else:
            session.admit(message.seq, change=True)
            self._queue(message)

    def _point(self, session: Session, message: Hover | Leave) -> None:
        """Replace the pending hover, or drop it."""
        if isinstance(message, Leave):
            self._left_seq = message.seq
            self._drop_hover()
            return
        if self._opening:  # what it points at isn't there yet
            return
        self._hover.append(session.hover(message))
        self._hover_came.set()

    def _drop_hover(self) -> None:
        """Forget what the pointer asked and what it wasn't told yet."""
        self._hover.clear()
        self._outbox.drop_preview()

    def _queue(self, message: Change | Open | Model | Export) -> None:
        try:
            self._changes.put_nowait(message)
        except asyncio.QueueFull:
            raise BusyError(
                f"{self._changes.maxsize} changes of this session wait already; send it again",
                retry_after_s=BUSY_RETRY_S,
            ) from None
        self._opening += isinstance(message, Open)

    # The workers.

    async def _change_worker(self, session: Session) -> None:
        """Do the changes one after the other; a change that fails is answered, and the next goes on."""
        while True:
            message = await self._changes.get()
            try:
                await self._change(session, message)
            except HoverError as error:
                self._outbox.put(error_message(error, message.seq))

    async def _change(self, session: Session, message: Change | Open | Model | Export) -> None:
        if isinstance(message, Open):
            try:
                await self._open(session, message)
            finally:
                self._opening -= 1
        elif isinstance(message, Model):
            self._lobby.check_model(message.name)
            if session.image is not None:
                self._outbox.put(self._image_message(message.seq, session.image, cached=True, encode_ms=0.0))
                self._send_all(session.everything(message.seq))
        elif isinstance(message, Export):
            raise BadMessageError("this server makes no exports; draw the masks that it sent")
        else:
            step = session.step(message)
            self._send_all(await self._answered(session, step) if isinstance(step, Query) else step)

    async def _answered(self, session: Session, query: Query) -> list[ServerMessage]:
        if session.image is None:
            raise AssertionError("a query needs a picture")
        return session.commit(query, await self._predictor.answer(session.image, query))

    async def _open(self, session: Session, message: Open) -> None:
        """Encode a picture, if it isn't yet, and begin on it."""
        if session.image is not None and session.has_handled(message.seq):
            self._outbox.put(self._image_message(message.seq, session.image, cached=True, encode_ms=0.0))
            self._send_all(session.everything(message.seq))
            return
        image_id = message.image_id
        if message.data is not None:
            image_id = await self._take_inline(message.seq, message.data)
        image = self._predictor.pictures.info(image_id or "")
        ahead = self._predictor.scheduler.encodes.ahead
        if ahead:
            self._outbox.put(Progress(seq=message.seq, stage="queued", position=ahead))
        self._outbox.put(Progress(seq=message.seq, stage="encoding"))
        embedded = await self._predictor.embed(image.image_id)
        self._drop_hover()
        session.open(message.seq, image)
        self._outbox.put(self._image_message(message.seq, image, embedded.cached, embedded.encode_ms))

    async def _take_inline(self, seq: int, data: bytes) -> str:
        """Keep a picture that rode in a message; return its name."""
        limit = self._settings.max_inline_bytes
        if len(data) > limit:
            raise ImageTooLargeError(f"a picture in a message may have {limit} bytes, got {len(data)}; upload it")
        self._outbox.put(Progress(seq=seq, stage="decoding"))
        return (await self._predictor.pictures.add(data)).image_id

    async def _hover_worker(self, session: Session) -> None:
        """Answer the newest hover, again and again. One that fails is lost, like one that was overtaken."""
        while True:
            await self._hover_came.wait()
            self._hover_came.clear()
            if session.image is None or not self._hover:
                continue
            asked = self._hover[0].query.seq
            try:
                await self._preview(session, session.image)
            except BusyError:
                continue
            except HoverError as error:
                self._outbox.put(error_message(error, asked))

    async def _preview(self, session: Session, image: OpenImage) -> None:
        """Answer the hover that is the newest when the device is free, unless the pointer has left since."""

        def newest() -> HoverQuery | None:  # called in the device's thread; a hover on the next picture isn't for us
            with contextlib.suppress(IndexError):
                return self._hover.pop() if session.image is image else None
            return None

        done = await self._predictor.hover(image, newest)
        if done is not None and session.image is image and done[0].query.seq > self._left_seq:
            self._outbox.put(session.preview(*done))

    # The writer.

    async def _writer(self) -> None:
        while True:
            await self._send(await self._outbox.get())

    async def _send(self, message: ServerMessage) -> None:
        try:
            await asyncio.wait_for(self._wire.send(encode(message)), self._settings.send_timeout_s)
        except asyncio.TimeoutError as error:
            raise DisconnectedError("the client reads too slowly") from error

    def _send_all(self, messages: list[ServerMessage]) -> None:
        for message in messages:
            self._outbox.put(message)

    def _image_message(self, seq: int, image: OpenImage, cached: bool, encode_ms: float) -> Image:
        return Image(
            seq=seq,
            image_id=image.image_id,
            width=image.width,
            height=image.height,
            model=self._predictor.engine.model,
            cached=cached,
            encode_ms=encode_ms,
        )

    def _end(self, reason: ClosedError) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)


async def cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and return once they have ended; before Python 3.12 `wait_for` may swallow it, so ask again."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_S)


def error_message(error: HoverError, seq: int | None, *, fatal: bool = False) -> Error:
    """Return an error as the client is told it."""
    return Error(
        seq=seq, code=error.code, message=error.message, fatal=fatal or error.fatal, retry_after=error.retry_after_s
    )


def close_code(error: HoverError) -> CloseCode:
    """Return the code that closes the socket after a hello that was refused."""
    if isinstance(error, BadVersionError):
        return CloseCode.VERSION
    return CloseCode.FULL if isinstance(error, BusyError) else CloseCode.BAD_MESSAGES
