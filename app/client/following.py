"""The part of a session that works on clips."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec

from app.client.clip_view import Failed, FrameMasks, Heard, TakenUp
from app.client.looking import Looking
from app.client.opening import open_clip
from app.client.pending_requests import UNNUMBERED
from app.client.timeline import ClipSource, source_of
from app.client.values import ClipMask, Object
from app.errors import BadMessageError
from app.protocol import messages as m
from app.protocol.clips import ClipPart
from app.protocol.fields import Direction
from app.wording import in_words

Tracked: TypeAlias = tuple[int, dict[int, ClipMask]]
"""A frame, and the masks of the objects that were followed to it, by id; one that isn't seen there has no area."""


class Following(Looking):
    """The part of a session that opens clips and follows objects through them.

    Clicks, boxes, strokes and undo are of the frame that is shown; an object is one over all frames.
    """

    @property
    def clip(self) -> m.OpenedClip | None:
        """The clip that is open: its size in its own pixels, and the time of each frame; None on a picture."""
        return self._reconnecting.clip.clip

    @property
    def masks(self) -> Mapping[int, Mapping[int, ClipMask]]:
        """By frame, the masks of the objects that are known there, by id; a live view."""
        return MappingProxyType(self._reconnecting.clip.masks)

    async def open_clip(
        self,
        clip: str | Path | bytes,
        *,
        part: tuple[float, float, float] | None = None,
        frame: int = 0,
        progress: Callable[[m.Progress], None] | None = None,
    ) -> m.OpenedClip:
        """Upload a clip, and return what the server says of it once its first frame takes prompts.

        Args:
            clip: a file, or its bytes: MP4, MOV, WebM, an animated GIF, WebP or PNG, a ZIP of frames; or a folder of
                frames.
            part: of a long clip, the seconds at which it begins and ends, and how many frames a second at most.
            frame: number of the frame that is shown first, from 0.
            progress: called with what comes before.

        Raises:
            ClipTooLongError: it has more than a clip may; choose a `part`.
            OSError: the file can't be read.
        """
        source = ClipSource(source_of(clip), part_of(part))
        self._recorder.note_open_clip(source, frame)
        self._window = None
        await open_clip(self._reconnecting, source, frame, progress)
        if self.clip is None:
            raise BadMessageError("expected the server to open a clip, got a picture; is it an older one?")
        return self.clip

    async def frame(self, index: int, *, progress: Callable[[m.Progress], None] | None = None) -> m.Image:
        """Show another frame, from 0; `objects` are as they are there, and prompts go to it from now on."""
        self._window = None
        asked, timeout_s = m.ShowFrame(seq=UNNUMBERED, index=index), self._reconnecting.timeouts.open_s
        return await self._ask(asked, m.Image, timeout_s=timeout_s, progress=progress)

    async def track(
        self,
        objects: Iterable[int] | None = None,
        *,
        direction: Direction | Literal["both"] = "both",
        fast: bool = False,
        last: int | None = None,
    ) -> AsyncGenerator[Tracked, None]:
        """Follow objects from the frame that is shown, and give each frame with its masks as they are found.

        A lost connection is dialled again meanwhile, and the frames that were found before come once. Whoever leaves
        the loop stops it.

        Args:
            objects: their ids; None for all that are on the frame.
            direction: of the clip's time, or both.
            fast: remember three frames in place of seven.
            last: number of the last frame, with one direction alone.

        Raises:
            HoverError: they can't be followed, or not any further; what was found stays.
        """
        some = None if objects is None else tuple(objects)
        asked = m.Track(seq=UNNUMBERED, objects=some, direction=direction, fast=fast, last=last)
        heard: asyncio.Queue[Heard] = asyncio.Queue()
        with self._reconnecting.clip.listening(heard.put_nowait):
            reply = await self._ask(asked, Object, m.Gone, timeout_s=self._reconnecting.timeouts.open_s)
            waiting, early = {reply.seq}, heard.qsize()  # `early` came before the reply
            try:
                while waiting:
                    message, early = await heard.get(), early - 1
                    if isinstance(message, TakenUp):
                        waiting = {message.seq, *(waiting if early >= 0 else ())}
                    elif isinstance(message, Failed):
                        if message.seq is None or message.seq in waiting:
                            raise message.error
                    elif isinstance(message, m.TrackProgress):
                        waiting -= {message.seq} if message.last else set()
                    elif masks := of_objects(message, some):
                        yield message.frame, masks
            except (GeneratorExit, asyncio.CancelledError):
                with contextlib.suppress(BadMessageError, ConnectionError):  # it may just have ended by itself
                    await self.stop()
                raise

    async def stop(self) -> None:
        """Follow no object any further; what was found stays, and `track` ends."""
        await self._ask(m.Stop(seq=UNNUMBERED), Object, m.Gone)


def of_objects(message: FrameMasks, some: tuple[int, ...] | None) -> dict[int, ClipMask]:
    """Return the masks of some objects, or of all."""
    return {id_: mask for id_, mask in message.masks.items() if some is None or id_ in some}


def part_of(part: tuple[float, float, float] | None) -> ClipPart | None:
    """Return a part of a clip.

    Raises:
        BadMessageError: it is none.
    """
    if part is None:
        return None
    try:
        begin, end, rate = part
        return msgspec.convert({"begin": begin, "end": end, "rate": rate}, ClipPart)
    except (ValueError, TypeError) as error:
        raise BadMessageError(
            f"expected a part as (begin, end, rate) in seconds, got {part!r}: {in_words(str(error), ClipPart)}"
        ) from error
