"""The folder that servers behind one balancer share: pictures and clips by hash, large exported files, a tickets' key.

Decision: what the folder can't do is done without it. Context: a shared disk is full, read-only or gone one day, and
a server has its own copy of what came to it. Choice: a failure is logged and counted, the picture stays in memory, and
who asks another server for it is told to upload it again. Price: until the folder is mended, only servers to whom a
balancer sends all requests of one client work for it without uploading twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import msgspec
import structlog

from app.clips import ClipFile
from app.exports.files import ExportFile
from app.pictures import image_id_of
from app.service.bounded_folder import PART, BoundedFolder, Bounds, private

KEY: Final = "key"
KEY_BYTES: Final = 32
COPIED_BYTES: Final = 2**20
"""How much of a clip is in memory while it is copied."""
THREADS: Final = 4
"""A file of hundreds of megabytes that is written doesn't keep pictures waiting."""
MAX_AT_WORK: Final = 32
"""Reads and writes under way; more come only where the disk hangs, and those fail at once."""
SWEEP_EVERY_S: Final = 300.0
"""Files get too old also where nobody writes any."""
SAY_EVERY_S: Final = 60.0
"""A failure is logged, and those of the next minute are counted."""
MAX_HEAD_BYTES: Final = 4096
"""Of the line before an exported file: its name and media type."""
T = TypeVar("T")

log = structlog.get_logger(__name__)


class FileHead(msgspec.Struct, frozen=True):
    """What stands before the bytes of an exported file, as a line of JSON."""

    name: str
    media_type: str


class FileBody:
    """An exported file in the folder, without its head; it can be read to its end though it is swept meanwhile."""

    def __init__(self, file: BinaryIO, begin: int) -> None:
        """Take over an open file; it is closed with the last reference to this.

        Args:
            file: the file.
            begin: bytes of its head.
        """
        self._file, self._begin = file, begin
        self.nbytes = os.fstat(file.fileno()).st_size - begin
        weakref.finalize(self, file.close)

    def read_at(self, offset: int, count: int) -> bytes:
        """Return some of its bytes; several threads may."""
        return os.pread(self._file.fileno(), count, self._begin + offset)


class SharedFolder:
    """What servers share, by name.

    Attributes:
        failures: how many times the folder couldn't do what was asked.
        trouble: why it couldn't the last time, an empty text where it could.
    """

    def __init__(
        self,
        path: Path,
        *,
        pictures: Bounds,
        clips: Bounds,
        files: Bounds,
        max_picture_bytes: int,
        max_clip_bytes: int,
        timeout_s: float,
    ) -> None:
        """Know the folder; `prepare` makes it.

        Args:
            path: the folder, the same for all servers.
            pictures: how many of them it keeps, and for how long.
            clips: how many of their files.
            files: how many exported files.
            max_picture_bytes: of one picture; a larger one, which another server took, isn't read.
            max_clip_bytes: of one clip's file, likewise.
            timeout_s: how long it may take to answer; then it is done without.
        """
        self._path, self._timeout_s = path, timeout_s
        self._max_picture_bytes, self._max_clip_bytes = max_picture_bytes, max_clip_bytes
        self._pictures = BoundedFolder(path / "pictures", pictures)
        self._clips = BoundedFolder(path / "clips", clips)
        self._files = BoundedFolder(path / "files", files)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="shared folder")
        self._at_work = 0
        self._said_at = float("-inf")
        self.failures, self.trouble = 0, ""

    def prepare(self) -> bytes:
        """Make the folder where need be; return the key that all servers of the folder have.

        Raises:
            OSError: the folder can't be used; the text says why.
        """
        try:
            for folder in (self._pictures, self._clips, self._files):
                folder.prepare()
            return shared_key(self._path / KEY)
        except OSError as error:
            raise OSError(
                f"HOVERSAM_SHARED_DIR can't be used ({error.strerror or error}); name a folder that this user may "
                "write to, the same for all servers"
            ) from error

    async def keep_picture(self, image_id: str, data: bytes) -> None:
        """Keep a picture for the other servers, if the folder takes it."""
        await self._tried(lambda: self._pictures.write(image_id, [data]))
        self._begin_sweep(self._pictures)

    async def picture(self, image_id: str) -> bytes | None:
        """Return the bytes of a picture that came to any of the servers, or None."""
        return await self._tried(lambda: self.read_picture(image_id))

    def read_picture(self, image_id: str) -> bytes | None:
        """Return the bytes of a picture or None; for a worker thread.

        Raises:
            OSError: the folder can't be read.
        """
        file = self._pictures.open(image_id)
        if file is None:
            return None
        with file:
            if os.fstat(file.fileno()).st_size > self._max_picture_bytes:
                return None
            data = file.read(self._max_picture_bytes)
        if image_id_of(data) == image_id:
            return data
        with contextlib.suppress(OSError):
            self._pictures.remove(image_id)  # damaged, and would stay so: nobody writes what is there
        return None

    async def keep_clip(self, file: ClipFile) -> None:
        """Keep a clip's file for the other servers, if the folder takes it and hasn't got it."""
        await self._tried(lambda: self._write_clip(file))
        self._begin_sweep(self._clips)

    async def clip(self, file_id: str) -> ClipFile | None:
        """Return a copy of a clip's file that came to any of the servers, or None."""
        return await self._tried(lambda: self._read_clip(file_id))

    async def keep_file(self, name: str, file: ExportFile) -> bool:
        """Keep an exported file for the other servers; return whether the folder took it."""

        def write() -> bool:
            self._files.write(name, pieces_of(file))
            return True

        kept = await self._tried(write)
        self._begin_sweep(self._files)
        return kept is True

    async def file(self, name: str) -> ExportFile | None:
        """Return a file that any of the servers has exported, or None."""
        return await self._tried(lambda: self._read_file(name))

    async def run(self) -> None:
        """Take away what gets too old, until the task is cancelled."""
        while True:
            for folder in (self._pictures, self._clips, self._files):
                self._begin_sweep(folder)
            await asyncio.sleep(SWEEP_EVERY_S)

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _write_clip(self, file: ClipFile) -> None:
        there = self._clips.open(file.file_id)
        if there is None:
            self._clips.write(file.file_id, file.pieces())
        else:
            there.close()

    def _read_clip(self, file_id: str) -> ClipFile | None:
        file = self._clips.open(file_id)
        if file is None:
            return None
        with file:
            if os.fstat(file.fileno()).st_size > self._max_clip_bytes:
                return None
            copy = ClipFile.of(iter(partial(file.read, COPIED_BYTES), b""), self._max_clip_bytes)
        if copy.file_id == file_id:
            return copy
        with contextlib.suppress(OSError):
            self._clips.remove(file_id)  # damaged, as a picture may be
        return None

    def _read_file(self, name: str) -> ExportFile | None:
        file = self._files.open(name)
        if file is None:
            return None
        line = file.readline(MAX_HEAD_BYTES)
        content = FileBody(file, len(line))
        head = msgspec.json.decode(line, type=FileHead)
        return ExportFile(head.name, head.media_type, content)

    async def _tried(self, work: Callable[[], T]) -> T | None:
        """Return what the folder answers, or None where it can't, or not in time."""
        if self._at_work >= MAX_AT_WORK:
            self._failed("it doesn't answer")
            return None
        self._at_work += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(self._done)
        try:
            answer = await asyncio.wait_for(asyncio.shield(future), self._timeout_s)
        except asyncio.TimeoutError:
            self._failed(f"it didn't answer within {self._timeout_s:g} s")
        except (OSError, ValueError) as error:
            self._failed(getattr(error, "strerror", None) or type(error).__name__)
        else:
            self.trouble = ""
            return answer
        return None

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._at_work -= 1
        if not future.cancelled():
            future.exception()  # of one that nobody waits for any more

    def _failed(self, reason: str) -> None:
        self.failures, self.trouble = self.failures + 1, reason
        if time.monotonic() - self._said_at >= SAY_EVERY_S:
            self._said_at = time.monotonic()
            log.error("shared_folder_failed", reason=reason, cure="HOVERSAM_SHARED_DIR", failures=self.failures)

    def _begin_sweep(self, folder: BoundedFolder) -> None:
        """Sweep without having anybody wait; what fails is tried again with the next file."""
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            self._threads.submit(folder.sweep)


def pieces_of(file: ExportFile) -> Iterator[bytes]:
    """Give an exported file as it lies in the folder: its head, then its bytes."""
    yield msgspec.json.encode(FileHead(file.name, file.media_type)) + b"\n"
    yield from file.pieces()


def shared_key(path: Path) -> bytes:
    """Return the key in a file, made now if there is none; of several who make it at once, all get the same.

    Raises:
        OSError: the file can't be made or read, or holds something else.
    """
    if not path.exists():
        part = path.with_name(f".{KEY}.{secrets.token_hex(8)}{PART}")
        with open(part, "xb", opener=private) as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(part, path)  # which fails where another server was sooner
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise OSError(f"its file {KEY} is damaged; take it away")
    return key
