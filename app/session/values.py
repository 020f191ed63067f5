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
class StandIn:
    """The model that answers in place of the session's own, and the `open` that let it."""

    model: str
    seq: int
