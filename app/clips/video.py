"""Videos, decoded by PyAV frame by frame: upright, each frame with its own time.

Only the demuxer of the format that the file begins like runs, so that no playlist or description can have FFmpeg open
other files or addresses.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Final

import numpy as np
from PIL import Image as Pil

from app.clips.limits import ClipLimits
from app.clips.shaping import Shaped, check_pixels, fitted_wh
from app.errors import CorruptImageError, Reason, UnsupportedImageError

if TYPE_CHECKING:
    import av

NO_VIDEO: Final = "videos are read by PyAV, which isn't installed here: ./start.sh install video; GIFs need nothing"
GUESSED_RATE: Final = 25.0
"""Of a video that says nothing of its rate, for a frame that says nothing of its time."""


def video_frames(
    file: IO[bytes], kind: str, limits: ClipLimits, side: int | None, begin_s: float = 0.0
) -> Iterator[Shaped]:
    """Give the frames of a video from about a time on, or from before it.

    Args:
        file: the video.
        kind: FFmpeg's name of its container.
        limits: of a clip.
        side: longest side of the pictures; None for the video's own.
        begin_s: from where on frames are wanted.

    Raises:
        UnsupportedImageError: PyAV isn't there, or a decoder; there is no video in it.
        TooManyPixelsError: its frames are too large.
        CorruptImageError: cut or damaged.
    """
    try:
        import av
    except ImportError as error:
        raise UnsupportedImageError(Reason("clip_no_video", NO_VIDEO)) from error
    try:
        with av.open(file, format=kind, metadata_errors="ignore") as container:
            stream = video_stream(container, limits)
            if begin_s > 0 and stream.time_base:
                with contextlib.suppress(av.error.FFmpegError):  # without an index all is read from the beginning
                    container.seek(int(begin_s / stream.time_base) + (stream.start_time or 0), stream=stream)
            yield from frames_of(container, stream, limits, side, whole=begin_s <= 0)
    except av.error.FFmpegError as error:
        what = getattr(error, "strerror", None) or str(error)
        text = "the video is cut or damaged ({cause}); save it again and send it whole"
        raise CorruptImageError(Reason("clip_cut", text, cause=what[:80])) from error


def video_stream(container: av.container.InputContainer, limits: ClipLimits) -> av.VideoStream:
    """Return what is decoded: the first stream with a picture that moves; raises as `video_frames`."""
    from av.stream import Disposition

    moving = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
    if not container.streams:
        raise CorruptImageError(Reason("clip_cut", "the video is cut: its index isn't there; send it whole"))
    if not moving:
        text = "there is no video in this file, only sound or text; open another"
        raise UnsupportedImageError(Reason("clip_sound", text))
    stream = moving[0]
    if stream.codec_context is None:
        text = "the video is of a codec that isn't there; convert it to H.264, VP9 or AV1"
        raise UnsupportedImageError(Reason("clip_codec", text))
    check_pixels(stream.codec_context.width, stream.codec_context.height, limits)
    stream.codec_context.options = {"max_pixels": str(2 * limits.max_clip_pixels)}  # it counts whole blocks
    stream.codec_context.thread_count = 1  # a frame in each thread would take as many times the memory
    return stream


def frames_of(
    container: av.container.InputContainer, stream: av.VideoStream, limits: ClipLimits, side: int | None, *, whole: bool
) -> Iterator[Shaped]:
    """Give the frames of a stream in the order in which they are shown; raises as `video_frames`."""
    start_s = float((stream.start_time or 0) * (stream.time_base or 0))
    usual_s = 1 / float(stream.average_rate or stream.guessed_rate or GUESSED_RATE)
    packets, last_s, size_wh = 0, -usual_s, None
    for packet in container.demux(stream):
        packets += packet.size > 0
        for frame in packet.decode():
            check_pixels(frame.width, frame.height, limits)
            time_s = last_s + usual_s if frame.time is None else frame.time - start_s
            time_s = max(time_s, last_s + 1e-3) if last_s >= 0 else max(0.0, time_s)  # they only go on
            size_wh = size_wh or upright_wh(frame, float(stream.sample_aspect_ratio or 1))
            shown_s = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else usual_s
            yield Shaped(upright_picture(frame, size_wh, side), size_wh, time_s, shown_s, stream.frames)
            last_s = time_s
    if whole and packets < stream.frames:
        text = "the video is cut: its header says {most} frames, {got} are there; send it whole"
        raise CorruptImageError(Reason("clip_cut", text, most=stream.frames, got=packets))


def turns_of(frame: av.VideoFrame) -> int:
    """Return by how many quarter turns, against the clock, a frame's pixels become upright."""
    turns: int = round(frame.rotation / 90) % 4
    return turns


def upright_wh(frame: av.VideoFrame, aspect: float) -> tuple[int, int]:
    """Return width and height of a frame as it is to be seen: its pixels square, and upright.

    Args:
        frame: the frame.
        aspect: how many times as wide as high its pixels are.
    """
    width, height = max(1, round(frame.width * min(4.0, max(0.25, aspect)))), frame.height
    return (height, width) if turns_of(frame) % 2 else (width, height)


def upright_picture(frame: av.VideoFrame, size_wh: tuple[int, int], side: int | None) -> Pil.Image:
    """Return a frame's pixels upright, RGB, scaled so that they fit a side."""
    turns = turns_of(frame)
    width, height = fitted_wh(size_wh, side)
    if turns % 2:
        width, height = height, width
    rgb = frame.reformat(width, height, "rgb24", interpolation="AREA" if width < frame.width else "BICUBIC")
    return Pil.fromarray(np.ascontiguousarray(np.rot90(rgb.to_ndarray(), turns)))


def rest_of(file: IO[bytes], kind: str) -> tuple[int, float]:
    """Return how many frames a video has and how long it lasts, by what is in it; nothing is decoded."""
    import av

    frames, last_s = 0, 0.0
    file.seek(0)
    with contextlib.suppress(av.error.FFmpegError), av.open(file, format=kind, metadata_errors="ignore") as container:
        stream = container.streams.video[0]
        start_s = float((stream.start_time or 0) * (stream.time_base or 0))
        for packet in container.demux(stream):
            frames += packet.size > 0
            if packet.pts is not None and packet.time_base:
                last_s = max(last_s, float((packet.pts + (packet.duration or 0)) * packet.time_base) - start_s)
    return frames, last_s
