"""What a client gets: previews and objects with their masks as arrays. Pure; knows no socket."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.protocol import messages
from app.protocol.masks import MaskArray, decode_mask


@dataclass(frozen=True)
class Preview:
    """What a click at the pointer would give.

    Attributes:
        message: the reply as it came, with every candidate on the logit grid.
        size_hw: height and width of the picture in pixels.
        nbytes: size of the reply on the wire.
    """

    message: messages.Preview
    size_hw: tuple[int, int]
    nbytes: int

    @property
    def score(self) -> float:
        """The model's own predicted IoU of the best candidate."""
        return self.message.masks[self.message.best].score

    @property
    def area(self) -> int:
        """Foreground of the best candidate in pixels of the picture."""
        return self.message.masks[self.message.best].area

    @cached_property
    def mask(self) -> MaskArray:
        """(H, W) bool, the best candidate at the picture's size; computed at the first use."""
        return scale_mask(decode_mask(self.message.masks[self.message.best]), self.size_hw)


@dataclass(frozen=True)
class Object:
    """An object as the server last told it.

    Attributes:
        message: the reply as it came: name, color, points, box and every candidate.
        size_hw: height and width of the picture in pixels.
        nbytes: size of the reply on the wire.
    """

    message: messages.Object
    size_hw: tuple[int, int]
    nbytes: int

    @property
    def id(self) -> int:
        """The number to name the object by."""
        return self.message.id

    @property
    def name(self) -> str:
        """The object's name."""
        return self.message.name

    @property
    def score(self) -> float:
        """The model's own predicted IoU of the chosen candidate."""
        return self.message.masks[self.message.chosen].score

    @property
    def area(self) -> int:
        """Foreground of the chosen candidate in pixels of the picture."""
        return self.message.masks[self.message.chosen].area

    @cached_property
    def mask(self) -> MaskArray:
        """(H, W) bool, the chosen candidate at the picture's size; computed at the first use."""
        return scale_mask(decode_mask(self.message.masks[self.message.chosen]), self.size_hw)


@dataclass(frozen=True)
class Latency:
    """How long things take, in milliseconds: there and back, waiting for the device, decoding a prompt."""

    round_trip_ms: float
    queue_ms: float
    decode_ms: float


def scale_mask(mask_hw: MaskArray, size_hw: tuple[int, int]) -> MaskArray:
    """Return the mask at another size, each pixel taking the grid's nearest.

    Args:
        mask_hw: (h, w) bool on any grid that spans the whole picture.
        size_hw: height and width wanted.
    """
    if mask_hw.shape == size_hw:
        return mask_hw
    rows, columns = (
        np.minimum((np.arange(size) + 0.5) * grid / size, grid - 1).astype(np.intp)
        for size, grid in zip(size_hw, mask_hw.shape, strict=True)
    )
    scaled: MaskArray = mask_hw[np.ix_(rows, columns)]
    return scaled
