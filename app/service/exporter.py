"""Makes files of objects, one at a time, in a thread of its own: the model and the event loop never wait for it.

Decision: one thread for all sessions. Context: the masks and pixels of a file of 50 megapixels take some 700 MB and
ten seconds. Choice: one file is made at a time, a bounded number of requests wait, and a session begins its next file
when the one before is sent. Price: a large file holds up those of others; clicks and hovers it doesn't.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

import structlog

from app.errors import BusyError, HoverError, NoImageError
from app.exports.files import ExportFile
from app.exports.frames import WITH_FRAMES
from app.exports.make import WITH_PIXELS, make_file
from app.exports.options import check_options
from app.exports.selection import PixelArray, Selection
from app.protocol.fields import ExportFormat, SetOperation
from app.protocol.recipe import MaskStep
from app.protocol.values import ExportOptions
from app.service.answers import export_object
from app.service.by_hand import combined
from app.service.clip_exports import ClipDraft, chosen_items, clip_draft, clip_file, recipe_of_clip
from app.service.limits import ServiceLimits
from app.service.parked import ParkedFiles
from app.service.shared_folder import SharedFolder
from app.service.sources import Sources
from app.session.classes import ClassList
from app.session.objects import SessionObject
from app.session.session import Session
from app.session.values import OpenImage

RETRY_AFTER_S: Final = 5.0
"""A file takes some seconds, so that there may be room by then."""
MAX_MESSAGE_BYTES: Final = 2 * 2**20
"""Of a file inside a message. A larger one would keep a slow line so busy that it is taken for dead: no ping gets
through a message that is on its way."""
FILES_PATH: Final = "api/files"
"""Where large files are fetched, under the server's address."""
T = TypeVar("T")

log = structlog.get_logger(__name__)


class ExportStoppedError(Exception):
    """Nobody waits for this file any more."""


@dataclass(frozen=True)
class ExportDraft:
    """What a session wants in a file: its picture, that one's file name, the model's name, objects and classes."""

    kind: ExportFormat
    image: OpenImage
    name: str | None
    model: str
    items: tuple[SessionObject, ...]
    classes: ClassList
    options: ExportOptions


def export_draft(
    session: Session, kind: ExportFormat, wanted: tuple[int, ...] | None, options: ExportOptions
) -> ExportDraft:
    """Return some objects of a session, or all, as they are now.

    Raises:
        BadMessageError: the format doesn't take an option.
        NoImageError: no picture is open.
        UnknownObjectError: there is no such object.
    """
    check_options(kind, options)
    image = session.image
    if image is None:
        raise NoImageError("expected an open picture before an export; send open first")
    items = chosen_items(session, wanted)
    return ExportDraft(kind, image, session.image_name, session.model, items, session.classes, options)


class Exporter:
    """The one thread that makes files."""

    def __init__(
        self,
        sources: Sources,
        max_bytes: int,
        speck_share: float,
        limits: ServiceLimits,
        shared: SharedFolder | None = None,
    ) -> None:
        """Start the thread.

        Args:
            sources: pictures and clips that files may show.
            max_bytes: of one file.
            speck_share: specks and holes of a mask up to this share of the picture are left out.
            limits: how many files may wait, and how long one may take.
            shared: the folder that other servers see too; None where this one is alone.
        """
        self._sources, self._max_bytes, self._speck_share, self._limits = sources, max_bytes, speck_share, limits
        self.parked = ParkedFiles(shared)
        self._waiting = 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="exports")
        self._clip_worker = ThreadPoolExecutor(1, thread_name_prefix="exports of clips")

    def of_clip(
        self, session: Session, kind: ExportFormat, wanted: tuple[int, ...] | None, options: ExportOptions
    ) -> ClipDraft | Selection:
        """Return some objects of a session's clip, or all, as they are now; a recipe's as they were made.

        Raises:
            BadMessageError: the format is one of pictures alone, or doesn't take an option.
            UnknownObjectError: there is no such object.
        """
        if kind == "recipe":
            check_options(kind, options)
            return recipe_of_clip(session, wanted)
        return clip_draft(session, kind, wanted, options, self._speck_share)

    def selection(self, asked: ExportDraft) -> Selection:
        """Return objects to be written as they were when they were asked for.

        Raises:
            UnknownImageError: the format shows the picture, which isn't kept any more.
            UnknownObjectError: an object has no mask.
        """
        objects = tuple(export_object(item, asked.image, self._speck_share) for item in asked.items)
        pixels = self.pixels(asked.kind, asked.image)
        return Selection(asked.image, asked.name, asked.model, objects, pixels, asked.classes, asked.options)

    def pixels(self, kind: ExportFormat, image: OpenImage) -> Callable[[], PixelArray]:
        """Return what reads a picture at its own size, for a format that shows it.

        Raises:
            UnknownImageError: it isn't kept any more.
        """
        return self._sources.native(image.image_id) if kind in WITH_PIXELS else no_pixels

    async def make(self, kind: ExportFormat, selection: Selection) -> ExportFile:
        """Return a file.

        Raises:
            BusyError: too many files wait to be made, this one took too long, or the disk is full.
            HoverError: see `app.exports.make.make_file`; `internal` where the file failed by our mistake.
        """
        # A thread makes the file. It can't be interrupted, so it is made to stop at its next mask once nobody waits.
        stopped = threading.Event()
        work = partial(make_file, kind, stoppable(selection, stopped), self._max_bytes)
        return await self._made(self._worker, work, stopped, self._limits.export_timeout_s)

    async def make_clip(self, draft: ClipDraft, tell: Callable[[int], None]) -> ExportFile:
        """Return a file of a clip, made frame by frame on the disk, beside the files of pictures.

        Args:
            draft: what is wanted.
            tell: hears, on the event loop, how many frames are done.

        Raises:
            BusyError, HoverError: as `make`.
            UnknownImageError: the clip isn't kept any more.
        """
        clips = self._sources.clips
        natives = await clips.natives(draft.clip.clip_id) if draft.kind in WITH_FRAMES else no_frames
        loop, stopped = asyncio.get_running_loop(), threading.Event()

        def begins(done: int) -> None:
            if stopped.is_set():
                raise ExportStoppedError
            loop.call_soon_threadsafe(tell, done)

        work = partial(clip_file, draft, natives, begins, self._max_bytes)
        return await self._made(self._clip_worker, work, stopped, clips.export_timeout_s)

    async def _made(
        self, worker: ThreadPoolExecutor, make: Callable[[], ExportFile], stopped: threading.Event, timeout_s: float
    ) -> ExportFile:
        """Return what a thread makes; it is stopped where nobody waits any more. Raises as `make`."""
        if self._waiting >= self._limits.max_exports_queued:
            raise BusyError(f"{self._waiting} files wait to be made; try again", retry_after_s=RETRY_AFTER_S)
        work = asyncio.get_running_loop().run_in_executor(worker, make)
        self._waiting += 1
        work.add_done_callback(self._done)
        # What goes wrong is told so that its client knows whether to try again.
        try:
            return await asyncio.wait_for(work, timeout_s)
        except asyncio.TimeoutError as error:
            text = f"the file wasn't made within {timeout_s:g} s; export fewer objects, or try again"
            raise BusyError(text) from error
        except (HoverError, asyncio.CancelledError):
            raise
        except OSError as error:
            log.error("export_not_kept", errno=error.errno, reason=error.strerror)
            raise BusyError("the server's disk takes no file now; try again", retry_after_s=RETRY_AFTER_S) from error
        except Exception as error:
            log.exception("export_failed")
            raise HoverError("the file couldn't be made, by a mistake of the server's") from error
        finally:
            stopped.set()

    async def combined(self, image: OpenImage, items: Sequence[SessionObject], operation: SetOperation) -> MaskStep:
        """Return what objects are together at the picture's own size, as a given mask.

        Not in the thread of files: a person waits for it, and a large file would hold it up.

        Raises:
            BadMessageError: nothing is left of them.
        """
        return await asyncio.to_thread(combined, items, operation, image.size_hw, self._speck_share)

    def close(self) -> None:
        """Stop the thread, and forget the files that nobody fetched."""
        self.parked.clear()
        for worker in (self._worker, self._clip_worker):
            worker.shutdown(wait=False, cancel_futures=True)

    def _done(self, _: asyncio.Future[ExportFile]) -> None:
        self._waiting -= 1


def no_frames() -> Iterator[bytes]:
    """Stand where a format shows no frames."""
    raise ValueError("expected a format that shows no frames; name it in WITH_FRAMES")


def no_pixels() -> PixelArray:
    """Stand where a format shows no picture."""
    raise ValueError("expected a format that shows no picture; name it in WITH_PIXELS")


def stoppable(selection: Selection, stopped: threading.Event) -> Selection:
    """Return a selection whose masks and pixels can't be had any more once nobody waits for them."""

    def guarded(work: Callable[[], T]) -> Callable[[], T]:
        def checked() -> T:
            if stopped.is_set():
                raise ExportStoppedError
            return work()

        return checked

    objects = tuple(replace(shown, draw=guarded(shown.draw)) for shown in selection.objects)
    return replace(selection, objects=objects, pixels=guarded(selection.pixels))
