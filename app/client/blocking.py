"""The client for code without `async`: the same session, each call waiting for its answer.

The socket lives on an event loop in a thread of its own, so that the connection stays alive between calls, and so
that this works in a notebook, whose cells stand in a running loop.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from app.client.by_hand import PointXy
from app.client.following import Tracked
from app.client.looking import CLOSE_UP
from app.client.loop_thread import LoopThread
from app.client.patience import Reconnect, Timeouts
from app.client.pixels import PictureLike
from app.client.session import ClientSession, connect
from app.client.values import ClipMask, Imported, Latency, Object, Preview
from app.protocol.fields import BoxXyxy, Direction, Morphology, SetOperation, WindowXyxy
from app.protocol.messages import Class, ExportFormat, File, Given, Image, OpenedClip, Progress, Region, Welcome

if TYPE_CHECKING:
    from app.arrays import MaskArray

T = TypeVar("T")


def connect_blocking(
    url: str,
    *,
    timeouts: Timeouts | None = None,
    reconnect: Reconnect | None = None,
    record: str | Path | None = None,
) -> BlockingSession:
    """Return a session of its own on the server at `url`, to be used in a `with` statement or closed. See `connect`.

    Raises:
        ConnectionRefusedError: nobody answers there.
        ConnectionError: the server closed the socket or did not say welcome.
        HoverError: the server turned the client away; the class says why.
    """
    home = LoopThread(connect(url, timeouts=timeouts, reconnect=reconnect, record=record))
    try:
        return BlockingSession(home, home.enter())
    except BaseException:
        home.end()
        raise


class BlockingSession:
    """A `ClientSession` whose methods return instead of being awaited; see there for what each gives and raises.

    One that nobody closes is closed when nobody can use it any more, at the program's end at the latest.
    """

    def __init__(self, home: LoopThread[ClientSession], session: ClientSession) -> None:
        """Take over a session that is open.

        Args:
            home: the event loop's thread, in which the session lives.
            session: what every call goes to.
        """
        self._run, self._start = home.run, home.start
        self._session = session
        self._end = weakref.finalize(self, home.end)

    def __enter__(self) -> BlockingSession:
        """Return the session; leaving closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session and its thread; more than once does no harm."""
        self._end()

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
    def classes(self) -> tuple[Class, ...]:
        """The ordered list of classes; the place of one, from 0, is its number in every file."""
        return self._session.classes

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

    def open(
        self,
        picture: PictureLike,
        *,
        progress: Callable[[Progress], None] | None = None,
        provisional: bool = False,
    ) -> Image:
        """Upload a picture and return what the server says of it once it takes prompts; see `ClientSession.open`."""
        return self._run(self._session.open(picture, progress=progress, provisional=provisional))

    def look(self, view: BoxXyxy | None = None, *, scale: float = CLOSE_UP) -> WindowXyxy | None:
        """Have the model see a part of the picture by itself; see `ClientSession.look`."""
        return self._run(self._session.look(view, scale=scale))

    def preview(self, x: float, y: float, *, label: int = 1, object: int | None = None) -> Preview | None:
        """Return what a click at `(x, y)` would give; None where no answer came in time."""
        return self._run(self._session.preview(x, y, label=label, object=object))

    def hover(
        self, points: Iterable[PointXy], *, label: int = 1, object: int | None = None
    ) -> Generator[Preview, None, None]:
        """Give the previews along a path of `(x, y)`; those overtaken are left out."""
        previews = self._session.hover(points, label=label, object=object)
        try:
            while preview := self._run(_next(previews)):
                yield preview
        finally:
            self._start(lambda: _end(previews))

    def leave(self) -> None:
        """Drop the pending hover."""
        self._run(self._session.leave())

    @property
    def clip(self) -> OpenedClip | None:
        """The clip that is open; None on a picture."""
        return self._session.clip

    @property
    def masks(self) -> Mapping[int, Mapping[int, ClipMask]]:
        """By frame, the masks of the objects that are known there, by id; a copy."""
        return {frame: dict(masks) for frame, masks in self._session.masks.items()}

    def open_clip(
        self,
        clip: str | Path | bytes,
        *,
        part: tuple[float, float, float] | None = None,
        frame: int = 0,
        progress: Callable[[Progress], None] | None = None,
    ) -> OpenedClip:
        """Upload a clip and return its size and times; see `ClientSession.open_clip`."""
        return self._run(self._session.open_clip(clip, part=part, frame=frame, progress=progress))

    def frame(self, index: int, *, progress: Callable[[Progress], None] | None = None) -> Image:
        """Show another frame of the clip; prompts go to it from now on."""
        return self._run(self._session.frame(index, progress=progress))

    def track(
        self,
        objects: Iterable[int] | None = None,
        *,
        direction: Direction | Literal["both"] = "both",
        fast: bool = False,
        last: int | None = None,
    ) -> Generator[Tracked, None, None]:
        """Follow objects and give each frame with its masks as they are found; see `ClientSession.track`."""
        frames = self._session.track(objects, direction=direction, fast=fast, last=last)
        try:
            while found := self._run(_next(frames)):
                yield found
        finally:
            self._start(lambda: _end(frames))

    def stop(self) -> None:
        """Follow no object any further."""
        self._run(self._session.stop())

    def click(
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
        """Return the object after a point was added to it: a new object, or the one whose id is `object`."""
        click = self._session.click(x, y, label=label, object=object, candidate=candidate, name=name, window=window)
        return self._run(click)

    def box(self, box_xyxy: BoxXyxy, *, object: int | None = None, name: str | None = None) -> Object:
        """Return the object after its box was set: a new object of this name, or the one whose id is `object`."""
        return self._run(self._session.box(box_xyxy, object=object, name=name))

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

    def give(self, objects: Iterable[Given], classes: Iterable[str | Class] = ()) -> list[Object]:
        """Return objects that were made elsewhere, in one step; see `ClientSession.give`."""
        return self._run(self._session.give(objects, classes))

    def give_mask(self, mask: MaskArray, *, name: str = "") -> Object:
        """Return a new object of a mask of one's own, (H, W) bool at the picture's size."""
        return self._run(self._session.give_mask(mask, name=name))

    def combine(self, operation: SetOperation, objects: Iterable[int]) -> Object:
        """Return the first of some objects, once it is their union, difference or intersection."""
        return self._run(self._session.combine(operation, objects))

    def refine(self, object: int) -> Object:
        """Return an object whose given mask the model has made sharp."""
        return self._run(self._session.refine(object))

    def paint(
        self,
        path: Iterable[PointXy],
        radius: float,
        *,
        label: int = 1,
        object: int | None = None,
        smart: bool = False,
        click: PointXy | None = None,
        name: str | None = None,
    ) -> Object:
        """Return the object after a stroke of a round brush; see `ClientSession.paint`."""
        stroke = self._session.paint(path, radius, label=label, object=object, smart=smart, click=click, name=name)
        return self._run(stroke)

    def morph(self, object: int, operation: Morphology, size: float | None = None) -> Object:
        """Return the object after its shape was changed; see `ClientSession.morph`."""
        return self._run(self._session.morph(object, operation, size))

    def set_classes(self, classes: Iterable[str | Class]) -> tuple[Class, ...]:
        """Put a list of classes in the place of the session's and return it."""
        return self._run(self._session.set_classes(classes))

    def rename_class(self, name: str, to: str) -> tuple[Class, ...]:
        """Rename a class and every object of it, and return the list; under another class's name both become one."""
        return self._run(self._session.rename_class(name, to))

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

    def regions(self) -> tuple[Region, ...]:
        """Return the things of the picture, with the clicks that give them."""
        return self._run(self._session.regions())

    def export(
        self,
        format: ExportFormat,
        objects: Iterable[int] | None = None,
        *,
        trim: bool = False,
        edge: Literal["hard", "soft"] = "hard",
        ground: str | None = None,
        tolerance: float | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> File:
        """Return a file of the objects named, or of all; see `ClientSession.export`."""
        made = self._session.export(
            format, objects, trim=trim, edge=edge, ground=ground, tolerance=tolerance, progress=progress
        )
        return self._run(made)

    def import_labels(self, file: str | Path, *, picture: str | None = None) -> Imported:
        """Return the objects that a label file has for the open picture; see `ClientSession.import_labels`."""
        return self._run(self._session.import_labels(file, picture=picture))

    def ping(self) -> Latency:
        """Return how long things take at the moment."""
        return self._run(self._session.ping())


async def _next(given: AsyncGenerator[T, None]) -> T | None:
    return await anext(given, None)


async def _end(given: AsyncGenerator[Any, None]) -> None:
    await given.aclose()
