"""What a session works on."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class OpenImage:
    """The picture that the session works on, upright.

    Attributes:
        image_id, width, height: as in `app.pictures.Picture`.
        colors: of the picture on a small grid, see `app.session.contrast`; empty where they aren't known.
        orientation, rendered: what a page needs to show the file as the model sees it; no part of which picture it is.
    """

    image_id: str
    width: int
    height: int
    orientation: int = field(default=1, compare=False)
    rendered: bool = field(default=False, compare=False)
    colors: bytes = field(default=b"", compare=False, repr=False)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width


@dataclass(frozen=True)
class OpenClip:
    """A clip, or the part of one, that a session works on; each of its frames is an `OpenImage` of its own.

    Attributes:
        clip_id: the hash of its file, and which part of it.
        width, height: of the upright clip in its own pixels; the frame of all points and boxes.
        times_s: when each frame is shown, from the beginning of the file, in seconds.
        duration_s: when the last one ends.
    """

    clip_id: str
    width: int
    height: int
    times_s: tuple[float, ...] = field(repr=False)
    duration_s: float

    @property
    def count(self) -> int:
        """How many frames it has."""
        return len(self.times_s)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in its own pixels."""
        return self.height, self.width


@dataclass(frozen=True)
class StandIn:
    """The model that answers in place of the session's own, and the `open` that let it."""

    model: str
    seq: int
