"""The client for code without `async`: the same session, each call waiting for its answer.

The socket lives on an event loop in a thread of its own, so that the connection stays alive between calls.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from app.client.patience import Reconnect, Timeouts
from app.client.session import ClientSession, Point, connect
from app.client.values import Box, File, Image, Latency, Object, Preview, Progress, Welcome
from app.client.wire import ExportFormat

T = TypeVar("T")


@contextmanager
def connect_blocking(
    url: str,
    *,
    timeouts: Timeouts | None = None,
    reconnect: Reconnect | None = None,
    record: str | Path | None = None,
) -> Iterator[BlockingSession]:
    """Give a session of its own on the server at `url`; leaving ends it and its thread. See `connect`.

    Raises:
        ConnectionRefusedError: nobody answers there.
        ConnectionError: the server closed the socket or did not say welcome.
        HoverError: the server turned the client away; the class says why.
    """
    with _loop_in_a_thread() as loop:
        connection = connect(url, timeouts=timeouts, reconnect=reconnect, record=record)
        session = loop.run(connection.__aenter__())
        try:
            yield BlockingSession(loop, session)
        finally:
            loop.run(connection.__aexit__(None, None, None))


class _Loop:
    """An event loop that another thread runs."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns; it is cancelled where the caller is interrupted."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result()
        finally:
            future.cancel()


@contextmanager
def _loop_in_a_thread() -> Iterator[_Loop]:
    inner = _Loop()
    thread = threading.Thread(target=inner.loop.run_forever, name="hoversam client", daemon=True)
    thread.start()
    try:
        yield inner
    finally:
        inner.loop.call_soon_threadsafe(inner.loop.stop)
        thread.join()
        inner.loop.run_until_complete(inner.loop.shutdown_default_executor())
        inner.loop.close()


class BlockingSession:
    """A `ClientSession` whose methods return instead of being awaited; see there for what each gives and raises."""

    def __init__(self, loop: _Loop, session: ClientSession) -> None:
        self._run = loop.run
        self._session = session

    @property
    def welcome(self) -> Welcome:
        """What the server said of itself: its models, its limits."""
        return self._session.welcome

    @property
    def image(self) -> Image | None:
        """The picture that is open."""
        return self._session.image

    @property
    def objects(self) -> Mapping[int, Object]:
        """The objects by their id, as the server last told them; a copy."""
        return dict(self._session.objects)

    @property
    def can_undo(self) -> bool:
        """True where there is a step back."""
        return self._session.can_undo

    @property
    def can_redo(self) -> bool:
        """True where a step was undone and nothing done since."""
        return self._session.can_redo

    @property
    def losses(self) -> int:
        """How many times the connection was lost so far."""
        return self._session.losses

    def open(self, picture: str | Path | bytes, *, progress: Callable[[Progress], None] | None = None) -> Image:
        """Upload a picture and return what the server says of it once it takes prompts."""
        return self._run(self._session.open(picture, progress=progress))

    def preview(self, x: float, y: float, *, label: int = 1, object: int | None = None) -> Preview | None:
        """Return what a click at `(x, y)` would give; None where no answer came in time."""
        return self._run(self._session.preview(x, y, label=label, object=object))

    def hover(self, points: Iterable[Point], *, label: int = 1, object: int | None = None) -> Iterator[Preview]:
        """Give the previews along a path of `(x, y)`; those overtaken are left out."""
        previews = self._session.hover(points, label=label, object=object)
        try:
            while preview := self._run(_next(previews)):
                yield preview
        finally:
            self._run(_end(previews))

    def leave(self) -> None:
        """Drop the pending hover."""
        self._run(self._session.leave())

    def click(
        self, x: float, y: float, *, label: int = 1, object: int | None = None, candidate: int | None = None
    ) -> Object:
        """Return the object after a point was added to it: a new object, or the one whose id is `object`."""
        return self._run(self._session.click(x, y, label=label, object=object, candidate=candidate))

    def box(self, box_xyxy: Box, *, object: int | None = None) -> Object:
        """Return the object after its box was set: a new object, or the one whose id is `object`."""
        return self._run(self._session.box(box_xyxy, object=object))

    def move(self, object: int, point: int, x: float, y: float) -> Object | None:
        """Return the object after its point moved; None where nothing of it was left."""
        return self._run(self._session.move(object, point, x, y))

    def unpoint(self, object: int, point: int) -> Object | None:
        """Return the object after its point was taken away; None where that was its last prompt."""
        return self._run(self._session.unpoint(object, point))

    def choose(self, object: int, candidate: int) -> Object:
        """Return the object with another of its candidates."""
        return self._run(self._session.choose(object, candidate))

    def label(self, object: int, name: str) -> Object:
        """Return the object under its new name."""
        return self._run(self._session.label(object, name))

    def delete(self, object: int) -> None:
        """Delete an object."""
        self._run(self._session.delete(object))

    def clear(self) -> None:
        """Delete every object."""
        self._run(self._session.clear())

    def undo(self) -> None:
        """Go one step back."""
        self._run(self._session.undo())

    def redo(self) -> None:
        """Go one step forward again."""
        self._run(self._session.redo())

    def model(self, name: str, *, progress: Callable[[Progress], None] | None = None) -> Image | None:
        """Go on with another model."""
        return self._run(self._session.model(name, progress=progress))

    def export(self, format: ExportFormat, objects: Iterable[int] | None = None) -> File:
        """Return a file of the objects named, or of all."""
        return self._run(self._session.export(format, objects))

    def ping(self) -> Latency:
        """Return how long things take at the moment."""
        return self._run(self._session.ping())


async def _next(previews: AsyncGenerator[Preview, None]) -> Preview | None:
    return await anext(previews, None)


async def _end(previews: AsyncGenerator[Preview, None]) -> None:
    await previews.aclose()
