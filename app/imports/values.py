"""What is found in a label file, within the bounds of a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.arrays import MaskArray
from app.errors import Reason
from app.protocol.counts import counts_of
from app.protocol.fields import MAX_NAME_CHARS, BoxXyxy
from app.protocol.labels import MAX_MISFITS, Labels, Misfit
from app.protocol.messages import Given
from app.protocol.recipe import BoxStep, MaskStep, Trail
from app.session.limits import SessionLimits
from app.session.names import UNNAMED_CLASS, readable
from app.session.values import OpenImage


@dataclass
class LabelCollector:
    """What was found in a file so far, within the bounds of a session.

    Attributes:
        image: the picture that the labels are of.
        room: objects that there is room for.
        limits: of the session that they are for.
        classes: the file's own list.
    """

    image: OpenImage
    room: int
    limits: SessionLimits = field(default_factory=SessionLimits)
    classes: tuple[str, ...] = ()
    _objects: list[Given] = field(default_factory=list)
    _problems: list[Misfit] = field(default_factory=list)
    _left_out: int = 0
    _trail_bytes: int = 0
    _beyond: int = 0

    @property
    def is_full(self) -> bool:
        """True where there is no room for another object; what comes then is only counted."""
        return len(self._objects) >= self.room

    def mask(self, where: str, mask_hw: MaskArray, name: str) -> None:
        """Take a mask, (H, W) bool at the picture's size."""
        if self.is_full:
            self.beyond()
        elif not mask_hw.any():
            self.problem(where, Reason("labels_empty", "it has no pixel on the picture"))
        else:
            self.trail(where, (MaskStep(size=self.image.size_hw, counts=counts_of(mask_hw)),), name)

    def box(self, where: str, box_xyxy: BoxXyxy, name: str) -> None:
        """Take a box, which the model is then asked about."""
        x0, y0, x1, y1 = box_xyxy
        width, height = self.image.width, self.image.height
        box = (min(max(x0, 0.0), width), min(max(y0, 0.0), height), min(max(x1, 0.0), width), min(max(y1, 0.0), height))
        if box[0] < box[2] and box[1] < box[3]:
            self.trail(where, (BoxStep(box=box),), name)
        else:
            text = "its box has no area on the picture: {x0:g}, {y0:g}, {x1:g}, {y1:g}"
            self.problem(where, Reason("labels_box", text, x0=x0, y0=y0, x1=x1, y1=y1))

    def trail(self, where: str, trail: Trail, name: str) -> None:
        """Take whatever makes an object."""
        if self.is_full:
            self.beyond()
            return
        nbytes = sum(len(step.counts) if isinstance(step, MaskStep) else 64 for step in trail)
        if self._trail_bytes + nbytes > self.limits.max_trail_bytes:
            text = "its mask is too intricate: all of a picture take {most} bytes"
            self.problem(where, Reason("labels_bytes", text, most=self.limits.max_trail_bytes))
            return
        self._trail_bytes += nbytes
        known = "" if name == UNNAMED_CLASS else readable(name)
        if len(known) > MAX_NAME_CHARS:
            text = "its name has more than {most} characters; it came in cut"
            self.problem(where, Reason("labels_name", text, most=MAX_NAME_CHARS), lost=False)
        self._objects.append(Given(trail=trail, name=known[:MAX_NAME_CHARS]))

    def beyond(self, count: int = 1) -> None:
        """Count those that there is no room for."""
        self._beyond += count

    def problem(self, where: str, why: str, *, lost: bool = True) -> None:
        """Note what doesn't fit; `lost` where it is no object now."""
        self._left_out += lost
        if len(self._problems) < MAX_MISFITS:
            self._problems.append(misfit(where, why))

    def labels(self) -> Labels:
        """Return all that was found."""
        told = tuple(self._told())
        # Files call what has no class so, after all that have one.
        classes = self.classes[:-1] if self.classes[-1:] == (UNNAMED_CLASS,) else self.classes
        return Labels(tuple(self._objects), classes, told, self._left_out + self._beyond)

    def _told(self) -> Iterator[Misfit]:
        if self._beyond:
            text = "there is room for {room} objects on the picture, which takes {most}; {count} more were left out"
            most = self.limits.max_objects
            yield misfit("the file", Reason("labels_room", text, room=self.room, most=most, count=self._beyond))
        yield from self._problems


def misfit(where: str, why: str) -> Misfit:
    """Return what is told of something that doesn't fit."""
    return Misfit(where, str(why), why.key, dict(why.values)) if isinstance(why, Reason) else Misfit(where, why)
