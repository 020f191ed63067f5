"""The pictures that were uploaded: kept as they came, decoded one at a time in a worker thread.

Bounded by bytes; the least recently used goes first. The bytes that were uploaded are never served back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from cachetools import LRUCache

from app.arrays import ImageArray
from app.errors import BusyError, UnknownImageError
from app.pictures import NativeArray, PictureLimits, Rendition, read_native, read_picture, render_picture
from app.service.limits import ServiceLimits
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

    def __init__(self, picture: PictureLimits, budget_bytes: int, limits: ServiceLimits) -> None:
        """Start the worker.

        Args:
            picture: bounds of one picture.
            budget_bytes: of all files together.
            limits: how many may wait to be decoded, and how long one may take.
        """
        self._picture = picture
        self._max_waiting, self._timeout_s = limits.max_pictures_queued, limits.picture_timeout_s
        self._kept: LRUCache[str, Stored] = LRUCache(budget_bytes, lambda stored: min(len(stored.data), budget_bytes))
        self._fresh: LRUCache[str, ImageArray] = LRUCache(FRESH)
        self._waiting = 0
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="pictures")

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
        picture = await self._work(read_picture, data)
        colors = grid_colors(picture.working)
        info = OpenImage(picture.image_id, picture.width, picture.height, picture.orientation, picture.rendered, colors)
        self._kept[info.image_id] = Stored(data, info)
        self._fresh[info.image_id] = picture.working
        return info

    def info(self, image_id: str) -> OpenImage:
        """Return the size of a picture that was uploaded.

        Raises:
            UnknownImageError: it never was, or had to make room.
        """
        return self._stored(image_id).info

    async def pixels(self, image_id: str, *, again: bool = False) -> ImageArray:
        """Return the picture that the model sees, (h, w, 3) uint8 RGB, upright.

        Args:
            image_id: the picture.
            again: it will soon be asked for once more.

        Raises:
            UnknownImageError: the picture isn't kept.
        """
        stored = self._stored(image_id)
        working = self._fresh.get(image_id) if again else self._fresh.pop(image_id, None)
        return working if working is not None else (await self._work(read_picture, stored.data)).working

    async def rendition(self, image_id: str) -> Rendition:
        """Return a picture as every browser shows it.

        Raises:
            UnknownImageError: the picture isn't kept.
            BusyError: too many pictures wait to be decoded.
        """
        return await self._work(render_picture, self._stored(image_id).data)

    def native(self, image_id: str) -> Callable[[], NativeArray]:
        """Return what reads a picture at its own size, see `read_native`; call it in a worker thread.

        Raises:
            UnknownImageError: the picture isn't kept.
        """
        return partial(read_native, self._stored(image_id).data, self._picture)

    def close(self) -> None:
        """Stop the worker."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _stored(self, image_id: str) -> Stored:
        stored = self._kept.get(image_id)
        if stored is None:
            raise UnknownImageError("this picture isn't kept on the server (any more); upload it again")
        return stored

    async def _work(self, read: Callable[[bytes, PictureLimits], T], data: bytes) -> T:
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
