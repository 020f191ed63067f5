"""The clips that were uploaded: their files on disk without a name, their frames as JPEG in memory, by their hashes.

Both are bounded by bytes; the least recently used go first, and frames that went are read again from their file. One
decoder is at work at a time, in a process of its own. Where servers share a folder, a file that isn't kept here is
looked for there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import Final, TypeVar

import numpy as np
from cachetools import LRUCache
from PIL import Image as Pil

from app.arrays import ImageArray
from app.clips import Clip, ClipFile, ClipLimits, clip_id_of, decoded_frames, frame_source, read_clip, split_source
from app.clips.decoding import CHILD, Children
from app.clips.names import split_clip_id
from app.clips.values import Frame
from app.errors import BadCoordError, BusyError, ClipTooLongError, CorruptImageError, Reason, UnknownImageError
from app.pictures import part_for_model
from app.protocol.clips import ClipPart
from app.protocol.windows import part_of
from app.service.limits import ServiceLimits
from app.service.shared_folder import SharedFolder
from app.session.contrast import grid_colors
from app.session.values import OpenClip, OpenImage

RETRY_AFTER_S: Final = 5.0
"""Reading a clip takes about as long."""
INSTANT_S: Final = 1e-3
"""Frames of a clip are at least as far apart."""
T = TypeVar("T")


class ClipStore:
    """Uploaded clips by the hash of their file; gives the pixels of their frames as `PictureStore` those of pictures.

    A frame is called `CLIP_ID#INDEX`, see `app.clips.names`.
    """

    def __init__(
        self,
        clip: ClipLimits,
        limits: ServiceLimits,
        shared: SharedFolder | None = None,
        *,
        command: Sequence[str] = CHILD,
    ) -> None:
        """Keep nothing yet.

        Args:
            clip: bounds of one clip.
            limits: how many may wait to be read, and what all of them may take.
            shared: the folder that other servers see too; None where this one is alone.
            command: what decodes.
        """
        disk, memory = limits.max_clip_disk_bytes, limits.max_clip_memory_bytes
        self._limits, self._shared, self._command = clip, shared, command
        self._max_waiting, self._waiting = limits.max_clips_queued, 0
        self._files: LRUCache[str, ClipFile] = LRUCache(disk, lambda file: min(file.nbytes, disk))
        self._clips: LRUCache[str, Clip] = LRUCache(memory, lambda clip: min(clip.nbytes, memory))
        self._large: LRUCache[str, ImageArray] = LRUCache(limits.max_decoded_bytes, lambda pixels: pixels.nbytes)
        self._coming: dict[str, asyncio.Task[Clip]] = {}
        self._children = Children()
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="clips")
        self._frames = ThreadPoolExecutor(1, thread_name_prefix="frames of clips")
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="frames nobody waits for")

    @property
    def nbytes(self) -> int:
        """Bytes of all frames that are kept in memory."""
        return round(self._clips.currsize)

    @property
    def export_timeout_s(self) -> float:
        """How long making a file of a clip may take."""
        return self._limits.clip_export_timeout_s

    async def add(self, file: ClipFile, part: ClipPart | None = None) -> OpenClip:
        """Keep a clip, or a part of it, and return its name and the times of its frames.

        Raises:
            ClipTooLongError: it has more than is worked on at once; the file is kept, so that a part of it can be
                asked for by `part`, under the `file_id` among the values of the reason.
            BusyError: too many clips wait to be read.
            HoverError: the clip is refused and not kept; see `app.clips.read_clip`.
        """
        is_new = file.file_id not in self._files
        self._files.setdefault(file.file_id, file)
        clip_id = clip_id_of(file.file_id, part)
        try:
            clip = await self._clip(clip_id, is_new=is_new)
        except ClipTooLongError as error:
            await self._share(file)
            raise with_file_id(error, file.file_id) from error
        await self._share(file)
        return told(clip_id, clip)

    async def part(self, file_id: str, part: ClipPart) -> OpenClip:
        """Return a part of a clip whose file is kept.

        Raises:
            UnknownImageError: it isn't (any more).
            ClipTooLongError, BusyError, HoverError: as `add`.
        """
        whole_id, _ = split_clip_id(file_id)
        try:
            return await self.info(clip_id_of(whole_id, part))
        except ClipTooLongError as error:
            raise with_file_id(error, whole_id) from error

    async def info(self, clip_id: str) -> OpenClip:
        """Return a clip that was uploaded, here or to a server that shares a folder with this one.

        Raises:
            UnknownImageError: it never was, or had to make room.
            BusyError: too many clips wait to be read.
        """
        return told(clip_id, await self._clip(clip_id))

    async def image(self, clip_id: str, index: int) -> OpenImage:
        """Return a frame as a picture that a session works on, of the clip's own size; raises as `jpeg`."""
        clip = await self._clip(clip_id)
        pixels = await self._work(partial(pixels_of, jpeg_at(clip, index)))
        return OpenImage(frame_source(clip_id, index), clip.width, clip.height, colors=grid_colors(pixels))

    async def jpeg(self, clip_id: str, index: int) -> bytes:
        """Return a frame as the model sees it, upright, a JPEG.

        Raises:
            BadCoordError: the clip has no such frame.
            UnknownImageError, BusyError: as `info`.
        """
        return jpeg_at(await self._clip(clip_id), index)

    async def pixels(self, source: str, *, again: bool = False, aside: bool = False) -> ImageArray:
        """Return what the model sees of a frame or of a part of it, (h, w, 3) uint8 RGB, upright; raises as `jpeg`.

        A part is cut from the frame at the clip's own size.

        Args:
            source: a frame's name, or a window of it, see `app.protocol.windows.source_of`.
            again: it will soon be asked for once more.
            aside: nobody waits for it, so it is read beside what somebody waits for.
        """
        frame, window = part_of(source)
        if window is not None:
            pixels = await self._at_own_size(frame, aside=aside)
            return await self._work(partial(part_for_model, pixels, window), aside=aside)
        clip_id, index = split_source(frame)
        return await self._work(partial(pixels_of, await self.jpeg(clip_id, index)), aside=aside)

    async def natives(self, clip_id: str) -> Callable[[], Iterator[bytes]]:
        """Return what gives all frames in their order and at the clip's own size, each a JPEG.

        For a worker thread; a clip that is larger than what the model sees is decoded again meanwhile, beside those
        that are opened. Raises as `info`.
        """
        clip = await self._clip(clip_id)
        if is_native(clip):
            return partial(iter, clip.jpegs)
        return partial(self._natives, self._limits.of_files, await self._file(clip_id), split_clip_id(clip_id)[1])

    def native(self, source: str) -> Callable[[], ImageArray]:
        """Return what gives a frame in the clip's own pixels, (H, W, 3) uint8 RGB; call it in a worker thread.

        What is returned raises as `jpeg`.
        """
        loop = asyncio.get_running_loop()
        return lambda: asyncio.run_coroutine_threadsafe(self._at_own_size(source), loop).result()

    def close(self) -> None:
        """End the decoder, and stop the workers."""
        self._children.end()
        for worker in (self._decoder, self._frames, self._aside):
            worker.shutdown(wait=False, cancel_futures=True)

    async def _clip(self, clip_id: str, *, is_new: bool = False) -> Clip:
        """Return a clip, read now if need be; once for all who ask together.

        Args:
            clip_id: its name.
            is_new: its file isn't kept where it turns out to be none that is read.
        """
        clip = self._clips.get(clip_id)
        if clip is not None:
            return clip
        coming = self._coming.get(clip_id)
        if coming is None:
            coming = self._coming[clip_id] = asyncio.create_task(self._read(clip_id, is_new=is_new))
            coming.add_done_callback(lambda done: self._came(clip_id, done))
        return await asyncio.shield(coming)

    async def _read(self, clip_id: str, *, is_new: bool) -> Clip:
        file, (_, part) = await self._file(clip_id), split_clip_id(clip_id)
        read = partial(read_clip, file, self._limits, part, command=self._command, children=self._children)
        try:
            clip = self._clips[clip_id] = await self._decode(read)
        except ClipTooLongError:
            raise
        except BaseException:
            others = [name for name in (*self._clips, *self._coming) if name != clip_id]
            if is_new and not any(name.startswith(file.file_id) for name in others):
                self._files.pop(file.file_id, None)
                file.close()
            raise
        return clip

    def _came(self, clip_id: str, done: asyncio.Task[Clip]) -> None:
        del self._coming[clip_id]
        if not done.cancelled():
            done.exception()  # whoever asked has it, if anyone still waits

    async def _file(self, clip_id: str) -> ClipFile:
        """Return the file of a clip.

        Raises:
            UnknownImageError: it isn't kept, nor in the folder that servers share.
        """
        file_id, _ = split_clip_id(clip_id)
        file = self._files.get(file_id)
        if file is None and self._shared is not None:
            file = await self._shared.clip(file_id)
            if file is not None:
                self._files[file_id] = file
        if file is None:
            trouble = self._shared.trouble if self._shared is not None else ""
            where = f", and the folder that servers share failed ({trouble})" if trouble else ""
            raise UnknownImageError(f"this clip isn't kept on the server (any more){where}; upload it again")
        return file

    async def _at_own_size(self, frame: str, *, aside: bool = False) -> ImageArray:
        """Return a frame in the clip's own pixels; one that is larger than what the model sees is decoded again."""
        clip_id, index = split_source(frame)
        clip = await self._clip(clip_id)
        jpeg = jpeg_at(clip, index)
        if is_native(clip):
            return await self._work(partial(pixels_of, jpeg), aside=aside)
        pixels = self._large.get(frame)
        if pixels is None:
            file, part = await self._file(clip_id), instant(clip.times_s[index])
            decode = partial(self._work, aside=True) if aside else self._decode
            pixels = await decode(lambda: pixels_of(first_of(self._natives(self._limits, file, part))))
            if pixels.nbytes <= self._large.maxsize:
                self._large[frame] = pixels
        return pixels

    async def _share(self, file: ClipFile) -> None:
        if self._shared is not None:
            await self._shared.keep_clip(file)

    async def _decode(self, work: Callable[[], T]) -> T:
        """Return what a decoder makes of a file; it ends by its own clock."""
        if self._waiting >= self._max_waiting:
            raise BusyError(f"{self._waiting} clips wait to be read; try again", retry_after_s=RETRY_AFTER_S)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._decoder, work)
        finally:
            self._waiting -= 1

    async def _work(self, work: Callable[[], T], *, aside: bool = False) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._aside if aside else self._frames, work)

    def _natives(self, limits: ClipLimits, file: ClipFile, part: ClipPart | None) -> Iterator[bytes]:
        """Give the frames of a clip, or of a part, decoded again at their own size. In a worker."""
        command, children = self._command, self._children
        for message in decoded_frames(file, limits, part, side=None, command=command, children=children):
            if isinstance(message, Frame):
                yield message.jpeg


def instant(time_s: float) -> ClipPart:
    """Return the part of a clip that has the one frame that is shown from this time on."""
    return ClipPart(begin=time_s, end=time_s + INSTANT_S, rate=1 / INSTANT_S)


def first_of(frames: Iterator[bytes]) -> bytes:
    """Return the first frame, and have the decoder end.

    Raises:
        CorruptImageError: there is none.
    """
    for jpeg in frames:
        return jpeg
    raise CorruptImageError(Reason("clip_died", "the clip's decoder went astray; save the clip again"))


def told(clip_id: str, clip: Clip) -> OpenClip:
    """Return what is said of a clip."""
    return OpenClip(clip_id, clip.width, clip.height, clip.times_s, clip.duration_s)


def jpeg_at(clip: Clip, index: int) -> bytes:
    """Return a frame of a clip.

    Raises:
        BadCoordError: there is none of this number.
    """
    if not 0 <= index < len(clip.jpegs):
        text = "this clip has the frames 0 to {last}, got frame {index}; name one of them"
        count = len(clip.jpegs)
        raise BadCoordError(Reason("frame_outside", text, count=count, last=count - 1, index=index))
    return clip.jpegs[index]


def is_native(clip: Clip) -> bool:
    """Return whether what the model sees of a clip is of the clip's own size."""
    with Pil.open(BytesIO(clip.jpegs[0])) as first:
        return first.size == (clip.width, clip.height)


def pixels_of(jpeg: bytes) -> ImageArray:
    """Return the pixels of a frame, (h, w, 3) uint8 RGB."""
    with Pil.open(BytesIO(jpeg)) as picture:
        return np.array(picture)


def with_file_id(error: ClipTooLongError, file_id: str) -> ClipTooLongError:
    """Return the error of a clip that is too long, with the name of its file, of which a part can be asked for."""
    known = error.reason
    if known is None:
        return error
    reason = Reason(known.key, known.template, **{**known.values, "file_id": file_id})
    return ClipTooLongError(reason, frames=error.frames, duration_s=error.duration_s)
