"""Which frames of a file become a clip. Pure."""

from __future__ import annotations

from typing import Final

from app.clips.limits import ClipLimits
from app.errors import ClipTooLongError, Reason
from app.protocol.clips import ClipPart

SLACK_S: Final = 1e-6
"""Times are sums of fractions."""


class Chooser:
    """Takes the frames of the whole file, or of a part of it at a rate, in the order of their times.

    Attributes:
        taken: how many were.
    """

    def __init__(self, limits: ClipLimits, part: ClipPart | None) -> None:
        """Have taken none.

        Args:
            limits: of a clip.
            part: which frames, None for all.

        Raises:
            ClipTooLongError: the part is longer than a clip may be, or nothing lies in it.
        """
        self._limits, self._part = limits, part
        self._slot = -1
        self.taken = 0
        if part is not None and not SLACK_S < part.end - part.begin <= limits.max_clip_s + SLACK_S:
            raise ClipTooLongError(
                Reason(
                    "clip_part",
                    "a part of a clip may have {most_s:g} s, got {begin:g} to {end:g} s; choose less",
                    most_s=limits.max_clip_s,
                    begin=part.begin,
                    end=part.end,
                )
            )

    def is_past(self, time_s: float) -> bool:
        """Return whether this frame and all after it lie behind the part."""
        return self._part is not None and time_s >= self._part.end - SLACK_S

    def takes(self, time_s: float) -> bool:
        """Return whether the frame of this time is one of the clip."""
        if self._part is not None:
            slot = int((time_s - self._part.begin) * self._part.rate + SLACK_S)
            if time_s < self._part.begin - SLACK_S or slot <= self._slot:
                return False
            self._slot = slot
        self.taken += 1
        return True

    def is_too_long(self, time_s: float) -> bool:
        """Return whether a clip whose newest frame has this time has more than it may."""
        return self.taken > self._limits.max_clip_frames or (
            self._part is None and time_s > self._limits.max_clip_s + SLACK_S
        )
