"""Clips as strangers' cameras and programs write them: an object that moves, so that frames can be told apart."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil

SQUARE = 24


def picture(index: int, size_wh: tuple[int, int] = (160, 120)) -> NDArray[np.uint8]:
    """Return frame number `index`: grey, with an orange square that is four pixels further to the right each time."""
    width, height = size_wh
    pixels = np.full((height, width, 3), 90, np.uint8)
    x = 8 + 4 * index
    pixels[40 : 40 + SQUARE, x : x + SQUARE] = (240, 140, 20)
    return pixels


def left_of_square(pixels: NDArray[np.uint8]) -> int:
    """Return where the square of a frame begins, in pixels from the left."""
    orange = (pixels[..., 0].astype(int) - pixels[..., 2]) > 100
    return int(np.flatnonzero(orange.any(axis=0))[0])


def animation(kind: str = "GIF", count: int = 6, durations_ms: int | list[int] = 100) -> bytes:
    """Return an animated GIF, WebP or PNG."""
    first, *others = (Pil.fromarray(picture(index)) for index in range(count))
    out = BytesIO()
    how = {"lossless": True} if kind == "WEBP" else {}
    first.save(out, kind, save_all=True, append_images=others, duration=durations_ms, loop=0, **how)
    return out.getvalue()


def zipped(count: int = 4, kind: str = "png", names: str = "shot{}.{}", size_wh: tuple[int, int] = (160, 120)) -> bytes:
    """Return a ZIP of pictures, the last first."""
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for index in reversed(range(count)):
            one = BytesIO()
            Pil.fromarray(picture(index, size_wh)).save(one, kind)
            archive.writestr(names.format(index, kind), one.getvalue())
    return out.getvalue()


def zipped_frames(frames: Sequence[NDArray[np.uint8]]) -> bytes:
    """Return a ZIP of frames, in their order."""
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for index, pixels in enumerate(frames):
            one = BytesIO()
            Pil.fromarray(pixels).save(one, "png")
            archive.writestr(f"frame{index:03}.png", one.getvalue())
    return out.getvalue()


def video(
    kind: str = "mp4",
    codec: str = "libx264",
    times_ms: list[int] | None = None,
    size_wh: tuple[int, int] = (160, 120),
    *,
    whole_head: bool = True,
    sound: bool = False,
) -> bytes:
    """Return a video by PyAV; frames are shown at these times, in milliseconds."""
    import av

    times_ms = [40 * index for index in range(6)] if times_ms is None else times_ms
    options = {"movflags": "faststart"} if whole_head and kind in ("mp4", "mov") else {}
    folder = TemporaryDirectory()
    file = Path(folder.name) / "clip"
    with folder, av.open(file, "w", format=kind, options=options) as container:
        stream = container.add_stream(codec, rate=25) if times_ms else None
        if stream is not None:
            stream.width, stream.height = size_wh
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        speech = container.add_stream("aac", rate=48_000) if sound else None
        if speech is not None:
            for at in range(4):
                sample = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.int16), format="s16", layout="stereo")
                sample.sample_rate, sample.pts = 48_000, at * 960
                container.mux(speech.encode(sample))
            container.mux(speech.encode(None))
        if stream is not None:
            for index, time_ms in enumerate(times_ms):
                frame = av.VideoFrame.from_ndarray(picture(index, size_wh), format="rgb24")
                frame.pts, frame.time_base = time_ms, stream.codec_context.time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        container.close()
        return file.read_bytes()


def turned(mp4: bytes) -> bytes:
    """Return an MP4 that is to be shown turned a quarter with the clock, as phones write portrait clips."""
    matrix = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    at = mp4.index(b"tkhd") + 4 + 40  # after version, flags, times, ids, duration, layer and volume
    return mp4[:at] + matrix + mp4[at + len(matrix) :]
