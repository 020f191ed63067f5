"""What a client gets: pictures, previews and objects, their masks as arrays when asked for. Pure; knows no socket.

Field names are the wire's own. NumPy is imported when a mask is asked for, not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.client.masks import MaskArray

Box = tuple[float, float, float, float]
"""`(x0, y0, x1, y1)` in pixels of the upright picture, x0 < x1 and y0 < y1."""


@dataclass(frozen=True)
class ModelInfo:
    """A model that the server knows: its size in millions of parameters, and whether its weights are there or come."""

    name: str
    params_m: float
    available: bool
    bundled: bool
    fetchable: bool = False


@dataclass(frozen=True)
class Limits:
    """What the server accepts, in bytes, pixels and pieces."""

    max_upload_bytes: int
    max_pixels: int
    max_side: int
    max_inline_bytes: int
    max_message_bytes: int
    max_points: int
    max_objects: int


@dataclass(frozen=True)
class Welcome:
    """What the server says of itself; `session` and `token` take the session up again on another socket."""

    version: int
    session: str
    token: str
    resumed: bool
    model: str
    models: tuple[ModelInfo, ...]
    limits: Limits
    server: str


@dataclass(frozen=True)
class Progress:
    """How far an `open` or `model` has come: its stage, `position` in the queue, `fraction` done in [0, 1]."""

    seq: int
    stage: str
    position: int | None = None
    fraction: float | None = None


@dataclass(frozen=True)
class Image:
    """A picture that takes prompts; `cached` where the server had already encoded it.

    Attributes:
        orientation: 1 to 8, EXIF's number of the turn that the pixels of the file needed.
        rendered: True where other programs show the file not at all or otherwise than it was segmented, such as
            16 bit grey that fills little of its range.
        provisional: True while a smaller model answers, until `model` has seen the picture.
    """

    seq: int
    image_id: str
    width: int
    height: int
    model: str
    cached: bool
    encode_ms: float
    last: bool = False
    orientation: int = 1
    rendered: bool = False
    provisional: bool = False


@dataclass(frozen=True)
class Mask:
    """A mask as it travels: run lengths inside its own box.

    Attributes:
        size: `(height, width)` of the grid, which spans the whole picture.
        box: `(x0, y0, x1, y1)` of the crop on the grid, end exclusive; four zeros for an empty mask.
        runs: LEB128 varints, row-major, alternating background and foreground, beginning with background.
        score: the model's own predicted IoU.
        area: foreground in pixels of the picture.
    """

    size: tuple[int, int]
    box: tuple[int, int, int, int]
    runs: bytes
    score: float
    area: int


@dataclass(frozen=True)
class Preview:
    """What a click at `(x, y)` would give.

    Attributes:
        masks: every candidate, on the model's own grid; `best` is the index of the one that a click would keep.
        object: the object that would be refined, None for a new one.
        provisional: True where a smaller model answered, see `Image.provisional`.
        size_hw: height and width of the picture in pixels.
        nbytes: size of the reply on the wire.
    """

    seq: int
    x: float
    y: float
    best: int
    masks: tuple[Mask, ...]
    object: int | None = None
    provisional: bool = False
    size_hw: tuple[int, int] = (0, 0)
    nbytes: int = 0

    @property
    def score(self) -> float:
        """The model's own predicted IoU of the best candidate."""
        return self.masks[self.best].score

    @property
    def area(self) -> int:
        """Foreground of the best candidate in pixels of the picture."""
        return self.masks[self.best].area

    @cached_property
    def mask(self) -> MaskArray:
        """(H, W) bool, the best candidate at the picture's size; computed at the first use."""
        return _array(self.masks[self.best], self.size_hw)


@dataclass(frozen=True)
class Object:
    """An object as the server last told it.

    Attributes:
        id: the number to name it by.
        color: index into the page's palette.
        points: `(x, y, label)` of every point, label 1 on the object and 0 off it.
        box: its box, or None.
        trail: what made it: its box and points in order, each with the candidate that was picked after it.
        masks: every candidate; `chosen` is the index of the one that counts. Another may be on a coarser grid until it
            is chosen, and its `area` is counted on that.
        provisional: True while its masks are a smaller model's, see `Image.provisional`; better ones come.
        size_hw: height and width of the picture in pixels.
        nbytes: size of the reply on the wire.
    """

    seq: int
    id: int
    name: str
    color: int
    points: tuple[tuple[float, float, int], ...]
    chosen: int
    masks: tuple[Mask, ...]
    can_undo: bool
    can_redo: bool
    box: Box | None = None
    provisional: bool = False
    trail: tuple[Mapping[str, Any], ...] = ()
    last: bool = False
    size_hw: tuple[int, int] = (0, 0)
    nbytes: int = 0

    @property
    def score(self) -> float:
        """The model's own predicted IoU of the chosen candidate."""
        return self.masks[self.chosen].score

    @property
    def area(self) -> int:
        """Foreground of the chosen candidate in pixels of the picture."""
        return self.masks[self.chosen].area

    @cached_property
    def mask(self) -> MaskArray:
        """(H, W) bool, the chosen candidate at the picture's size; computed at the first use."""
        return _array(self.masks[self.chosen], self.size_hw)


@dataclass(frozen=True)
class Gone:
    """Objects that are no more."""

    seq: int
    objects: tuple[int, ...]
    can_undo: bool
    can_redo: bool
    last: bool = False


@dataclass(frozen=True)
class File:
    """An exported file: its name, media type and bytes.

    `url` is where a server that has a large file for us lets it be fetched; `export` has done so.
    """

    seq: int
    name: str
    media_type: str
    data: bytes
    url: str | None = None


@dataclass(frozen=True)
class Pong:
    """The answer to a ping, with running medians of the server in milliseconds."""

    at: float
    queue_ms: float
    decode_ms: float


@dataclass(frozen=True)
class Refusal:
    """An error as it travels; `retry_after` in seconds. `app.client.errors` makes the exception of it."""

    code: str
    message: str
    fatal: bool
    seq: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True)
class Latency:
    """How long things take, in milliseconds: there and back, waiting for the device, decoding a prompt."""

    round_trip_ms: float
    queue_ms: float
    decode_ms: float


def _array(mask: Mask, size_hw: tuple[int, int]) -> MaskArray:
    from app.client.masks import decode_mask, scale_mask  # NumPy only for who asks for an array

    mask_hw = decode_mask(mask)
    return scale_mask(mask_hw, size_hw) if size_hw != (0, 0) else mask_hw
