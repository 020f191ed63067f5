"""What a client gets that the protocol's messages don't say alone: masks as arrays, and how long things take.

A preview and an object are the protocol's own, with the picture's size and their bytes on the wire added. Everything
else that a session gives (`Image`, `Progress`, `File`, ...) is the message itself, from `app.protocol.messages`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import structs

from app.protocol import messages as m
from app.protocol.labels import Misfit

if TYPE_CHECKING:
    from app.arrays import MaskArray


NOTHING: Final = m.Mask(size=(1, 1), box=(0, 0, 0, 0), runs=b"", score=0.0, area=0)
"""The mask of what isn't to be seen."""


class Masked:
    """Something with several masks, one of which counts."""

    __slots__ = ()

    size_hw: tuple[int, int]

    @property
    @abstractmethod
    def counting(self) -> m.Mask:
        """The mask that counts, as it travels."""

    @property
    def score(self) -> float:
        """The model's own predicted IoU of the mask that counts."""
        return self.counting.score

    @property
    def area(self) -> int:
        """Foreground of the mask that counts, in pixels of the picture."""
        return self.counting.area

    @cached_property
    def mask(self) -> MaskArray:
        """(H, W) bool, the mask that counts, at the picture's size; computed at the first use."""
        from app.client.mask_array import at_size  # NumPy only for who asks for an array

        return at_size(self.counting, self.size_hw)


class Preview(m.Preview, Masked, frozen=True, kw_only=True, dict=True):
    """What a click at `(x, y)` would give; its best candidate counts, which a click would keep.

    Attributes:
        size_hw: height and width of the picture in pixels; zeros where no picture is known.
        nbytes: size of the reply on the wire.
    """

    size_hw: tuple[int, int] = (0, 0)
    nbytes: int = 0

    @property
    def counting(self) -> m.Mask:
        """The best candidate."""
        return self.masks[self.best]


class Object(m.Object, Masked, frozen=True, kw_only=True, dict=True):
    """An object as the server last told it; its chosen candidate counts.

    Attributes:
        size_hw: height and width of the picture in pixels; zeros where no picture is known.
        nbytes: size of the reply on the wire.
    """

    size_hw: tuple[int, int] = (0, 0)
    nbytes: int = 0

    @property
    def counting(self) -> m.Mask:
        """The chosen candidate; an empty mask on a frame of a clip on which the object isn't."""
        return self.masks[self.chosen] if self.masks else NOTHING


@dataclass(frozen=True)
class ClipMask(Masked):
    """An object's mask on a frame of a clip.

    Attributes:
        told: as it travels.
        size_hw: height and width of the clip in its own pixels.
    """

    told: m.Mask
    size_hw: tuple[int, int]

    @property
    def counting(self) -> m.Mask:
        """The mask."""
        return self.told


def preview_of(message: m.Preview, size_hw: tuple[int, int], nbytes: int) -> Preview:
    """Return a preview as a client gets it: with the picture's size, and its own bytes on the wire."""
    return Preview(**structs.asdict(message), size_hw=size_hw, nbytes=nbytes)


def object_of(message: m.Object, size_hw: tuple[int, int], nbytes: int) -> Object:
    """Return an object as a client gets it: with the picture's size, and its own bytes on the wire."""
    return Object(**structs.asdict(message), size_hw=size_hw, nbytes=nbytes)


@dataclass(frozen=True)
class Imported:
    """What came of a label file: the new objects, what didn't fit and why, and how many things were left out."""

    objects: list[Object]
    problems: tuple[Misfit, ...]
    left_out: int


@dataclass(frozen=True)
class Latency:
    """How long things take, in milliseconds: there and back, waiting for the device, decoding a prompt."""

    round_trip_ms: float
    queue_ms: float
    decode_ms: float
