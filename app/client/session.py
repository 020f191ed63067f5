"""The client of one session: open a picture, hover, click, get masks as arrays.

    async with connect("http://127.0.0.1:8000") as session:
        await session.open("cat.jpg")
        cat = await session.click(320, 200)
        cat.mask  # (H, W) bool

Coming back to a session after a lost connection is not covered: connect again and repeat the prompts.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from app.client.dial import Timeouts
from app.client.link import Link, open_link
from app.client.upload import upload
from app.client.values import Latency, Object, Preview
from app.client.waiters import Answer
from app.errors import BadCoordError
from app.protocol import messages

_HOVERS_IN_FLIGHT: Final = 2
"""One that the device works on and one that waits; a third would only replace the second."""


@asynccontextmanager
async def connect(url: str, *, timeouts: Timeouts | None = None) -> AsyncIterator[ClientSession]:
    """Give a session of its own on the server at `url`, such as http://127.0.0.1:8000; leaving ends it.

    Raises:
        ConnectionRefusedError: nobody answers there.
        ConnectionError: the server closed the socket or did not say welcome.
        HoverError: the server turned the client away; the class says why.
    """
    async with open_link(url, timeouts or Timeouts()) as link:
        yield ClientSession(url, link)


class ClientSession:
    """A session as its client sees it. Coordinates are pixels of the upright picture, origin top-left.

    Every method raises the `HoverError` that the server answers with, `ConnectionError` once the socket is gone,
    and `TimeoutError` where no answer comes in time.
    """

    def __init__(self, url: str, link: Link) -> None:
        self._url = url
        self._link = link
        self._painted: int | None = None

    @property
    def welcome(self) -> messages.Welcome:
        """What the server said of itself: its models, its limits."""
        return self._link.welcome

    @property
    def image(self) -> messages.Image | None:
        """The picture that is open."""
        return self._link.book.image

    @property
    def objects(self) -> Mapping[int, Object]:
        """The objects by their id, as the server last told them; a live view."""
        return MappingProxyType(self._link.book.objects)

    async def open(self, picture: str | Path | bytes) -> messages.Image:
        """Upload a picture, a file or its bytes, and return what the server says of it once it takes prompts."""
        source = picture if isinstance(picture, bytes) else Path(picture)
        image_id = await upload(self._url, source, timeout_s=self._link.timeouts.open_s)
        name = None if isinstance(source, bytes) else source.name[:256]
        message = messages.Open(seq=self._link.next_seq(), image_id=image_id, name=name)
        return await self._link.ask(message, (messages.Image,), self._link.timeouts.open_s)

    async def hover(self, x: float, y: float, *, label: int = 1, object: int | None = None) -> Preview | None:
        """Return what a click at `(x, y)` would give; None where a newer hover replaced it or the answer was late."""
        seq, answer = await self._start_hover(x, y, label, object)
        return await self._finish_hover(seq, answer)

    async def hovers(
        self, points: Iterable[tuple[float, float]], *, label: int = 1, object: int | None = None
    ) -> AsyncGenerator[Preview, None]:
        """Give the previews along a path of `(x, y)`, at most two on their way; those overtaken are left out."""
        flying: deque[tuple[int, Answer]] = deque()
        try:
            for x, y in points:
                if len(flying) == _HOVERS_IN_FLIGHT and (preview := await self._finish_hover(*flying.popleft())):
                    yield preview
                flying.append(await self._start_hover(x, y, label, object))
            while flying:
                if preview := await self._finish_hover(*flying.popleft()):
                    yield preview
        finally:
            for seq, _ in flying:
                self._link.waiters.forget(seq)

    async def leave(self) -> None:
        """Drop the pending hover, as when the pointer leaves the picture."""
        seq = self._link.next_seq()
        await self._link.send(messages.Leave(seq=seq))
        self._link.waiters.overtake(seq)

    async def click(self, x: float, y: float, *, label: int = 1, object: int | None = None) -> Object:
        """Return the object after a point was added to it: a new object, or the one whose id is `object`.

        Args:
            x: pixels from the left.
            y: pixels from the top.
            label: 1 for a point on the object, 0 for a point off it.
            object: the id of the object to refine; None begins a new one.
        """
        x, y = _finite(x), _finite(y)
        message = messages.Click(seq=self._link.next_seq(), x=x, y=y, label=label, object=object)
        return await self._link.ask(message, (Object,))

    async def box(self, box_xyxy: tuple[float, float, float, float], *, object: int | None = None) -> Object:
        """Return the object after its box was set: a new object, or the one whose id is `object`."""
        x0, y0, x1, y1 = (_finite(value) for value in box_xyxy)
        message = messages.Box(seq=self._link.next_seq(), box=(x0, y0, x1, y1), object=object)
        return await self._link.ask(message, (Object,))

    async def move(self, object: int, point: int, x: float, y: float) -> Object | None:
        """Return the object after its point number `point` moved; None where nothing of it was left."""
        x, y = _finite(x), _finite(y)
        message = messages.Move(seq=self._link.next_seq(), object=object, point=point, x=x, y=y)
        return await self._ask_what_is_left(message)

    async def unpoint(self, object: int, point: int) -> Object | None:
        """Return the object after its point number `point` was taken away; None where that was its last prompt."""
        return await self._ask_what_is_left(messages.Unpoint(seq=self._link.next_seq(), object=object, point=point))

    async def choose(self, object: int, candidate: int) -> Object:
        """Return the object with another of its candidates."""
        message = messages.Choose(seq=self._link.next_seq(), object=object, candidate=candidate)
        return await self._link.ask(message, (Object,))

    async def label(self, object: int, name: str) -> Object:
        """Return the object under its new name."""
        return await self._link.ask(messages.Label(seq=self._link.next_seq(), object=object, name=name), (Object,))

    async def delete(self, object: int) -> None:
        """Delete an object."""
        await self._link.ask(messages.Delete(seq=self._link.next_seq(), object=object), (messages.Gone,))

    async def clear(self) -> None:
        """Delete every object."""
        await self._link.ask(messages.Clear(seq=self._link.next_seq()), (messages.Gone,))

    async def undo(self) -> None:
        """Go one step back; `objects` shows the outcome. Nothing happens where there is no step."""
        await self._travel(messages.Undo(seq=self._link.next_seq()), possible=self._link.book.can_undo)

    async def redo(self) -> None:
        """Go one step forward again; `objects` shows the outcome. Nothing happens where there is no step."""
        await self._travel(messages.Redo(seq=self._link.next_seq()), possible=self._link.book.can_redo)

    async def model(self, name: str) -> messages.Image:
        """Go on with another model; the objects follow one by one into `objects`."""
        message = messages.Model(seq=self._link.next_seq(), name=name)
        return await self._link.ask(message, (messages.Image,), self._link.timeouts.open_s)

    async def export(self, format: messages.ExportFormat, objects: Iterable[int] | None = None) -> messages.File:
        """Return a file of the objects named, or of all."""
        chosen = None if objects is None else tuple(objects)
        message = messages.Export(seq=self._link.next_seq(), format=format, objects=chosen)
        return await self._link.ask(message, (messages.File,))

    async def ping(self) -> Latency:
        """Return how long things take at the moment."""
        return await self._link.ping()

    async def _start_hover(self, x: float, y: float, label: int, number: int | None) -> tuple[int, Answer]:
        x, y, seq = _finite(x), _finite(y), self._link.next_seq()
        message = messages.Hover(seq=seq, x=x, y=y, label=label, object=number, ack=self._painted)
        return seq, await self._link.start(message, (Preview,))

    async def _finish_hover(self, seq: int, answer: Answer) -> Preview | None:
        try:
            preview = await self._link.finish(seq, answer, self._link.timeouts.hover_s)
        except TimeoutError:
            return None
        if not isinstance(preview, Preview):
            return None
        self._painted = preview.message.seq
        return preview

    async def _ask_what_is_left(self, message: messages.Move | messages.Unpoint) -> Object | None:
        reply: Object | messages.Gone = await self._link.ask(message, (Object, messages.Gone))
        return reply if isinstance(reply, Object) else None

    async def _travel(self, message: messages.Undo | messages.Redo, *, possible: bool) -> None:
        # Context: a step may come back as several messages, or as none, and nothing marks the last.
        # Choice: a ping follows, and the step counts as done once its pong is here.
        # Price: a second round trip; what the model still has to compute arrives in `objects` later.
        answer = await self._link.start(message, (Object, messages.Gone))
        try:
            await self._link.ping()
            if not possible and not answer.done():
                return
            await self._link.finish(message.seq, answer, self._link.timeouts.reply_s)
            await self._link.ping()
        finally:
            self._link.waiters.forget(message.seq)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise BadCoordError(f"expected a finite coordinate in pixels of the picture, got {value}")
    return float(value)
