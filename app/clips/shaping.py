"""A decoded frame on its way out of the child: of the size that is wanted, as a JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image as Pil

from app.clips.limits import ClipLimits
from app.errors import Reason, TooManyPixelsError

JPEG_QUALITY: Final = 92
"""No eye sees the loss, and no model."""


@dataclass(frozen=True)
class Shaped:
    """A frame as it was decoded.

    Attributes:
        picture: its pixels, upright, RGB.
        size_wh: width and height of the clip in its own pixels; those of the picture may be fewer.
        time_s: when it is shown, from the clip's beginning.
        shown_s: how long.
        count: about how many there are in all, 0 where that isn't known.
    """

    picture: Pil.Image
    size_wh: tuple[int, int]
    time_s: float
    shown_s: float
    count: int


def shaped(
    picture: Pil.Image, time_s: float, shown_s: float, count: int, size_wh: tuple[int, int] | None = None
) -> Shaped:
    """Return a frame of its own size, or of the size that is given."""
    return Shaped(picture, size_wh or picture.size, time_s, shown_s, count)


def check_pixels(width: int, height: int, limits: ClipLimits) -> None:
    """Refuse frames that are too large, by what the header states or by what came.

    Raises:
        TooManyPixelsError: so they are.
    """
    if width * height > limits.max_clip_pixels:
        raise TooManyPixelsError(
            Reason(
                "clip_pixels",
                "a frame of a clip may have {most} megapixels, got {width} x {height}; scale the clip down",
                most=round(limits.max_clip_pixels / 1e6, 1),
                width=width,
                height=height,
            )
        )


def fitted_wh(size_wh: tuple[int, int], side: int | None) -> tuple[int, int]:
    """Return width and height of at most this longest side, of the same shape."""
    longest = max(size_wh)
    if side is None or longest <= side:
        return size_wh
    return max(1, round(size_wh[0] * side / longest)), max(1, round(size_wh[1] * side / longest))


def jpeg_of(picture: Pil.Image, size_wh: tuple[int, int]) -> bytes:
    """Return a picture of this size as a JPEG."""
    out = BytesIO()
    sized = picture if picture.size == size_wh else picture.resize(size_wh, Pil.Resampling.LANCZOS, reducing_gap=3.0)
    sized.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
