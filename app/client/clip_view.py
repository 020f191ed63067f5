"""What a client knows of its clip: its frames' times, and the masks of each frame as they come. Knows no socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

from app.client.values import ClipMask
from app.protocol import messages as m


@dataclass(frozen=True)
class FrameMasks:
    """Masks of a frame that are new: those of objects by id."""

    seq: int
    frame: int
    masks: dict[int, ClipMask]


@dataclass(frozen=True)
class TakenUp:
    """The session goes on over another socket: what was under way is told under this number from now on."""

    seq: int


@dataclass(frozen=True)
class Failed:
    """What was under way under this number came to an end; None for all, since the session is lost for good."""

    seq: int | None
    error: Exception


Heard: TypeAlias = FrameMasks | m.TrackProgress | TakenUp | Failed


class ClipView:
    """The clip of a session as the server told it.

    Attributes:
        clip: its size and times; None where a picture is open, or nothing.
        masks: by frame, those of the objects that are seen there, by id.
    """

    def __init__(self) -> None:
        self.clip: m.OpenedClip | None = None
        self.masks: dict[int, dict[int, ClipMask]] = {}
        self._listeners: list[Callable[[Heard], None]] = []

    def take(self, message: m.OpenedClip | m.Masks | m.TrackProgress) -> None:
        """Take in what came."""
        if isinstance(message, m.OpenedClip):
            if self.clip is None or self.clip.clip_id != message.clip_id:
                self.masks.clear()
            self.clip = message
        elif isinstance(message, m.TrackProgress):
            self.say(message)
        elif self.clip is not None:
            self.say(FrameMasks(message.seq, message.frame, self._changed(message, self.clip)))

    def forget(self) -> None:
        """Know of no clip: a picture is open."""
        self.clip = None
        self.masks.clear()

    def gone(self, objects: Iterable[int]) -> None:
        """Know no masks of objects that are no more."""
        for number in objects:
            for known in self.masks.values():
                known.pop(number, None)

    def say(self, heard: Heard) -> None:
        """Tell whoever listens."""
        for listener in [*self._listeners]:
            listener(heard)

    @contextmanager
    def listening(self, listener: Callable[[Heard], None]) -> Iterator[None]:
        """Have a function called with all that is heard, until the `with` ends."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _changed(self, message: m.Masks, clip: m.OpenedClip) -> dict[int, ClipMask]:
        """Take in the masks of a frame; return those that weren't known so."""
        known, changed = self.masks.setdefault(message.frame, {}), {}
        for each in message.objects:
            if each.mask is None:
                known.pop(each.id, None)
                continue
            before = known.get(each.id)
            if before is None or before.told != each.mask:
                changed[each.id] = known[each.id] = ClipMask(each.mask, (clip.height, clip.width))
        return changed
