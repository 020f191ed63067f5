"""What a client is told of a session's state, as messages. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from app.protocol.messages import Classes, Gone, Image, Object, OpenedClip
from app.session.clip_state import ClipState
from app.session.history import Timeline
from app.session.objects import SessionObject
from app.session.values import OpenImage

StateMessage: TypeAlias = OpenedClip | Image | Classes | Object | Gone
"""What a client is told of the picture, its objects and their classes."""


@dataclass(frozen=True)
class Touched:
    """What a change concerned: objects, there or gone, and whether the list of classes."""

    ids: tuple[int, ...] = ()
    classes: bool = False


@dataclass(frozen=True)
class Teller:
    """Says how things stand.

    Attributes:
        timeline: the objects and classes.
        clip: what is worked on where it is a clip, else None.
        provisional: whether a stand-in answers.
    """

    timeline: Timeline
    clip: ClipState | None
    provisional: bool

    def touched(self, seq: int, touched: Touched) -> list[StateMessage]:
        """Return what a change concerned as it is now: the list of classes, objects, and those that are gone."""
        objects = self.timeline.now.objects
        told: list[StateMessage] = [self.classes(seq)] if touched.classes else []
        told += [self.object(seq, objects[id_]) for id_ in touched.ids if id_ in objects]
        gone = [id_ for id_ in touched.ids if id_ not in objects]
        if gone or not told:  # every change is answered, also an undo of nothing
            told.append(self.gone(seq, gone))
        return told

    def everything(self, seq: int) -> list[StateMessage]:
        """Return the classes, where there are any, and every object, for a client that starts from nothing."""
        classes: list[StateMessage] = [self.classes(seq)] if self.timeline.now.classes.entries else []
        return [*classes, *(self.object(seq, item) for item in self.timeline.now.objects.values())]

    def picture(self, seq: int, image: Image) -> list[StateMessage]:
        """Return the picture, classes and every object; an empty `gone` where there are steps alone.

        Args:
            seq: of the change.
            image: see `image`.
        """
        told: list[StateMessage] = [image, *self.everything(seq)]
        if (self.timeline.can_undo or self.timeline.can_redo) and not self.timeline.now.objects:
            told.append(self.gone(seq, []))  # which says that there are steps
        return told

    def image(self, seq: int, image: OpenImage, model: str, *, cached: bool, encode_ms: float) -> Image:
        """Return the open picture, or the frame of a clip that is shown."""
        return Image(
            seq=seq,
            image_id=image.image_id,
            width=image.width,
            height=image.height,
            model=model,
            cached=cached,
            encode_ms=encode_ms,
            orientation=image.orientation,
            rendered=image.rendered,
            provisional=self.provisional,
            frame=None if self.clip is None else self.clip.frame,
        )

    def opened_clip(self, seq: int) -> list[StateMessage]:
        """Return the clip, where it is one."""
        if self.clip is None:
            return []
        clip = self.clip.clip
        return [
            OpenedClip(
                seq=seq,
                clip_id=clip.clip_id,
                width=clip.width,
                height=clip.height,
                times=clip.times_s,
                duration=clip.duration_s,
            )
        ]

    def gone(self, seq: int, ids: Iterable[int]) -> Gone:
        """Return that objects are no more."""
        timeline = self.timeline
        return Gone(seq=seq, objects=tuple(ids), can_undo=timeline.can_undo, can_redo=timeline.can_redo)

    def classes(self, seq: int) -> Classes:
        """Return the list of classes."""
        timeline = self.timeline
        entries = timeline.now.classes.entries
        return Classes(seq=seq, classes=entries, can_undo=timeline.can_undo, can_redo=timeline.can_redo)

    def object(self, seq: int, item: SessionObject) -> Object:
        """Return an object in the colour in which it is shown, on a clip as it is on the frame that is shown."""
        view = item if self.clip is None else self.clip.shown(item)
        return Object(
            seq=seq,
            id=item.id,
            name=item.name,
            color=self.timeline.now.classes.color_of(item),
            points=view.points,
            box=view.box,
            trail=item.trail,
            chosen=view.chosen,
            masks=view.shown,
            can_undo=self.timeline.can_undo,
            can_redo=self.timeline.can_redo,
            provisional=self.provisional,
            frame=None if self.clip is None else self.clip.frame,
        )
