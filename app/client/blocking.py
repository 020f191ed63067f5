"""The client for code without `async`: the same session, each call waiting for its answer.

The sockets live on an event loop in a thread of their own, so that the connection stays alive between calls.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from anyio.from_thread import BlockingPortal, start_blocking_portal

from app.client.dial import Timeouts
from app.client.session import ClientSession, connect
from app.client.values import Latency, Object, Preview
from app.protocol import messages


@contextmanager
def connect_blocking(url: str, *, timeouts: Timeouts | None = None) -> Iterator[BlockingSession]:
    """Give a session of its own on the server at `url`; leaving ends it and its thread.

    Raises:
        ConnectionRefusedError: nobody answers there.
        ConnectionError: the server closed the socket or did not say welcome.
        HoverError: the server turned the client away; the class says why.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(connect(url, timeouts=timeouts)) as session,
    ):
        yield BlockingSession(portal, session)


class BlockingSession:
    """A `ClientSession` whose methods return instead of being awaited; see there for what each gives and raises."""

    def __init__(self, portal: BlockingPortal, session: ClientSession) -> None:
        self._portal = portal
        self._session = session

    @property
    def welcome(self) -> messages.Welcome:
        """What the server said of itself: its models, its limits."""
        return self._session.welcome

    @property
    def image(self) -> messages.Image | None:
        """The picture that is open."""
        return self._session.image

    @property
    def objects(self) -> Mapping[int, Object]:
        """The objects by their id, as the server last told them; a copy."""
        return dict(self._session.objects)

    def open(self, picture: str | Path | bytes) -> messages.Image:
        """Upload a picture and return what the server says of it once it takes prompts."""
        return self._portal.call(self._session.open, picture)

    def hover(self, x: float, y: float, *, label: int = 1, object: int | None = None) -> Preview | None:
        """Return what a click at `(x, y)` would give; None where no answer came in time."""
        return self._portal.call(partial(self._session.hover, x, y, label=label, object=object))

    def hovers(
        self, points: Iterable[tuple[float, float]], *, label: int = 1, object: int | None = None
    ) -> Iterator[Preview]:
        """Give the previews along a path of `(x, y)`; those overtaken are left out."""
        previews = self._session.hovers(points, label=label, object=object)
        try:
            while preview := self._portal.call(_next, previews):
                yield preview
        finally:
            self._portal.call(previews.aclose)

    def leave(self) -> None:
        """Drop the pending hover."""
        self._portal.call(self._session.leave)

    def click(self, x: float, y: float, *, label: int = 1, object: int | None = None) -> Object:
        """Return the object after a point was added to it: a new object, or the one whose id is `object`."""
        return self._portal.call(partial(self._session.click, x, y, label=label, object=object))

    def box(self, box_xyxy: tuple[float, float, float, float], *, object: int | None = None) -> Object:
        """Return the object after its box was set: a new object, or the one whose id is `object`."""
        return self._portal.call(partial(self._session.box, box_xyxy, object=object))

    def move(self, object: int, point: int, x: float, y: float) -> Object | None:
        """Return the object after its point moved; None where nothing of it was left."""
        return self._portal.call(self._session.move, object, point, x, y)

    def unpoint(self, object: int, point: int) -> Object | None:
        """Return the object after its point was taken away; None where that was its last prompt."""
        return self._portal.call(self._session.unpoint, object, point)

    def choose(self, object: int, candidate: int) -> Object:
        """Return the object with another of its candidates."""
        return self._portal.call(self._session.choose, object, candidate)

    def label(self, object: int, name: str) -> Object:
        """Return the object under its new name."""
        return self._portal.call(self._session.label, object, name)

    def delete(self, object: int) -> None:
        """Delete an object."""
        self._portal.call(self._session.delete, object)

    def clear(self) -> None:
        """Delete every object."""
        self._portal.call(self._session.clear)

    def undo(self) -> None:
        """Go one step back."""
        self._portal.call(self._session.undo)

    def redo(self) -> None:
        """Go one step forward again."""
        self._portal.call(self._session.redo)

    def model(self, name: str) -> messages.Image:
        """Go on with another model."""
        return self._portal.call(self._session.model, name)

    def export(self, format: messages.ExportFormat, objects: Iterable[int] | None = None) -> messages.File:
        """Return a file of the objects named, or of all."""
        return self._portal.call(self._session.export, format, objects)

    def ping(self) -> Latency:
        """Return how long things take at the moment."""
        return self._portal.call(self._session.ping)


async def _next(previews: AsyncGenerator[Preview, None]) -> Preview | None:
    return await anext(previews, None)
