"""How long and how large a clip may be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated


@dataclass(frozen=True)
class ClipLimits:
    """Bounds of one clip; the texts are those of `/limits`."""

    max_clip_frames: Annotated[int, "frames of a clip, or of the part of it that is chosen"] = 300
    """Following one object through so many takes an hour on two cores with the smallest published model."""
    max_clip_s: Annotated[float, "seconds of a clip, or of the part of it that is chosen"] = 60.0
    """A longer stretch in so few frames has things jump so far that nobody could follow them."""
    max_clip_bytes: Annotated[int, "bytes of a clip's file"] = 2**29
    """Three minutes from a telephone, of which a part is chosen; a proxy in front has a bound of its own."""
    max_clip_pixels: Annotated[int, "pixels of one frame of a clip"] = 4096 * 2304
    """4K; a decoder keeps up to twenty frames at once, and those of 8K would take gigabytes."""
    clip_timeout_s: Annotated[float, "reading one clip"] = 90.0
    """A minute of 4K takes most of it on two cores; a file that takes longer was made to."""
    clip_export_timeout_s: Annotated[float, "making a file of all frames of a clip"] = 1800.0
    """Three hundred frames of 4K with their outlines, on a machine that has better to do."""

    @property
    def of_files(self) -> ClipLimits:
        """The bounds of a clip that is decoded while a file of it is made, as slowly as that goes."""
        return replace(self, clip_timeout_s=self.clip_export_timeout_s)
