"""How large a picture may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from app.errors import Reason, TooManyPixelsError
from app.settings import Settings


@dataclass(frozen=True)
class ShapeLimits:
    """How long, and how narrow, a picture may be; the texts are those of `/limits`."""

    max_side: Annotated[int, "longest side of a picture, in pixels"] = 16_384
    """Graphics hardware commonly takes no longer texture, so a page couldn't be sure to show it."""
    max_aspect: Annotated[int, "how many times as long as wide a picture may be"] = 100
    """The model sees every picture stretched to a square, and a narrower strip beyond recognition."""


@dataclass(frozen=True)
class PictureLimits:
    """Bounds of one picture.

    Attributes:
        max_bytes: of its file.
        max_pixels: width times height.
        shape: of its sides.
    """

    max_bytes: int
    max_pixels: int
    shape: ShapeLimits = field(default_factory=ShapeLimits)

    @classmethod
    def of(cls, settings: Settings, shape: ShapeLimits | None = None) -> PictureLimits:
        """Return the bounds that an operator has set, beside those of the sides."""
        return cls(settings.max_upload_bytes, settings.max_pixels, shape or ShapeLimits())


def check_size(size_wh: tuple[int, int], limits: PictureLimits) -> None:
    """Refuse a picture by the size that its header states.

    Raises:
        TooManyPixelsError: too many pixels, a side too long, or a strip.
    """
    (width, height), shape = size_wh, limits.shape
    if width * height > limits.max_pixels or max(size_wh) > shape.max_side:
        raise TooManyPixelsError(
            Reason(
                "pixels",
                "a picture may have {most:g} megapixels and sides of {side}, got {width} x {height}; scale it down",
                most=limits.max_pixels / 1e6,
                side=shape.max_side,
                width=width,
                height=height,
            )
        )
    if max(size_wh) > shape.max_aspect * min(size_wh):
        raise TooManyPixelsError(
            Reason(
                "strip",
                "a picture may be {most} times as long as wide, got {width} x {height}; crop it",
                most=shape.max_aspect,
                width=width,
                height=height,
            )
        )
