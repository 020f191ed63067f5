"""The masks of frames through which objects were followed: a cache, made again from the steps that led to it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from app.errors import Reason, TooManyObjectsError
from app.protocol.values import Mask

NONE: Final[Mapping[int, Mask]] = MappingProxyType({})
MASK_BYTES: Final = 400
"""What a mask takes beside its run lengths."""


class TrackedMasks:
    """Masks by pass and frame, of one model on one clip; what was used least recently goes first."""

    def __init__(self, max_bytes: int) -> None:
        """Keep nothing yet.

        Args:
            max_bytes: of all masks.
        """
        self._max_bytes = max_bytes
        self._passes: OrderedDict[str, dict[int, Mask]] = OrderedDict()
        self._nbytes = 0

    def of(self, key: str) -> Mapping[int, Mask]:
        """Return the masks of a pass by frame."""
        return self._passes.get(key, NONE)

    def put(self, key: str, frame: int, mask: Mask, wanted: Collection[str]) -> None:
        """Keep a mask; passes that nobody wants any more make room.

        Args:
            key: of its pass.
            frame: its number.
            mask: what was found.
            wanted: keys of the passes that objects are shown by now.

        Raises:
            TooManyObjectsError: there is no room for it.
        """
        if frame in self.of(key):
            return
        nbytes = MASK_BYTES + len(mask.runs)
        for other in [other for other in self._passes if other not in wanted and other != key]:
            if self._nbytes + nbytes <= self._max_bytes:
                break
            self._nbytes -= sum(MASK_BYTES + len(gone.runs) for gone in self._passes.pop(other).values())
        if self._nbytes + nbytes > self._max_bytes:
            raise TooManyObjectsError(
                Reason(
                    "track_bytes",
                    "masks of followed objects take at most {most} bytes; delete an object",
                    most=self._max_bytes,
                )
            )
        self._passes.setdefault(key, {})[frame] = mask
        self._passes.move_to_end(key)
        self._nbytes += nbytes
