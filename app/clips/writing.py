"""A video of frames that were drawn, each shown at its own time. By PyAV."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import IO, Final

import numpy as np
from numpy.typing import NDArray

from app.errors import Reason, UnsupportedImageError

NO_PYAV: Final = "videos are written by PyAV, which isn't installed here: ./start.sh install video"
CLOCK: Final = Fraction(1, 90_000)
"""What times are counted in: thirtieths, twenty-fifths and milliseconds are whole numbers of it."""
QUALITY: Final = "20"
"""x264's constant rate factor; of 18 nobody sees a loss, 23 is usual."""
INDEX_BYTES: Final = 2**15
"""Kept free for the file's index before its frames, of which each takes about 30: a clip has a few hundred."""


def write_mp4(frames: Iterable[tuple[float, NDArray[np.uint8]]], out: IO[bytes]) -> None:
    """Write frames as H.264 in an MP4 that plays while it is loaded.

    Nothing of it is in a file with a name: what a server that is killed had half written goes with it.

    Args:
        frames: the time of each in seconds, and its pixels, (H, W, 3) uint8 RGB, all of one size.
        out: where the file goes; one that can be sought in.

    Raises:
        UnsupportedImageError: PyAV isn't installed.
    """
    try:
        import av
    except ImportError as error:
        raise UnsupportedImageError(Reason("clip_no_writer", NO_PYAV)) from error
    with av.open(out, "w", format="mp4", options={"moov_size": str(INDEX_BYTES)}) as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": QUALITY})
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = CLOCK
        begins_s: float | None = None
        for time_s, pixels in frames:
            even = with_even_sides(pixels)
            if begins_s is None:
                begins_s = time_s
                stream.height, stream.width = even.shape[:2]
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = round((time_s - begins_s) / CLOCK), CLOCK
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def with_even_sides(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a frame whose sides are even, as players want them: its last row or column is there twice where not."""
    height, width = pixels.shape[:2]
    return np.ascontiguousarray(np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))
