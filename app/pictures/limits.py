"""How large a picture may be."""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import TooManyPixelsError
from app.settings import Settings


@dataclass(frozen=True)
class PictureLimits:
    """Bounds of one picture, from the settings."""

    max_bytes: int
    max_pixels: int
    max_side: int
    max_aspect: int

    @classmethod
    def of(cls, settings: Settings) -> PictureLimits:
        """Return the bounds that an operator has set."""
        return cls(settings.max_upload_bytes, settings.max_pixels, settings.max_side, settings.max_aspect)


def check_size(size_wh: tuple[int, int], limits: PictureLimits) -> None:
    """Refuse a picture by the size that its header states.

    Raises:
        TooManyPixelsError: too many pixels, a side too long, or a strip.
    """
    width, height = size_wh
    if width * height > limits.max_pixels or max(size_wh) > limits.max_side:
        raise TooManyPixelsError(
            f"a picture may have {limits.max_pixels / 1e6:g} megapixels and sides of {limits.max_side}, "
            f"got {width} x {height}; scale it down"
        )
    if max(size_wh) > limits.max_aspect * min(size_wh):
        raise TooManyPixelsError(
            f"a picture may be {limits.max_aspect} times as long as wide, got {width} x {height}; crop it"
        )
