"""The pictures that were uploaded: kept as they came, decoded one at a time in a worker thread, and one aside.

Bounded by bytes; the least recently used goes first. The bytes that were uploaded are never served back. Where servers
share a folder, what isn't kept here is looked for there, by its hash.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from cachetools import LRUCache

from app.arrays import ImageArray
from app.errors import BusyError, UnknownImageError
from app.pictures import (
    NativeArray,
    PictureLimits,
    Rendition,
    part_for_model,
    read_native,
    read_opaque,
    read_picture,
    render_picture,
)
from app.protocol.fields import WindowXyxy
from app.protocol.windows import part_of
from app.service.limits import ServiceLimits
from app.service.shared_folder import SharedFolder
from app.session.contrast import grid_colors
from app.session.values import OpenImage

FRESH: Final = 4
"""Pictures whose pixels are kept from the upload until they are encoded, so that they are decoded once."""
RETRY_AFTER_S: Final = 2.0
"""Reading a large picture takes about as long."""
T = TypeVar("T")


@dataclass(frozen=True)
class Stored:
    """A picture as it came, and the size of its upright frame."""

    data: bytes
    info: OpenImage


class PictureStore:
    """Uploaded pictures by the hash of their bytes."""

    def __init__(
        self, picture: PictureLimits, budget_bytes: int, limits: ServiceLimits, shared: SharedFolder | None = None
    ) -> None:
        """Start the workers.

        Args:
            picture: bounds of one picture.
            budget_bytes: of all files together.
            limits: how many may wait to be decoded, and how long one may take.
            shared: the folder that other servers see too; None where this one is alone.
        """
        self._picture, self._shared = picture, shared
        self._coming: dict[str, asyncio.Task[OpenImage]] = {}
        self._max_waiting, self._timeout_s = limits.max_pictures_queued, limits.picture_timeout_s
        self._kept: LRUCache[str, Stored] = LRUCache(budget_bytes, lambda stored: min(len(stored.data), budget_bytes))
        self._fresh: LRUCache[str, ImageArray] = LRUCache(FRESH)
        self._decoded: LRUCache[str, ImageArray] = LRUCache(limits.max_decoded_bytes, lambda pixels: pixels.nbytes)
        self._waiting = 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="pictures nobody waits for")
        self._decoding = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of all pictures kept; one that is larger than the budget is kept alone, and counted as that."""
        return round(self._kept.currsize)

    async def add(self, data: bytes) -> OpenImage:
        """Keep a picture and return its name and size.

        Raises:
            BusyError: too many pictures wait to be decoded.
            HoverError: the picture is refused; see `app.pictures.read_picture`.
        """
        info = await self._take(data)
        if self._shared is not None:
            await self._shared.keep_picture(info.image_id, data)
        return info

    async def info(self, image_id: str) -> OpenImage:
        """Return the size of a picture that was uploaded, here or to a server that shares a folder with this one.

        Raises:
            UnknownImageError: it never was, or had to make room.
            BusyError: too many pictures wait to be decoded.
        """
        stored = self._kept.get(image_id)
        if stored is not None or self._shared is None:
            return self._stored(image_id).info
        coming = self._coming.get(image_id)  # one for all who ask: the sessions of a server that died come together
        if coming is None:
            coming = self._coming[image_id] = asyncio.create_task(self._fetched(image_id))
            coming.add_done_callback(lambda done: self._came(image_id, done))
        return await asyncio.shield(coming)

    async def pixels(self, source: str, *, again: bool = False, aside: bool = False) -> ImageArray:
        """Return what the model sees of a picture or of a part of it, (h, w, 3) uint8 RGB, upright.

        A part is cut from the picture at its own size.

        Args:
            source: see `app.protocol.windows.source_of`.
            again: it will soon be asked for once more.
            aside: nobody waits for it, so it is read beside what somebody waits for.

        Raises:
            UnknownImageError: the picture isn't kept.
        """
        image_id, window = part_of(source)
        data = await self._data(image_id)
        if window is not None:
            return await self._work(partial(self._part, image_id, window), data, aside=aside)
        working = self._fresh.get(image_id) if again else self._fresh.pop(image_id, None)
        return working if working is not None else (await self._work(read_picture, data, aside=aside)).working

    async def rendition(self, image_id: str) -> Rendition:
        """Return a picture as every browser shows it.

        Raises:
            UnknownImageError: the picture isn't kept.
            BusyError: too many pictures wait to be decoded.
        """
        return await self._work(render_picture, await self._data(image_id))

    def native(self, image_id: str) -> Callable[[], NativeArray]:
        """Return what reads a picture at its own size, see `read_native`; call it in a worker thread.

        Raises:
            UnknownImageError: the picture isn't kept; where servers share a folder, what is returned may say so.
        """
        if self._shared is not None and image_id not in self._kept:
            return partial(self._shared_native, image_id, self._shared)
        return partial(read_native, self._stored(image_id).data, self._picture)

    def close(self) -> None:
        """Stop the workers."""
        for worker in (self._worker, self._aside):
            worker.shutdown(wait=False, cancel_futures=True)

    async def _take(self, data: bytes) -> OpenImage:
        picture = await self._work(read_picture, data)
        colors = grid_colors(picture.working)
        info = OpenImage(picture.image_id, picture.width, picture.height, picture.orientation, picture.rendered, colors)
        self._kept[info.image_id] = Stored(data, info)
        self._fresh[info.image_id] = picture.working
        return info

    async def _fetched(self, image_id: str) -> OpenImage:
        """Take a picture that came to another server."""
        return await self._take(await self._data(image_id))

    def _came(self, image_id: str, done: asyncio.Task[OpenImage]) -> None:
        del self._coming[image_id]
        if not done.cancelled():
            done.exception()  # whoever asked has it, if anyone still waits

    async def _data(self, image_id: str) -> bytes:
        stored = self._kept.get(image_id)
        shared = await self._shared.picture(image_id) if stored is None and self._shared is not None else None
        return shared if shared is not None else self._stored(image_id).data

    def _shared_native(self, image_id: str, shared: SharedFolder) -> NativeArray:
        data = shared.read_picture(image_id)
        return read_native(self._stored(image_id).data if data is None else data, self._picture)

    def _stored(self, image_id: str) -> Stored:
        stored = self._kept.get(image_id)
        if stored is None:
            trouble = self._shared.trouble if self._shared is not None else ""
            where = f", and the folder that servers share failed ({trouble})" if trouble else ""
            raise UnknownImageError(f"this picture isn't kept on the server (any more){where}; upload it again")
        return stored

    def _part(self, image_id: str, window: WindowXyxy, data: bytes, limits: PictureLimits) -> ImageArray:
        """Return a part of a picture, which stays decoded, since parts are seldom asked for alone. In a worker."""
        with self._decoding:
            pixels = self._decoded.get(image_id)
        if pixels is None:
            pixels = read_opaque(data, limits)
            with self._decoding:
                if pixels.nbytes <= self._decoded.maxsize:
                    self._decoded[image_id] = pixels
        return part_for_model(pixels, window)

    async def _work(self, read: Callable[[bytes, PictureLimits], T], data: bytes, *, aside: bool = False) -> T:
        """Return what a worker reads; who reads aside takes no place among those that somebody waits for."""
        if aside:
            return await asyncio.get_running_loop().run_in_executor(self._aside, read, data, self._picture)
        if self._waiting >= self._max_waiting:
            raise BusyError(f"{self._waiting} pictures wait to be read; try again", retry_after_s=RETRY_AFTER_S)
        self._waiting += 1
        try:
            work = asyncio.get_running_loop().run_in_executor(self._worker, read, data, self._picture)
            return await asyncio.wait_for(work, self._timeout_s)
        except asyncio.TimeoutError as error:
            raise BusyError("the picture couldn't be read in time; try again", retry_after_s=RETRY_AFTER_S) from error
        finally:
            self._waiting -= 1
