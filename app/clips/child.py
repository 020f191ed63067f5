"""`python -m app.clips.child TASK < FILE`: decodes a clip in a process that may die or hang without harm.

The system ends it at its bounds, whatever the decoder does, and whether or not its parent is still there.
"""

from __future__ import annotations

import io
import math
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

import msgspec

from app.clips.animation import animation_frames, zip_frames
from app.clips.choosing import Chooser
from app.clips.kinds import VIDEOS
from app.clips.shaping import Shaped, fitted_wh, jpeg_of
from app.clips.values import ClipHead, ClipRefused, End, Frame, Message, Task, TooLong
from app.clips.video import rest_of, video_frames
from app.errors import CorruptImageError, HoverError, Reason, TooManyPixelsError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LENGTH_BYTES = 4
"""Of the length before each message, most significant first."""
BUFFER_BYTES = 2**16
NICE = 5
"""Whoever points at a picture goes before whoever waits for a clip."""


def main(task: Task) -> None:
    """Decode what is on the standard input and say what came of it on the standard output."""
    bounded(task)
    for message in said(task, io.BufferedReader(OwnPlace(sys.stdin.fileno()), BUFFER_BYTES)):
        data = msgspec.msgpack.encode(message)
        sys.stdout.buffer.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
        sys.stdout.buffer.flush()


class OwnPlace(io.RawIOBase):
    """A file that is read from a place of its own: that of the descriptor is shared with who else reads the file."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor, self._at = descriptor, 0
        self._nbytes = os.fstat(descriptor).st_size

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read from anywhere."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read some bytes; return how many."""
        wanted = memoryview(buffer)
        data = os.pread(self._descriptor, len(wanted), self._at)
        wanted[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go somewhere else."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._nbytes}[whence]
        self._at = max(0, begin + offset)
        return self._at


def bounded(task: Task) -> None:
    """Have the system end this process beyond its bounds."""
    time_s = math.ceil(task.limits.clip_timeout_s)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, task.limits.clip_timeout_s)
    for what, bound in (
        (resource.RLIMIT_CPU, 2 * time_s),
        (resource.RLIMIT_AS, task.memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        try:
            resource.setrlimit(what, (bound, bound))
        except (OSError, ValueError):  # a system that doesn't know this one
            continue
    os.nice(NICE)


def said(task: Task, file: IO[bytes]) -> Iterator[Message]:
    """Give what there is to say of a clip, refusals too."""
    try:
        yield from clip_of(task, file)
    except HoverError as error:
        yield refused(error)
    except MemoryError:
        text = "the clip takes too much memory to be decoded; scale it down"
        yield refused(TooManyPixelsError(Reason("clip_memory", text)))


def refused(error: HoverError) -> ClipRefused:
    """Return what is said of an error."""
    reason = error.reason or Reason("clip_died", "{cause}", cause=error.message)
    return ClipRefused(error.code, reason.key, reason.template, dict(reason.values))


def clip_of(task: Task, file: IO[bytes]) -> Iterator[Message]:
    """Give the frames of a clip that are taken.

    Raises:
        HoverError: it can't be read.
    """
    chooser, size_wh, ends_s = Chooser(task.limits, task.part), None, 0.0
    for frame in frames_in(task, file):
        if chooser.is_past(frame.time_s):
            break
        if not chooser.takes(frame.time_s):
            continue
        if chooser.is_too_long(frame.time_s):
            yield how_long(task, file, frame)
            return
        if size_wh is None:
            size_wh = frame.size_wh
            yield ClipHead(*size_wh)
        yield Frame(frame.time_s, jpeg_of(frame.picture, fitted_wh(frame.size_wh, task.side)))
        ends_s = frame.time_s + frame.shown_s
    if not chooser.taken:
        where = "" if task.part is None else f" from {task.part.begin:g} to {task.part.end:g} s"
        text = "there is no frame in this clip{where}; it may be cut, or shorter"
        raise CorruptImageError(Reason("clip_frames", text, where=where))
    if chooser.taken == 1 and task.part is None:
        text = "this clip has one frame; save that as a picture and open it"
        raise CorruptImageError(Reason("clip_one", text))
    yield End(ends_s)


def frames_in(task: Task, file: IO[bytes]) -> Iterator[Shaped]:
    """Give the frames of a file, the first of those that are wanted or one before it first; raises as `clip_of`."""
    if task.kind in VIDEOS:
        return video_frames(file, task.kind, task.limits, task.side, 0.0 if task.part is None else task.part.begin)
    if task.kind == "ZIP":
        return zip_frames(file, task.limits)
    return animation_frames(file, task.kind, task.limits)


def how_long(task: Task, file: IO[bytes], frame: Shaped) -> TooLong:
    """Return about how long a clip is that has more than is taken, at the first frame that is too much."""
    if task.kind in VIDEOS:
        return TooLong(*rest_of(file, task.kind))
    ends_s = frame.time_s + frame.shown_s
    so_far = max(1, round(frame.time_s / frame.shown_s) + 1)
    return TooLong(frame.count, max(ends_s, ends_s * frame.count / so_far))


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=Task))
