"""Starts the child that decodes a clip, and believes it nothing: it may die, hang, or say too much."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

import msgspec

from app.clips.file import ClipFile
from app.clips.kinds import kind_of
from app.clips.limits import ClipLimits
from app.clips.values import ClipHead, ClipRefused, End, Frame, Message, Task, TooLong
from app.clips.wholeness import check_whole
from app.errors import ClipTooLongError, CorruptImageError, HoverError, Reason
from app.protocol.clips import ClipPart

WORKING_SIDE: Final = 1280
"""Longest side of the frames that the model sees and the page shows; a larger clip's masks are of its own size."""
MEMORY_BYTES: Final = 3 * 2**30
"""What the child may take, addresses of libraries included; a decoder of 4K takes half a gigabyte."""
MAX_MESSAGE_BYTES: Final = 2**26
"""Of one frame from the child; a JPEG of 4K has a few megabytes."""
MAX_FRAMES_BYTES: Final = 2**29
"""Of all frames of a clip; three hundred that are nothing but noise have 400 MB."""
LENGTH_BYTES: Final = 4
HEAD_BYTES: Final = 16
"""Of a file, by which it is known what it is."""
GRACE_S: Final = 5.0
"""How long after its time the child is ended from outside, should it not have ended itself."""
CHILD: Final = (sys.executable, "-I", "-m", "app.clips.child")
"""What is started, before the task."""


@dataclass(frozen=True)
class Clip:
    """A clip that was read, or the part of it that was chosen.

    Attributes:
        width, height: of the upright clip in its own pixels; the frame of all points and boxes.
        jpegs: its frames, upright, at most `WORKING_SIDE` on the long side.
        times_s: when each is shown, from the beginning of the file, in seconds.
        duration_s: when the last one ends.
    """

    width: int
    height: int
    jpegs: tuple[bytes, ...]
    times_s: tuple[float, ...]
    duration_s: float

    @property
    def nbytes(self) -> int:
        """What its frames take."""
        return sum(map(len, self.jpegs))


class Children:
    """The decoders that are at work, so that whoever closes can end them. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._at_work: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._ended = False

    @contextmanager
    def running(self, command: Sequence[str], file: ClipFile, timeout_s: float) -> Iterator[subprocess.Popen[bytes]]:
        """Give a child that reads a file; it has ended, and nothing of it is left, when the `with` ends."""
        child = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=file.fileno(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
        )
        watch = threading.Timer(timeout_s, child.kill)
        watch.daemon = True
        watch.start()
        try:
            self._began(child)
            yield child
        finally:
            watch.cancel()
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
            with self._lock:
                self._at_work.discard(child)

    def end(self) -> None:
        """End all that are at work, and those that are yet to begin."""
        with self._lock:
            self._ended = True
            for child in self._at_work:
                child.kill()

    def _began(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._at_work.add(child)
            if self._ended:
                child.kill()


def read_clip(
    file: ClipFile,
    limits: ClipLimits,
    part: ClipPart | None = None,
    *,
    command: Sequence[str] = CHILD,
    children: Children | None = None,
) -> Clip:
    """Return the clip in a file. Takes up to a minute; call it in a worker thread.

    Args:
        file: MP4, MOV, WebM, an animated GIF, WebP or PNG, or a ZIP of frames.
        limits: of a clip.
        part: which frames, None for all.
        command: what decodes.
        children: where the one that decodes is listed while it is at work.

    Raises:
        ClipTooLongError: it has more than is worked on at once; it says how much.
        UnsupportedImageError: of a format or codec that isn't read, or without a video.
        TooManyPixelsError: its frames are too large.
        CorruptImageError: cut or damaged, or its decoder died.
    """
    frames: list[Frame] = []
    head, ends_s, nbytes = None, 0.0, 0
    for message in decoded_frames(file, limits, part, side=WORKING_SIDE, command=command, children=children):
        if isinstance(message, ClipHead):
            head = message
        elif isinstance(message, Frame):
            frames.append(message)
            nbytes += len(message.jpeg)
            if nbytes > MAX_FRAMES_BYTES or len(frames) > limits.max_clip_frames:
                raise CorruptImageError(astray())
        else:
            ends_s = message.duration_s
    if head is None or not frames:
        raise CorruptImageError(astray())
    jpegs, times_s = tuple(frame.jpeg for frame in frames), tuple(frame.time_s for frame in frames)
    return Clip(head.width, head.height, jpegs, times_s, ends_s)


def decoded_frames(
    file: ClipFile,
    limits: ClipLimits,
    part: ClipPart | None,
    *,
    side: int | None,
    command: Sequence[str] = CHILD,
    children: Children | None = None,
) -> Iterator[ClipHead | Frame | End]:
    """Give a clip frame by frame: its head, its frames, its end; raises as `read_clip`.

    Who stops in between ends the child.

    Args:
        file: the file.
        limits: of a clip.
        part: which frames, None for all.
        side: longest side of the frames; None for the clip's own.
        command: what decodes.
        children: where the one that decodes is listed while it is at work.
    """
    with file.mapped() as data:
        kind = kind_of(data[:HEAD_BYTES])
        check_whole(data, kind)
    task = Task(kind, limits, part, side, MEMORY_BYTES)
    started, ended = [*command, msgspec.json.encode(task).decode()], False
    with (children or Children()).running(started, file, limits.clip_timeout_s + GRACE_S) as child:
        while (message := next_message(child.stdout)) is not None:
            if isinstance(message, TooLong):
                raise too_long(message, limits)
            if isinstance(message, ClipRefused):
                raise refusal_of(message)
            yield message
            ended = isinstance(message, End)
        if not ended:
            child.wait()
            raise CorruptImageError(death_of(child.returncode, limits))


def next_message(pipe: IO[bytes] | None) -> Message | None:
    """Return what the child says next, None where it says no more.

    Raises:
        CorruptImageError: nothing that a child of ours would say.
    """
    head = pipe.read(LENGTH_BYTES) if pipe is not None else b""
    length = int.from_bytes(head, "big")
    if len(head) < LENGTH_BYTES or pipe is None:
        return None
    data = pipe.read(length) if length <= MAX_MESSAGE_BYTES else b""
    if len(data) < length:
        return None
    try:
        return msgspec.msgpack.decode(data, type=Message)
    except msgspec.DecodeError as error:
        raise CorruptImageError(astray()) from error


def astray() -> Reason:
    """Return what is told of a child that says what none of ours would."""
    return Reason("clip_died", "the clip's decoder went astray; save the clip again")


def too_long(message: TooLong, limits: ClipLimits) -> ClipTooLongError:
    """Return the error of a clip that has more than is worked on at once."""
    told = Reason(
        "clip_long",
        "a clip may have {most} frames and {most_s:g} s, this one has {frames} and {duration_s} s; choose a part of it "
        "and a frame rate",
        most=limits.max_clip_frames,
        most_s=limits.max_clip_s,
        frames=message.frames,
        duration_s=round(message.duration_s, 1),
    )
    return ClipTooLongError(told, frames=message.frames, duration_s=message.duration_s)


def refusal_of(message: ClipRefused) -> HoverError:
    """Return the error that the child told."""
    kinds = {each.code: each for each in HoverError.__subclasses__()}
    return kinds.get(message.code, CorruptImageError)(message.reason)


def death_of(code: int, limits: ClipLimits) -> Reason:
    """Return why a child that ended by itself gave no clip."""
    if code in (-9, -14, -24):  # killed by us, by its own clock, by its share of the processor
        text = "the clip couldn't be read within {most:g} s; save it smaller or shorter"
        return Reason("clip_time", text, most=limits.clip_timeout_s)
    text = "the clip's decoder died of it; save the clip again, or convert it to MP4 with H.264"
    return Reason("clip_died", text)
