"""The client of one session: open a picture, hover, click, get masks as arrays.

    async with connect("http://127.0.0.1:8000") as session:
        await session.open("cat.jpg")
        async for preview in session.hover([(300, 180), (310, 190), (320, 200)]):
            print(preview.score)
        cat = await session.click(320, 200)
        cat.mask  # (H, W) bool

A lost connection is dialled again by itself and the session taken up where it was, on a server that was restarted
too: see `app.client.reconnecting`. Needs `msgspec` and `websockets`; NumPy for `mask` alone.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar, cast

import msgspec
from msgspec.structs import replace

from app.client.by_hand import PointXy, finite
from app.client.opening import open_picture
from app.client.patience import Reconnect, Timeouts
from app.client.pending_requests import UNNUMBERED, Request
from app.client.pixels import PictureLike, picture_of
from app.client.reconnecting import ReconnectingSession
from app.client.record import Recorder
from app.client.saving import Saving
from app.client.upload import labels_in
from app.client.values import Imported, Latency, Object, Preview
from app.errors import BadMessageError, NoImageError
from app.protocol import messages as m
from app.protocol.fields import BoxXyxy, WindowXyxy
from app.protocol.labels import Labels
from app.protocol.messages import (
    Class,
    Classes,
    ClientMessage,
    File,
    Gone,
    Image,
    Progress,
    Regions,
    Welcome,
    Window,
)

R = TypeVar("R", bound="Image | Classes | Object | Gone | Regions | Window | File")
_HOVERS_IN_FLIGHT: Final = 2
"""One that the device works on and one that waits; a third would only replace the second."""


@asynccontextmanager
async def connect(
    url: str,
    *,
    timeouts: Timeouts | None = None,
    reconnect: Reconnect | None = None,
    record: str | Path | None = None,
) -> AsyncIterator[ClientSession]:
    """Give a session of its own on the server at `url`, such as http://127.0.0.1:8000; leaving ends it.

    Args:
        url: the server's address.
        timeouts: how long to wait for what.
        reconnect: how long a lost connection is dialled again; `Reconnect(give_up_s=0)` never does.
        record: a file that is written as a script of what the session does, for `python -m app script`.

    Raises:
        ConnectionRefusedError: nobody answers there.
        ConnectionError: the server closed the socket or did not say welcome.
        HoverError: the server turned the client away; the class says why.
    """
    recorder = Recorder(None if record is None else Path(record))
    reconnecting = ReconnectingSession(url, timeouts or Timeouts(), reconnect or Reconnect())
    try:
        await reconnecting.begin()
        try:
            yield ClientSession(reconnecting, recorder)
        finally:
            await reconnecting.end()
    finally:
        recorder.close()


class ClientSession(Saving):
    """A session as its client sees it. Coordinates are pixels of the upright picture, origin top-left.

    Every method raises the `HoverError` that the server answers with (its `code` and `retry_after_s` are the
    server's), `ConnectionError` once the connection is lost for good, and `TimeoutError` where no answer comes in time.
    """

    def __init__(self, reconnecting: ReconnectingSession, recorder: Recorder) -> None:
        self._reconnecting, self._recorder = reconnecting, recorder
        self._painted: int | None = None
        self._window: WindowXyxy | None = None

    @property
    def welcome(self) -> Welcome:
        """What the server said of itself: its models, its limits."""
        return self._reconnecting.welcome

    @property
    def image(self) -> Image | None:
        """The picture that is open."""
        return self._reconnecting.view.image

    @property
    def objects(self) -> Mapping[int, Object]:
        """The objects by their id, as the server last told them; a live view."""
        return MappingProxyType(self._reconnecting.view.objects)

    @property
    def classes(self) -> tuple[Class, ...]:
        """The ordered list of classes; the place of one, from 0, is its number in every file."""
        return self._reconnecting.view.classes

    @property
    def can_undo(self) -> bool:
        """True where there is a step back."""
        return self._reconnecting.view.can_undo

    @property
    def can_redo(self) -> bool:
        """True where a step was undone and nothing done since."""
        return self._reconnecting.view.can_redo

    @property
    def losses(self) -> int:
        """How many times the connection was lost so far."""
        return self._reconnecting.losses

    async def open(
        self,
        picture: PictureLike,
        *,
        progress: Callable[[Progress], None] | None = None,
        provisional: bool = False,
    ) -> Image:
        """Upload a picture, and return what the server says of it once it takes prompts.

        Args:
            picture: a file, its bytes, or pixels; see `picture_of`.
            progress: called with what comes before.
            provisional: True has a smaller model answer until the session's own has seen the picture, which then
                answers the same prompts again: `image` and `objects` are no longer `provisional`. Files wait for it.
        """
        source = await asyncio.to_thread(picture_of, picture)
        self._recorder.note_open(source)
        self._window = None
        return await open_picture(self._reconnecting, source, progress, provisional=provisional)

    async def preview(self, x: float, y: float, *, label: int = 1, object: int | None = None) -> Preview | None:
        """Return what a click at `(x, y)` would give; None where a newer one replaced it or the answer was late."""
        return await self._end_hover(*await self._begin_hover(x, y, label, object))

    async def hover(
        self, points: Iterable[PointXy] | AsyncIterable[PointXy], *, label: int = 1, object: int | None = None
    ) -> AsyncGenerator[Preview, None]:
        """Give the previews along a path, at most two on their way; those overtaken are left out."""
        flying: deque[tuple[int, Request]] = deque()
        try:
            async for x, y in _each(points):
                if len(flying) == _HOVERS_IN_FLIGHT and (preview := await self._end_hover(*flying.popleft())):
                    yield preview
                flying.append(await self._begin_hover(x, y, label, object))
            while flying:
                if preview := await self._end_hover(*flying.popleft()):
                    yield preview
        finally:
            for seq, _ in flying:
                self._reconnecting.pending.forget(seq)

    async def leave(self) -> None:
        """Drop the pending hover, as when the pointer leaves the picture."""
        leave = m.Leave(seq=UNNUMBERED)
        self._recorder.note(leave)
        self._reconnecting.pending.overtake(await self._reconnecting.tell(leave))

    async def click(
        self,
        x: float,
        y: float,
        *,
        label: int = 1,
        object: int | None = None,
        candidate: int | None = None,
        name: str | None = None,
        window: WindowXyxy | None = None,
    ) -> Object:
        """Return the object after a point was added to it: a new object, or the one whose id is `object`.

        Args:
            x: pixels from the left.
            y: pixels from the top.
            label: 1 for a point on the object, 0 for a point off it.
            object: the id of the object to refine; None begins a new one.
            candidate: which of a preview's masks to take; None takes the best.
            name: of a new object, which is its class.
            window: the part of the picture to ask in, as the mask of a region tells it; None for the one looked at.
        """
        x, y = finite(x), finite(y)
        click = m.Click(seq=UNNUMBERED, x=x, y=y, label=label, object=object, candidate=candidate, name=name)
        return await self._ask(replace(click, window=window or self._window), Object)

    async def box(self, box_xyxy: BoxXyxy, *, object: int | None = None, name: str | None = None) -> Object:
        """Return the object after its box was set: a new object of this name, or the one whose id is `object`."""
        box = cast("BoxXyxy", tuple(map(finite, box_xyxy)))  # the server says so where it has not four corners
        message = m.Box(seq=UNNUMBERED, box=box, object=object, name=name, window=self._window)
        return await self._ask(message, Object)

    async def move(self, object: int, point: int, x: float, y: float) -> Object | None:
        """Return the object after its point number `point` moved; None where nothing of it was left."""
        move = m.Move(seq=UNNUMBERED, object=object, point=point, x=finite(x), y=finite(y))
        return what_is_left(await self._ask(move, Object, Gone))

    async def unpoint(self, object: int, point: int) -> Object | None:
        """Return the object after its point number `point` was taken away; None where that was its last prompt."""
        return what_is_left(await self._ask(m.Unpoint(seq=UNNUMBERED, object=object, point=point), Object, Gone))

    async def choose(self, object: int, candidate: int) -> Object:
        """Return the object with another of its candidates."""
        return await self._ask(m.Choose(seq=UNNUMBERED, object=object, candidate=candidate), Object)

    async def label(self, object: int, name: str) -> Object:
        """Return the object under its new name, which is its class; one that isn't in the list comes to its end."""
        return await self._ask(m.Label(seq=UNNUMBERED, object=object, name=name), Object)

    async def set_classes(self, classes: Iterable[str | Class]) -> tuple[Class, ...]:
        """Put a list of classes in the place of the session's and return it; also before a picture is open.

        It goes on from picture to picture. Classes of objects that are here and aren't in it come after it.

        Raises:
            BadMessageError: one text in place of a list, whose letters would be the classes; or a name comes twice.
        """
        if isinstance(classes, str):
            raise BadMessageError(f"expected a list of classes, got the text {classes!r}; write [{classes!r}]")
        message = m.SetClasses(seq=UNNUMBERED, classes=tuple(classes))
        return (await self._ask(message, Classes)).classes

    async def rename_class(self, name: str, to: str) -> tuple[Class, ...]:
        """Rename a class and every object of it, and return the list; under another class's name both become one.

        An empty name takes the class off the list and from its objects.
        """
        return (await self._ask(m.RenameClass(seq=UNNUMBERED, name=name, to=to), Classes)).classes

    async def delete(self, object: int) -> None:
        """Delete an object."""
        await self._ask(m.Delete(seq=UNNUMBERED, object=object), Gone)

    async def clear(self) -> None:
        """Delete every object."""
        await self._ask(m.Clear(seq=UNNUMBERED), Gone)

    async def undo(self) -> None:
        """Go one step back; `objects`, `classes` show the outcome. Nothing happens where there is no step."""
        await self._ask(m.Undo(seq=UNNUMBERED), Classes, Object, Gone)

    async def redo(self) -> None:
        """Go one step forward again; `objects`, `classes` show the outcome. Nothing happens where there is no step."""
        await self._ask(m.Redo(seq=UNNUMBERED), Classes, Object, Gone)

    async def model(self, name: str, *, progress: Callable[[Progress], None] | None = None) -> Image | None:
        """Go on with another model; every object is predicted again, as `objects` shows.

        Returns the picture as that model sees it, None where none is open.
        """
        model, timeout_s = m.Model(seq=UNNUMBERED, name=name), self._reconnecting.timeouts.open_s
        reply = await self._ask(model, Image, Gone, timeout_s=timeout_s, progress=progress)
        return reply if isinstance(reply, Image) else None

    async def import_labels(self, file: str | Path, *, picture: str | None = None) -> Imported:
        """Return the objects that a label file has for the open picture, once they are there, and what didn't fit.

        COCO, LabelMe and recipe JSON, YOLO labels, a mask, or a ZIP of any of these. Classes that the session
        hasn't come to the end of its list.

        Args:
            file: the file; its ending tells the kind.
            picture: file name of the picture, by which a data set knows it; None for the one that it was opened under.

        Raises:
            NoImageError: no picture is open.
            OSError: the file can't be read.
        """
        path, image = Path(file), self.image
        if image is None:
            raise NoImageError("expected an open picture before an import; open one first")
        query = {
            "image_id": image.image_id,
            "name": path.name,
            "room": str(max(0, self.welcome.limits.max_objects - len(self.objects))),
        }
        known_as = picture or self._reconnecting.picture_name
        query |= {} if known_as is None else {"picture": known_as}
        if path.suffix.lower() == ".txt":  # whose classes are numbers
            query["classes"] = json.dumps([each.name for each in self.classes])
        reconnecting, data = self._reconnecting, await asyncio.to_thread(path.read_bytes)
        timeout_s = reconnecting.timeouts.open_s
        answer = await labels_in(reconnecting.url, query, data, timeout_s=timeout_s, cookies=reconnecting.cookies)
        found = msgspec.json.decode(answer, type=Labels)
        objects = await self.give(found.objects, found.classes) if found.objects else []
        return Imported(objects, found.problems, found.left_out)

    async def ping(self) -> Latency:
        """Return how long things take at the moment."""
        return await self._reconnecting.ping()

    async def _ask(
        self,
        message: ClientMessage,
        *kinds: type[R],
        timeout_s: float | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> R:
        self._recorder.note(message)
        request = Request(message, kinds, progress=progress)
        return cast("R", await self._reconnecting.ask(request, timeout_s or self._reconnecting.timeouts.reply_s))

    async def _begin_hover(self, x: float, y: float, label: int, number: int | None) -> tuple[int, Request]:
        hover = m.Hover(seq=UNNUMBERED, x=finite(x), y=finite(y), label=label, object=number)
        self._recorder.note(hover)
        request = Request(replace(hover, ack=self._painted, window=self._window), (Preview,))
        return await self._reconnecting.put(request), request

    async def _end_hover(self, seq: int, request: Request) -> Preview | None:
        try:
            preview = await self._reconnecting.wait(request, self._reconnecting.timeouts.hover_s)
        except TimeoutError:
            return None
        finally:
            self._reconnecting.pending.forget(seq)
        if not isinstance(preview, Preview):
            return None
        self._painted = preview.seq
        return preview


def what_is_left(reply: Object | Gone) -> Object | None:
    """Return the object that a change has left, None where it is gone."""
    return reply if isinstance(reply, Object) else None


async def _each(points: Iterable[PointXy] | AsyncIterable[PointXy]) -> AsyncIterator[PointXy]:
    if isinstance(points, AsyncIterable):
        async for point in points:
            yield point
    else:
        for point in points:
            yield point
